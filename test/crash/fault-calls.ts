interface Request {
  readonly method: string
  readonly path: string
}

export interface Answered extends Request {
  readonly status: number
}

/** One request among those of an act to one network: the n-th of its method and path, whatever its query. */
export interface Call extends Request {
  /** Counted from 1, so that a name stays the same where reads run side by side. */
  readonly nth: number
  /** Its place among all requests of the act to that network, counted from 0. */
  readonly index: number
}

const withoutQuery = (path: string): string => path.replace(/\?.*$/, '')

/** Source of a regular expression for the path with any query. */
export const pattern = (path: string): string => `^${path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(\\?|$)`

/** Each distinct call (a query that differs is another one) at its first occurrence, and at its last. */
export const callPlaces = (requests: readonly Request[]): readonly Call[] => {
  const names = requests.map(({ method, path }) => `${method} ${path}`)
  return requests.flatMap(({ method, path }, index) => {
    const name = `${method} ${path}`
    if (names.indexOf(name) !== index && names.lastIndexOf(name) !== index) return []
    const bare = withoutQuery(path)
    const nth = requests
      .slice(0, index + 1)
      .filter((one) => one.method === method && withoutQuery(one.path) === bare).length
    return [{ method, path: bare, nth, index }]
  })
}

/** The request that a call names; undefined where the run did not get to it. */
export const occurrence = <T extends Request>(
  requests: readonly T[],
  { method, path, nth }: Call,
): T | undefined =>
  requests.filter((one) => one.method === method && withoutQuery(one.path) === path)[nth - 1]

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

/** Every request, named. */
export const allCalls = (requests: readonly Request[]): readonly Call[] => {
  const seen = new Map<string, number>()
  return requests.map(({ method, path }, index) => {
    const bare = withoutQuery(path)
    const nth = (seen.get(`${method} ${bare}`) ?? 0) + 1
    seen.set(`${method} ${bare}`, nth)
    return { method, path: bare, nth, index }
  })
}

/** Each distinct call (a query that differs is another one) at its first occurrence, and at its last. */
export const callPlaces = (requests: readonly Request[]): readonly Call[] => {
  const names = requests.map(({ method, path }) => `${method} ${path}`)
  return allCalls(requests).filter(
    (_call, index) =>
      names.indexOf(names[index] ?? '') === index || names.lastIndexOf(names[index] ?? '') === index,
  )
}

/** The request that a call names; undefined where the run did not get to it. */
export const occurrence = <T extends Request>(
  requests: readonly T[],
  { method, path, nth }: Call,
): T | undefined =>
  requests.filter((one) => one.method === method && withoutQuery(one.path) === path)[nth - 1]

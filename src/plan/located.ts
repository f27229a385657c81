/** Where in a document: names of fields and indexes of list items, from the root. */
export type Path = readonly (string | number)[]

interface Sized {
  /** Offset of the first character of the value, in UTF-16 units. */
  readonly offset: number
  /** Nodes in it, itself counted, aliases expanded. */
  readonly size: number
}

export interface LocatedScalar extends Sized {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As it was written, without quotes. */
  readonly source: string
  /** Written without quotes, so that YAML guessed its type. */
  readonly plain: boolean
  /** Wrong already as YAML, and reported: nothing more is to be said of it. */
  readonly broken?: true
}

export interface LocatedEntry {
  readonly keyOffset: number
  readonly value: Located
}

interface LocatedMap extends Sized {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, LocatedEntry>
}

interface LocatedList extends Sized {
  readonly kind: 'list'
  readonly items: readonly Located[]
}

/**
 * A YAML value that knows where it stands. An aliased value is one object with several parents, so that
 * expanding costs nothing.
 */
export type Located = LocatedMap | LocatedList | LocatedScalar

const childOf = (node: Located, step: string | number): { keyOffset: number; value: Located } | undefined => {
  if (node.kind === 'map') return node.entries.get(String(step))
  if (node.kind === 'scalar') return undefined
  const value = node.items[Number(step)]
  return value === undefined ? undefined : { keyOffset: value.offset, value }
}

/** The node at a path; undefined where there is none. */
export const nodeAt = (root: Located, path: Path): Located | undefined => {
  let node: Located | undefined = root
  for (const step of path) {
    node = node === undefined ? undefined : childOf(node, step)?.value
  }
  return node
}

/**
 * Offset at which a finding about a path is shown: the value where it is a written scalar, else its key,
 * else the nearest parent that exists.
 */
export const offsetOf = (root: Located, path: Path, at: 'key' | 'value'): number => {
  let node = root
  let keyOffset = root.offset
  for (const step of path) {
    const child = childOf(node, step)
    if (child === undefined) return keyOffset
    node = child.value
    keyOffset = child.keyOffset
  }
  const written = node.kind === 'scalar' && node.source !== ''
  return at === 'value' && written ? node.offset : keyOffset
}

/** `devices.include[0].ids[3]` */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  )

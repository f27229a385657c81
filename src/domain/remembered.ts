/** What is remembered at most: of a fleet's objects those that all share are among the first. */
const MOST = 4_096

/**
 * A function whose answers are remembered, for what a whole fleet asks the same. What comes from networks has no end: beyond
 * `most` answers are given, and not remembered.
 */
export const remembered = <K, V extends NonNullable<unknown>>(
  make: (key: K) => V,
  most = MOST,
): ((key: K) => V) => {
  const known = new Map<K, V>()
  return (key) => {
    const before = known.get(key)
    if (before !== undefined) return before
    const made = make(key)
    if (known.size < most) known.set(key, made)
    return made
  }
}

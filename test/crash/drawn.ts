/** Draws `count` of the items, in their order: the same ones for the same seed (mulberry32). */
export const drawn = <T>(items: readonly T[], count: number, seed: number): readonly T[] => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const chosen = new Set(
    items
      .map((_, index) => ({ index, rank: next() }))
      .sort((one, other) => one.rank - other.rank)
      .slice(0, count)
      .map(({ index }) => index),
  )
  return items.filter((_, index) => chosen.has(index))
}

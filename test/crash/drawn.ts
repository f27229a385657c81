import { randomOf } from './random.ts'

/** Draws `count` of the items, in their order: the same ones for the same seed. */
export const drawn = <T>(items: readonly T[], count: number, seed: number): readonly T[] => {
  const random = randomOf(seed)
  const chosen = new Set(
    items
      .map((_, index) => ({ index, rank: random() }))
      .sort((one, other) => one.rank - other.rank)
      .slice(0, count)
      .map(({ index }) => index),
  )
  return items.filter((_, index) => chosen.has(index))
}

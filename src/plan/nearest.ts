/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
const distance = (a: string, b: string, limit: number): number => {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(
        (previous[j] ?? 0) + 1,
        (current[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      }
      current.push(cost)
    }
    before = previous
    previous = current
  }
  return previous[b.length] ?? limit + 1
}

const plain = (name: string): string => name.toLowerCase().replace(/[_\s-]/g, '')

/**
 * The known name that was most likely meant: case, `_` and `-` apart, with at most a third of its
 * characters wrong. Undefined where none is near enough to be worth a guess.
 */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const wanted = plain(name)
  if (wanted.length === 0 || wanted.length > 60) return undefined
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  let best: { readonly name: string; readonly cost: number } | undefined
  for (const candidate of known) {
    const cost = distance(wanted, plain(candidate), limit)
    if (cost <= limit && (best === undefined || cost < best.cost)) best = { name: candidate, cost }
  }
  return best?.name
}

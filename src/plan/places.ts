/** Line and column, from 1; columns count UTF-16 units. */
export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * Places of offsets in a text. Our own index, because the parser's leaves lines out where it recovers
 * from an error.
 */
export const placesIn = (text: string): ((offset: number) => Place) => {
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return (offset) => {
    const at = Math.min(Math.max(offset, 0), text.length)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: at - (starts[low] ?? 0) + 1 }
  }
}

/** How many columns a text takes on a terminal, and cutting it to columns. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

const EMOJI = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{Regional_Indicator}/u
const ZERO = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11FF]/u
const WIDE =
  /[\u1100-\u115F\u2329\u232A\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1F200}-\u{1F2FF}\u{20000}-\u{3FFFD}]/u
const ASCII = /^[\x20-\x7E]*$/

const codePointWidth = (character: string): number =>
  ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1

const clusterWidth = (cluster: string): number => {
  if (ASCII.test(cluster)) return cluster.length
  if (EMOJI.test(cluster)) return 2
  let width = 0
  for (const character of cluster) width += codePointWidth(character)
  return width
}

/** What a reader sees as one character, with the columns it takes (East Asian wide and emoji: 2, combining: 0). */
export const clusters = (text: string): readonly { readonly text: string; readonly width: number }[] =>
  ASCII.test(text)
    ? Array.from(text, (character) => ({ text: character, width: 1 }))
    : Array.from(segmenter.segment(text), ({ segment }) => ({ text: segment, width: clusterWidth(segment) }))

/** Columns of a text without control characters. */
export const displayWidth = (text: string): number =>
  ASCII.test(text) ? text.length : clusters(text).reduce((sum, cluster) => sum + cluster.width, 0)

/** Cut to at most so many columns; what was cut ends in `...`. */
export const cut = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text
  const room = Math.max(0, width - 3)
  let kept = ''
  let used = 0
  for (const cluster of clusters(text)) {
    if (used + cluster.width > room) break
    kept += cluster.text
    used += cluster.width
  }
  return `${kept.trimEnd()}${'...'.slice(0, Math.max(0, width))}`
}

/** Filled with blanks to so many columns; a longer text stays as it is. */
export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - displayWidth(text)))

export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - displayWidth(text))) + text

/** Width of a column: its widest text, at most `limit`. */
export const columnOf = (texts: readonly string[], limit: number): number =>
  Math.min(
    limit,
    texts.reduce((most, text) => Math.max(most, displayWidth(text)), 0),
  )

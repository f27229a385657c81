import { clusters } from './width.ts'

export const TONES = ['bold', 'red', 'green', 'yellow', 'dim'] as const
export type Tone = (typeof TONES)[number]

/** How each tone is shown; a plain terminal gets `PLAIN_STYLE`. Colour repeats a meaning and never carries it alone. */
export type Style = Readonly<Record<Tone, (text: string) => string>>

const same = (text: string): string => text
export const PLAIN_STYLE: Style = { bold: same, red: same, green: same, yellow: same, dim: same }

/** A piece of a line: plain text, or text with a tone. Holds no control character. */
export type Span = string | readonly [tone: Tone, text: string]

export interface Line {
  readonly spans: readonly Span[]
  /** Columns by which a folded rest is indented. */
  readonly hang: number
}

export const line = (hang: number, ...spans: readonly Span[]): Line => ({ spans, hang })
export const blank: Line = { spans: [], hang: 0 }

/** The narrowest terminal that is laid out for. */
export const MIN_WIDTH = 60
/** The width where none is known. */
export const DEFAULT_WIDTH = 100

interface Cell {
  readonly text: string
  readonly width: number
  readonly tone: Tone | undefined
}

const cellsOf = (spans: readonly Span[]): readonly Cell[] =>
  spans.flatMap((span) => {
    const [tone, text] = typeof span === 'string' ? [undefined, span] : span
    return clusters(text).map((cluster) => ({ ...cluster, tone }))
  })

const widthOf = (cells: readonly Cell[]): number => cells.reduce((sum, cell) => sum + cell.width, 0)

const untilBlank = (cells: readonly Cell[], start: number): readonly Cell[] => {
  let end = start
  while (end < cells.length && cells[end]?.text !== ' ') end += 1
  return cells.slice(start, end)
}

/** Cuts at the last blank that fits; a longer word is cut where the line ends. */
const foldCells = (cells: readonly Cell[], width: number, hang: number): readonly (readonly Cell[])[] => {
  const rows: Cell[][] = []
  const indent: Cell = { text: ' '.repeat(hang), width: hang, tone: undefined }
  let row: Cell[] = []
  let used = 0
  let lastBlank = -1
  for (const [index, cell] of cells.entries()) {
    if (used + cell.width > width) {
      // A word that would not fit in a line of its own is cut here rather than moved.
      const moves = cell.text !== ' ' && lastBlank > 0
      const word = moves ? [...row.slice(lastBlank + 1), ...untilBlank(cells, index)] : []
      const isMoved = moves && widthOf(word) <= width - hang
      const rest = isMoved ? row.slice(lastBlank + 1) : []
      rows.push(isMoved ? row.slice(0, lastBlank) : row)
      row = hang > 0 ? [indent, ...rest] : [...rest]
      used = widthOf(row)
      lastBlank = -1
      if (cell.text === ' ') continue
    }
    const isLeading = row.every((each) => each.text.trim() === '')
    if (cell.text === ' ' && !isLeading) lastBlank = row.length
    row.push(cell)
    used += cell.width
  }
  rows.push(row)
  return rows
}

const paint = (cells: readonly Cell[], style: Style): string => {
  let end = cells.length
  while (end > 0 && cells[end - 1]?.text.trim() === '') end -= 1
  let text = ''
  for (let start = 0; start < end; ) {
    const tone = cells[start]?.tone
    let next = start
    let run = ''
    while (next < end && cells[next]?.tone === tone) {
      run += cells[next]?.text ?? ''
      next += 1
    }
    text += tone === undefined ? run : style[tone](run)
    start = next
  }
  return text
}

/** Lines as text, folded to `width` columns (at least 60), each ended by LF, without trailing blanks. */
export const renderLines = (lines: readonly Line[], width: number, style: Style): string => {
  const columns = Math.max(MIN_WIDTH, Math.floor(width))
  return lines
    .flatMap((each) => foldCells(cellsOf(each.spans), columns, Math.min(each.hang, columns - 20)))
    .map((cells) => `${paint(cells, style)}\n`)
    .join('')
}

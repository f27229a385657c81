import { harmless } from '../report/escape.ts'
import { displayWidth, padEnd } from '../report/width.ts'

/** Columns of text under a head; nothing at all without rows. */
export const tableText = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  if (rows.length === 0) return ''
  const safe = [head, ...rows.map((row) => row.map(harmless))]
  const widths = head.map((_, column) => Math.max(...safe.map((row) => displayWidth(row[column] ?? ''))))
  return safe
    .map((row) => `  ${row.map((cell, column) => padEnd(cell, widths[column] ?? 0)).join('  ')}`.trimEnd())
    .map((text) => `${text}\n`)
    .join('')
}

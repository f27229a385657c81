import type { ErrorRecord } from '../domain/journal.ts'
import type { Json } from '../domain/json.ts'
import { harmless, harmlessJson, withoutKeyForms } from './escape.ts'
import { JSON_FORMAT_VERSION } from './json.ts'
import { blank, type Line, line, renderLines, type Tone } from './layout.ts'
import { type TextOptions, textOptions } from './text.ts'
import { cut, displayWidth, padEnd } from './width.ts'
import { count, devices, duration } from './words.ts'

/** Where one device is. Texts come from the state and the networks, and are made harmless here. */
export interface StatusRow {
  /** Device id on the source. */
  readonly device: string
  readonly target: string
  readonly devEui?: string
  /** A word or two, such as `done`, `waiting to be heard` or `blocked`. */
  readonly status: string
  /** What comes next, in words; empty where nothing does. */
  readonly next: string
  /** ISO 8601, when it came to this. */
  readonly since?: string
  readonly error?: ErrorRecord
}

export interface StatusOptions extends TextOptions {
  readonly name: string
  /** For `since`, in words; left out, the time itself is shown. */
  readonly now?: Date
}

const TONES: readonly (readonly [RegExp, Tone])[] = [
  [/fail|block|conflict|stale|silent|missing|differ/i, 'red'],
  [/wait|cross|defer|resum|begun/i, 'yellow'],
  [/done|heard|migrated|adopted|equal/i, 'green'],
]

/** A colour that repeats what a status word says. */
const toneOf = (status: string): Tone | undefined => TONES.find(([pattern]) => pattern.test(status))?.[1]

const sinceWords = (since: string | undefined, now: Date | undefined): string => {
  if (since === undefined) return ''
  const time = Date.parse(since)
  if (now === undefined || Number.isNaN(time)) return harmless(since)
  return `for ${duration(now.getTime() - time)}`
}

/** How many rows there are of each value, the most frequent first. */
const tally = (values: readonly string[]): readonly (readonly [string, number])[] => {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
}

/** Width of a column: its widest text, at most `limit`. */
export const columnOf = (texts: readonly string[], limit: number): number =>
  Math.min(
    limit,
    texts.reduce((most, text) => Math.max(most, displayWidth(text)), 0),
  )

const idOf = (row: { readonly device: string; readonly target?: string }): string =>
  row.target === undefined || row.target === row.device
    ? harmless(row.device)
    : `${harmless(row.device)} -> ${harmless(row.target)}`

const errorLines = (error: ErrorRecord): readonly Line[] => [
  line(6, '    ', ['red', harmless(error.code)], `: ${harmless(error.message)}`),
  ...(error.hint === undefined ? [] : [line(9, `    fix: ${harmless(error.hint)}`)]),
  ...(error.correlationId === undefined
    ? []
    : [line(6, ['dim', `    correlation id ${harmless(error.correlationId)}`])]),
]

/** The devices of a plan as a table, errors under their device; ends with the sum. */
export const renderStatus = (rows: readonly StatusRow[], options: StatusOptions): string => {
  const { width, style } = textOptions(options)
  const idWidth = columnOf(rows.map(idOf), Math.floor(width * 0.35))
  const statusWidth = columnOf(
    rows.map((row) => harmless(row.status)),
    24,
  )
  const lines = rows.flatMap((row): readonly Line[] => {
    const tone = toneOf(row.status)
    const status = padEnd(cut(harmless(row.status), statusWidth), statusWidth)
    const rest = [sinceWords(row.since, options.now), row.next === '' ? '' : `next: ${harmless(row.next)}`]
      .filter((part) => part !== '')
      .join(', ')
    return [
      line(
        Math.min(idWidth + statusWidth + 6, Math.floor(width / 2)),
        `  ${padEnd(cut(idOf(row), idWidth), idWidth)}  `,
        tone === undefined ? status : [tone, status],
        ['dim', rest === '' ? '' : `  ${rest}`],
      ),
      ...(row.error === undefined ? [] : errorLines(row.error)),
    ]
  })
  const sums = tally(rows.map((row) => row.status)).map(
    ([status, number]) => `${count(number)} ${harmless(status)}`,
  )
  return renderLines(
    [
      ...lines,
      ...(rows.length === 0 ? [] : [blank]),
      line(
        2,
        ['bold', harmless(options.name)],
        `  ${devices(rows.length)}${sums.length === 0 ? '' : `: ${sums.join(', ')}`}.`,
      ),
    ],
    width,
    style,
  )
}

export const errorJson = (error: ErrorRecord): Json => ({
  code: error.code,
  message: withoutKeyForms(error.message),
  ...(error.hint === undefined ? {} : { hint: withoutKeyForms(error.hint) }),
  ...(error.correlationId === undefined ? {} : { correlation_id: error.correlationId }),
})

/** The same as one JSON document. */
export const renderStatusJson = (rows: readonly StatusRow[], name: string): string =>
  `${harmlessJson({
    format_version: JSON_FORMAT_VERSION,
    kind: 'status',
    plan: name,
    summary: { devices: rows.length, ...Object.fromEntries(tally(rows.map((row) => row.status))) },
    devices: rows.map((row) => ({
      device: row.device,
      target: row.target,
      dev_eui: row.devEui ?? null,
      status: row.status,
      next: row.next,
      since: row.since ?? null,
      error: row.error === undefined ? null : errorJson(row.error),
    })),
  })}\n`

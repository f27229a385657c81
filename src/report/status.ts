import type { ErrorRecord } from '../domain/journal.ts'
import type { Json } from '../domain/json.ts'
import { HELD_BY_ESCROW } from './crossing.ts'
import { harmless, harmlessJson, withoutKeyForms } from './escape.ts'
import { JSON_FORMAT_VERSION } from './json.ts'
import { blank, line, renderLines, type Span } from './layout.ts'
import { groupLines, statusGroups } from './status-groups.ts'
import { type TextOptions, textOptions } from './text.ts'
import { count, devices } from './words.ts'

/** Where one device is. Texts come from the state and the networks, and are made harmless here. */
export interface StatusRow {
  /** Device id on the source. */
  readonly device: string
  readonly target: string
  readonly devEui?: string
  /** A word or two, such as `waiting`, `heard` or `failed`. */
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

/** How many rows there are of each status, the most frequent first; before all what no network serves. */
const tally = (statuses: readonly string[]): readonly (readonly [string, number])[] => {
  const counts = new Map<string, number>()
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1)
  const isHeld = (status: string): number => Number(status === HELD_BY_ESCROW)
  return [...counts].sort(([a, m], [b, n]) => isHeld(b) - isHeld(a) || n - m || (a < b ? -1 : 1))
}

/** The devices of a plan by status, at most 20 of each, errors under their device; ends with the sum. */
export const renderStatus = (rows: readonly StatusRow[], options: StatusOptions): string => {
  const { width, style } = textOptions(options)
  const sums = tally(rows.map((row) => row.status)).map(([status, number], index): Span => {
    const text = `${index === 0 ? ': ' : ', '}${count(number)} ${harmless(status)}`
    return status === HELD_BY_ESCROW ? ['red', text] : text
  })
  return renderLines(
    [
      ...statusGroups(rows).flatMap((group) => [...groupLines(group, width, options.now), blank]),
      line(2, ['bold', harmless(options.name)], `  ${devices(rows.length)}`, ...sums, '.'),
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

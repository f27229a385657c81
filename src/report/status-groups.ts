import type { ErrorRecord } from '../domain/journal.ts'
import { HELD_BY_ESCROW } from './crossing.ts'
import { harmless } from './escape.ts'
import { type Line, line, type Tone } from './layout.ts'
import type { StatusRow } from './status.ts'
import { columnOf, padEnd } from './width.ts'
import { count, devices, duration } from './words.ts'

export interface StatusWords {
  readonly means: string
  readonly tone?: Tone
  /** Whether its errors are told: elsewhere the device went on since. */
  readonly errors?: true
}

/** In the order in which a person has to look at them. */
const STATUS_WORDS: Readonly<Record<string, StatusWords>> = {
  [HELD_BY_ESCROW]: {
    means:
      'deleted on the source, not on the target yet: no network serves them, the escrow alone holds them',
    tone: 'red',
    errors: true,
  },
  'rolling-back': { means: 'a rollback has begun: finish it with ferry rollback', tone: 'red', errors: true },
  failed: { means: 'the last step failed, or what it began was taken back', tone: 'red', errors: true },
  silent: { means: 'on the target, but not heard in time', tone: 'red', errors: true },
  deferred: { means: 'left for a later run', tone: 'yellow', errors: true },
  crossing: { means: 'begun, not served by the target yet', tone: 'yellow' },
  waiting: { means: 'on the target, not heard yet', tone: 'yellow', errors: true },
  adopted: { means: 'on the target before, only recorded', tone: 'green' },
  undone: { means: 'taken back: the source serves them as before' },
  heard: { means: 'heard on the target', tone: 'green' },
  retired: { means: 'served by the target, deleted on the source', tone: 'green' },
}
const ORDER = Object.keys(STATUS_WORDS)

/** Undefined for a status that has no words of its own. */
export const statusWords = (status: string): StatusWords | undefined => STATUS_WORDS[status]

/** Device lines of a status. */
const SHOWN = 20

export interface StatusGroup {
  readonly status: string
  readonly rows: readonly StatusRow[]
}

const groupsBy = (rows: readonly StatusRow[], keyOf: (row: StatusRow) => string) => {
  const groups = new Map<string, StatusRow[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row])
    else group.push(row)
  }
  return [...groups]
}

const rankOf = (status: string): number => (ORDER.includes(status) ? ORDER.indexOf(status) : ORDER.length)

/** What asks for a person first; a status without words of its own comes last. */
export const statusGroups = (rows: readonly StatusRow[]): readonly StatusGroup[] =>
  groupsBy(rows, (row) => row.status)
    .map(([status, group]) => ({ status, rows: group }))
    .sort((a, b) => rankOf(a.status) - rankOf(b.status))

const sinceWords = (since: string | undefined, now: Date | undefined): string => {
  if (since === undefined) return ''
  const time = Date.parse(since)
  if (now === undefined || Number.isNaN(time)) return harmless(since)
  return `for ${duration(now.getTime() - time)}`
}

const idOf = (row: StatusRow): string =>
  row.target === row.device ? harmless(row.device) : `${harmless(row.device)} -> ${harmless(row.target)}`

const errorLines = (error: ErrorRecord): readonly Line[] => [
  line(6, '    ', ['red', harmless(error.code)], `: ${harmless(error.message)}`),
  ...(error.hint === undefined ? [] : [line(9, `    fix: ${harmless(error.hint)}`)]),
  ...(error.correlationId === undefined
    ? []
    : [line(6, ['dim', `    correlation id ${harmless(error.correlationId)}`])]),
]

/** One heading, what comes next, and the first devices; those whose next is rarer come first. */
export const groupLines = (group: StatusGroup, width: number, now: Date | undefined): readonly Line[] => {
  const words = STATUS_WORDS[group.status]
  const title = harmless(group.status)
  const nexts = groupsBy(group.rows, (row) => row.next).sort(([, a], [, b]) => a.length - b.length)
  const shown = new Set(nexts.flatMap(([, rows]) => rows).slice(0, SHOWN))
  const rest = group.rows.length - shown.size
  const idWidth = columnOf([...shown].map(idOf), Math.floor(width / 2))
  const deviceLines = (row: StatusRow): readonly Line[] => [
    line(6, `  ${padEnd(idOf(row), idWidth)}`, ['dim', `  ${sinceWords(row.since, now)}`]),
    ...(words?.errors === true && row.error !== undefined ? errorLines(row.error) : []),
  ]
  return [
    line(
      2,
      words?.tone === undefined ? title : [words.tone, title],
      `  ${devices(group.rows.length)}${words === undefined ? '' : `: ${words.means}`}`,
    ),
    ...nexts.flatMap(([next, rows]) => [
      ...(next === ''
        ? []
        : [line(4, `  next${nexts.length === 1 ? '' : ` for ${count(rows.length)}`}: ${harmless(next)}`)]),
      ...rows.filter((row) => shown.has(row)).flatMap(deviceLines),
    ]),
    ...(rest > 0 ? [line(2, `  and ${count(rest)} more: --json`)] : []),
  ]
}

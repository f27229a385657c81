import type { FieldChange } from '../domain/change-set.ts'
import type { GatewayRow } from '../domain/gateway.ts'
import { HELD_BY_ESCROW } from './crossing.ts'
import { harmless, harmlessJson } from './escape.ts'
import { BRIEF } from './field-view.ts'
import { gatewayRowJson, gatewayRowLines } from './gateways.ts'
import { fieldJson, JSON_FORMAT_VERSION } from './json.ts'
import { blank, type Line, line, renderLines, type Tone } from './layout.ts'
import { safeChange } from './shown.ts'
import { type TextOptions, textOptions } from './text.ts'
import { fieldLines } from './text-groups.ts'
import { columnOf, cut } from './width.ts'
import { count, devices } from './words.ts'

const VERIFY_STATUSES = [
  HELD_BY_ESCROW,
  'heard',
  'equal',
  'waiting',
  'joining',
  'silent',
  'unfinished',
  'differs',
  'missing',
] as const
/**
 * heard: equal to the plan, and the target has heard it. equal: compared, and nobody asks whether it is heard.
 * waiting: equal, not heard yet. joining: a join was accepted, no uplink yet. silent: not heard in the time that the
 * plan gives. unfinished: its crossing has not ended. held-by-escrow: the same, and no network serves it.
 * differs: fields differ. missing: the target does not hold it.
 */
type VerifyStatus = (typeof VERIFY_STATUSES)[number]

export interface VerifyRow {
  readonly device: string
  readonly status: VerifyStatus
  /** `before`: as planned; `after`: as the target has it. */
  readonly differences: readonly FieldChange[]
  /** What likely keeps the target from hearing it. */
  readonly reasons?: readonly string[]
}

const WORDS: Readonly<
  Record<VerifyStatus, { readonly symbol: string; readonly tone: Tone; readonly means: string }>
> = {
  [HELD_BY_ESCROW]: {
    symbol: '!',
    tone: 'red',
    means: 'deleted on the source, not on the target: ferry apply goes on, now',
  },
  heard: { symbol: '=', tone: 'green', means: 'equal, and the target has heard them' },
  equal: { symbol: '=', tone: 'green', means: 'equal' },
  waiting: { symbol: '.', tone: 'yellow', means: 'equal, not heard yet' },
  joining: { symbol: '.', tone: 'yellow', means: 'equal; a join was accepted, and no uplink came yet' },
  silent: { symbol: '.', tone: 'yellow', means: 'equal, and not heard in time (verify.heardWithin)' },
  unfinished: { symbol: '.', tone: 'yellow', means: 'their crossing has not ended: ferry apply goes on' },
  differs: { symbol: '~', tone: 'red', means: 'the target holds other values than planned' },
  missing: { symbol: '!', tone: 'red', means: 'the target does not hold them' },
}

/** What a device passes through on the way to being heard. */
const PASSING: readonly VerifyStatus[] = [HELD_BY_ESCROW, 'waiting', 'joining', 'unfinished']

const SHOWN = 20

const countOf = (rows: readonly VerifyRow[], status: VerifyStatus): number =>
  rows.filter((row) => row.status === status).length

const differenceLines = (row: VerifyRow, width: number): readonly Line[] => {
  const column = columnOf(
    row.differences.map((change) => `NS ${harmless(change.path)}`),
    Math.floor(width / 2),
  )
  return row.differences.flatMap((change) =>
    fieldLines(safeChange(change), undefined, column, { width, detail: BRIEF }),
  )
}

const rowLines = (rows: readonly VerifyRow[], status: VerifyStatus, width: number): readonly Line[] => {
  const concerned = rows.filter((row) => row.status === status)
  if (concerned.length === 0) return []
  const { symbol, tone, means } = WORDS[status]
  const rest = concerned.length - SHOWN
  return [
    blank,
    line(4, ['bold', `${count(concerned.length)} ${status}`], ['dim', `   ${means}`]),
    ...concerned
      .slice(0, SHOWN)
      .flatMap((row) => [
        line(4, '  ', [tone, symbol], ` ${cut(harmless(row.device), width - 4)}`),
        ...(row.reasons ?? []).map((reason) => line(6, '      ', ['dim', harmless(reason)])),
        ...differenceLines(row, width),
      ]),
    ...(rest > 0 ? [line(4, `  and ${count(rest)} more: --format json`)] : []),
  ]
}

/** What a comparison found: what is wrong in detail, what is well as a number; the last line is the sum. */
export const renderVerifyReport = (
  rows: readonly VerifyRow[],
  options: TextOptions = {},
  gateways: readonly GatewayRow[] = [],
): string => {
  const { width, style } = textOptions(options)
  const bad = countOf(rows, 'differs') + countOf(rows, 'missing')
  const silent = countOf(rows, 'silent')
  const open = PASSING.some((status) => countOf(rows, status) > 0)
  // What a crossing passes through is told where there is some, what it comes to always.
  const told = VERIFY_STATUSES.filter((status) => !PASSING.includes(status) || countOf(rows, status) > 0)
  const sums = told.map((status) => `${count(countOf(rows, status))} ${status}`)
  const [tone, verdict]: readonly [Tone, string] =
    countOf(rows, HELD_BY_ESCROW) > 0
      ? ['red', 'HELD BY ESCROW']
      : bad > 0
        ? ['red', 'DIFFERENCES']
        : silent > 0
          ? ['yellow', 'SILENT DEVICES']
          : open
            ? ['yellow', 'NOT ALL HEARD']
            : ['green', 'VERIFIED']
  const details = (
    [HELD_BY_ESCROW, 'missing', 'differs', 'unfinished', 'silent', 'joining', 'waiting'] as const
  ).flatMap((status) => rowLines(rows, status, width))
  const connections = gatewayRowLines(gateways)
  return renderLines(
    [
      ...connections,
      ...(connections.length === 0 ? [] : [blank]),
      ...details.slice(1),
      ...(details.length === 0 ? [] : [blank]),
      line(2, [tone, verdict], `  ${devices(rows.length)}: ${sums.join(', ')}.`),
    ],
    width,
    style,
  )
}

/** The same as one JSON document. */
export const renderVerifyReportJson = (
  rows: readonly VerifyRow[],
  gateways: readonly GatewayRow[] = [],
): string =>
  `${harmlessJson({
    format_version: JSON_FORMAT_VERSION,
    kind: 'verify',
    summary: {
      devices: rows.length,
      ...Object.fromEntries(VERIFY_STATUSES.map((status) => [status, countOf(rows, status)])),
    },
    ...(gateways.length === 0 ? {} : { gateways: gateways.map(gatewayRowJson) }),
    devices: rows.map((row) => ({
      device: row.device,
      status: row.status,
      ...(row.reasons === undefined ? {} : { reasons: [...row.reasons] }),
      differences: row.differences.map(fieldJson),
    })),
  })}\n`

import type { RollbackLoss, RollbackRow, RollbackStatus, RolledBack } from '../domain/rollback.ts'
import { ROLLBACK_LOSSES } from '../domain/rollback.ts'
import { harmless, harmlessJson, shellWord } from './escape.ts'
import { examplesOf } from './findings.ts'
import { JSON_FORMAT_VERSION } from './json.ts'
import { blank, type Line, line, renderLines, type Tone } from './layout.ts'
import { errorJson } from './status.ts'
import { type TextOptions, textOptions } from './text.ts'
import { count, devices, plural } from './words.ts'

const LOSS_WORDS: Readonly<Record<RollbackLoss, (number: number) => string>> = {
  'joins-again': (number) =>
    `${plural(number, 'joined the target and has', 'joined the target and have')} to join again on the source: silent until then`,
  'registered-anew': (number) =>
    `${plural(number, 'is', 'are')} registered anew on the source from the escrow: what it stored besides is gone`,
  'reset-stays': (number) =>
    `${plural(number, 'was', 'were')} reset: the source refuses frames until the counter is above its own, or resets_f_cnt is set there`,
  'downlinks-copied': (number) =>
    `${plural(number, 'loses', 'lose')} what was queued on the target; it still waits on the source where it was copied from`,
  'windows-stay': (number) =>
    `${plural(number, 'may listen', 'may listen')} as the target has told ${plural(number, 'it', 'them')}, which a Stack V2 does not know: what it sends is not heard until ${plural(number, 'it has', 'they have')} joined again`,
  'started-by-hand': (number) =>
    `${plural(number, 'was', 'were')} stopped by hand where ${plural(number, 'it was', 'they were')} served before: no network serves ${plural(number, 'it', 'them')} until ${plural(number, 'it is', 'they are')} started there`,
}

const listed = (names: readonly string[]): string => examplesOf(names).map(harmless).join(', ')

const lossLines = (rows: readonly Pick<RollbackRow, 'device' | 'losses'>[]): readonly Line[] =>
  ROLLBACK_LOSSES.flatMap((loss) => {
    const concerned = rows.filter(({ losses }) => losses.includes(loss)).map(({ device }) => device)
    if (concerned.length === 0) return []
    return [
      line(4, `  ${devices(concerned.length)} ${LOSS_WORDS[loss](concerned.length)}`),
      line(4, `    ${listed(concerned)}`),
    ]
  })

const leftLines = (rows: readonly Pick<RollbackRow, 'device' | 'because'>[]): readonly Line[] => {
  const reasons = [...new Set(rows.map(({ because }) => because ?? ''))]
  return reasons.flatMap((reason) => {
    const group = rows.filter(({ because }) => (because ?? '') === reason).map(({ device }) => device)
    return [line(4, `  ${count(group.length)}: ${reason}`), line(4, `    ${listed(group)}`)]
  })
}

/** What a rollback would do, before it is confirmed. */
export const renderRollbackPlan = (rows: readonly RollbackRow[], options: TextOptions = {}): string => {
  const { width, style } = textOptions(options)
  const due = rows.filter(({ action }) => action !== 'leave')
  const left = rows.filter(({ action }) => action === 'leave')
  const losses = lossLines(due)
  return renderLines(
    [
      line(
        0,
        `${devices(due.length)} to take back: muted on the target, given back to the source with what the target has counted, deleted on the target`,
      ),
      ...(due.length === 0 ? [] : [line(2, `  ${listed(due.map(({ device }) => device))}`)]),
      ...(losses.length === 0 ? [] : [blank, line(0, ['bold', 'What does not come back']), ...losses]),
      ...(left.length === 0 ? [] : [blank, line(0, ['bold', 'Left as they are']), ...leftLines(left)]),
    ],
    width,
    style,
  )
}

const STATUSES: readonly (readonly [RollbackStatus, Tone | undefined, string])[] = [
  ['undone', 'green', 'the source serves them again; what we made on the target is gone'],
  ['left', undefined, 'left as they are'],
  ['skipped', 'yellow', 'not begun; run again'],
  ['failed', 'red', 'half-way; run again'],
]

/** How a rollback ended. `plan` as the user gave it, for the command that goes on. */
export const renderRolledBack = (
  rows: readonly RolledBack[],
  plan: string,
  options: TextOptions = {},
): string => {
  const { width, style } = textOptions(options)
  const of = (status: RollbackStatus): readonly RolledBack[] => rows.filter((row) => row.status === status)
  const open = of('failed').length + of('skipped').length
  const failed = of('failed').flatMap(({ device, error }) => [
    line(4, `  ${harmless(device)}  ${harmless(error?.code ?? '')}: ${harmless(error?.message ?? '')}`),
    ...(error?.hint === undefined ? [] : [line(4, `    fix: ${harmless(error.hint)}`)]),
  ])
  return renderLines(
    [
      ...STATUSES.flatMap(([status, tone, means]) => {
        const number = of(status).length
        if (number === 0) return []
        const word = status.padEnd(8)
        return [line(4, '  ', tone === undefined ? word : [tone, word], ` ${count(number)}  ${means}`)]
      }),
      ...(failed.length === 0 ? [] : [blank, line(0, ['bold', 'Failed, and why']), ...failed]),
      ...(open === 0 ? [] : [blank, line(0, `next    ferry rollback ${shellWord(plan)}`)]),
      line(
        0,
        open === 0 ? ['green', 'ROLLED BACK'] : ['yellow', 'PARTLY ROLLED BACK'],
        `  ${devices(rows.length)}: ${count(of('undone').length)} undone, ${count(of('left').length)} left, ${count(open)} to go on with.`,
      ),
    ],
    width,
    style,
  )
}

/** One document for programs: kind `rollback`, every device with status, losses and error. */
export const renderRolledBackJson = (rows: readonly RolledBack[]): string =>
  `${harmlessJson({
    format_version: JSON_FORMAT_VERSION,
    kind: 'rollback',
    devices: rows.map(({ device, target, status, because, losses, error }) => ({
      device,
      target,
      status,
      ...(because === undefined ? {} : { because }),
      losses,
      ...(error === undefined ? {} : { error: errorJson(error) }),
    })),
  })}\n`

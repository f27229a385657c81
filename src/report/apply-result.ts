import type { ApplicationFailure } from '../domain/application.ts'
import type { ApplyCounts, DeviceResultStatus } from '../domain/events.ts'
import type { GatewayResult } from '../domain/gateway.ts'
import { type ErrorRecord, NOT_CONFIRMED } from '../domain/journal.ts'
import { harmless, harmlessJson, shellWord } from './escape.ts'
import { examplesOf } from './findings.ts'
import { JSON_FORMAT_VERSION } from './json.ts'
import { blank, type Line, line, renderLines, type Tone } from './layout.ts'
import { errorJson } from './status.ts'
import { type TextOptions, textOptions } from './text.ts'
import { padEnd, padStart } from './width.ts'
import { count, devices, plural } from './words.ts'

/** A device that is not finished. */
interface LeftDevice {
  readonly device: string
  readonly status: DeviceResultStatus
  readonly error?: ErrorRecord
}

export interface ApplyResult {
  readonly counts: ApplyCounts
  /** Devices that are not finished, with why. */
  readonly left: readonly LeftDevice[]
  /** Why the run ended early, where it did, such as `more than 5 % failed` or `interrupted`. */
  readonly stopped?: string
  /** Devices of a wave that have to be heard before others begin. */
  readonly gate?: {
    readonly wave: string
    readonly heard: number
    readonly of: number
    readonly needed: number
  }
  /** When the change window opens, where it held something back; ISO 8601, UTC. */
  readonly opensAt?: string
  /** As the user gave it; for the command that continues. */
  readonly plan: string
  /** What was applied, where it is not the plan. */
  readonly file?: string
  /** Devices that the target has not heard, where another run would do nothing before it has. */
  readonly unheard?: number
  /** Devices that are deleted on the source and not on the target yet: no network serves them. */
  readonly heldByEscrow?: readonly string[]
  /** Registrations that were written, or could not be. */
  readonly gateways?: readonly GatewayResult[]
  /** Parts of the application that could not be written. */
  readonly around?: readonly ApplicationFailure[]
}

interface StatusWords {
  readonly status: DeviceResultStatus
  readonly tone?: Tone
  readonly means: string
}

const FINISHED: readonly StatusWords[] = [
  { status: 'migrated', tone: 'green', means: 'every step that the plan wants is done' },
  { status: 'updated', tone: 'green', means: 'settings on the target are as the plan wants them' },
  { status: 'adopted', tone: 'green', means: 'were there and equal, now recorded' },
  { status: 'skipped', means: 'nothing to do, or left out' },
]

const OPEN: readonly StatusWords[] = [
  {
    status: 'waiting',
    tone: 'yellow',
    means: 'on the target; to be heard there, or their time has not come',
  },
  { status: 'deferred', tone: 'yellow', means: 'left as they are for now, a later run goes on' },
  { status: 'stale', tone: 'yellow', means: 'changed since the plan was made; plan again' },
  { status: 'failed', tone: 'red', means: 'taken back, or left where the next run goes on' },
  { status: 'blocked', tone: 'red', means: 'left alone until a person acts' },
]

/** Devices that a later run goes on with by itself. */
const resumable = (counts: ApplyCounts): number =>
  counts.waiting + counts.deferred + counts.stale + counts.failed

const sum = (counts: ApplyCounts): number =>
  Object.values(counts).reduce((total, number) => total + number, 0)

const countLines = (counts: ApplyCounts): readonly Line[] => {
  const width = count(sum(counts)).length
  return [...FINISHED, ...OPEN]
    .filter(({ status }) => counts[status] > 0)
    .map(({ status, tone, means }) => {
      const label = padEnd(status, 8)
      return line(
        14 + width,
        '  ',
        tone === undefined ? label : [tone, label],
        `  ${padStart(count(counts[status]), width)}  `,
        ['dim', means],
      )
    })
}

interface Cause {
  readonly error: ErrorRecord
  readonly devices: readonly string[]
  /** Not all devices have the same message: that of the first is shown. */
  readonly differs: boolean
}

const causesOf = (left: readonly LeftDevice[]): readonly Cause[] => {
  const causes = new Map<string, { error: ErrorRecord; devices: string[]; differs: boolean }>()
  for (const { device, error } of left) {
    if (error === undefined) continue
    const cause = causes.get(error.code) ?? { error, devices: [], differs: false }
    cause.devices.push(device)
    cause.differs ||= cause.error.message !== error.message
    causes.set(error.code, cause)
  }
  return [...causes.values()].sort(
    (a, b) => b.devices.length - a.devices.length || (a.error.code < b.error.code ? -1 : 1),
  )
}

/** Some of the devices, and how many more there are. */
const listed = (names: readonly string[]): string => {
  const shown = examplesOf(names).map(harmless)
  const more = names.length - shown.length
  return `${shown.join(', ')}${more > 0 ? `, and ${count(more)} more` : ''}`
}

const causeLines = ({ error, devices: names, differs }: Cause): readonly Line[] => {
  return [
    line(
      4,
      '  ',
      ['red', harmless(error.code)],
      ` ${count(names.length)}: ${harmless(error.message)}${differs ? ' (the first; the others differ)' : ''}`,
    ),
    line(6, ['dim', `    ${listed(names)}`]),
    ...(error.hint === undefined ? [] : [line(9, `    fix: ${harmless(error.hint)}`)]),
  ]
}

/** Before all else: nothing that a run ends with is more urgent. */
const heldLines = ({ heldByEscrow = [], plan, file = plan }: ApplyResult): readonly Line[] => {
  const number = heldByEscrow.length
  if (number === 0) return []
  const them = plural(number, 'it', 'them')
  return [
    line(
      2,
      ['red', `${devices(number)} ${plural(number, 'is', 'are')} on no network`],
      `: deleted on the source, not created on the target yet. The escrow alone holds ${them}; keep it, and do not delete the state.`,
    ),
    line(4, ['dim', `  ${listed(heldByEscrow)}`]),
    line(
      8,
      `  now   ferry apply ${shellWord(file)}   creates ${them} on the target, or gives ${them} back to the source`,
    ),
    blank,
  ]
}

const nextLine = ({ counts, plan, file = plan, unheard = 0, heldByEscrow = [], left }: ApplyResult): Line => {
  const word = shellWord(plan)
  if (left.length > 0 && left.every(({ error }) => error?.code === NOT_CONFIRMED)) {
    const means = `once ${plural(left.length, 'it is', 'they are')} stopped where ${plural(left.length, 'it is', 'they are')} served`
    return line(8, 'next    ', `ferry apply ${shellWord(file)} --confirm-handover   ${means}`)
  }
  if (unheard > 0 && heldByEscrow.length === 0) {
    const means = `waits until ${devices(unheard)} ${plural(unheard, 'is', 'are')} heard; then ferry apply goes on`
    return line(8, 'next    ', `ferry verify ${word} --wait 2h   ${means}`)
  }
  const open = resumable(counts)
  if (open > 0) {
    return line(
      8,
      'next    ',
      `ferry apply ${shellWord(file)}   goes on with ${devices(open)}; ferry status ${word} tells where each is`,
    )
  }
  return counts.blocked > 0
    ? line(
        8,
        'next    ',
        `ferry status ${word}   tells why ${plural(counts.blocked, 'it is', 'they are')} blocked`,
      )
    : line(8, 'next    ', `ferry verify ${word}   compares the target with the plan`)
}

const verdictSpan = ({ counts, stopped, heldByEscrow = [] }: ApplyResult): readonly [Tone, string] =>
  heldByEscrow.length > 0
    ? ['red', 'HELD BY ESCROW']
    : stopped !== undefined
      ? ['red', 'STOPPED']
      : resumable(counts) > 0
        ? ['yellow', 'PARTLY DONE']
        : counts.blocked > 0
          ? ['yellow', 'DONE, BUT BLOCKED DEVICES']
          : ['green', 'DONE']

/** The end of an apply: what no network serves, counts, why devices are left, the command that continues; the last line is the sum. */
export const renderApplyResult = (result: ApplyResult, options: TextOptions = {}): string => {
  const { width, style } = textOptions(options)
  const causes = causesOf(result.left)
  const { counts } = result
  const finished = FINISHED.reduce((total, { status }) => total + counts[status], 0)
  return renderLines(
    [
      ...heldLines(result),
      ...countLines(counts),
      ...(causes.length === 0
        ? []
        : [blank, line(0, ['bold', 'Left, and why']), ...causes.flatMap(causeLines)]),
      ...(result.stopped === undefined
        ? []
        : [blank, line(2, ['red', 'Stopped'], `: ${harmless(result.stopped)}. The state is safe.`)]),
      ...(sum(counts) === 0 ? [] : [blank]),
      nextLine(result),
      line(
        2,
        verdictSpan(result),
        `  ${devices(sum(counts))}: ${count(finished)} finished, ${count(resumable(counts))} to go on with, ${count(counts.blocked)} blocked.`,
      ),
    ],
    width,
    style,
  )
}

/** The same as one JSON document. */
export const renderApplyResultJson = (result: ApplyResult): string =>
  `${harmlessJson({
    format_version: JSON_FORMAT_VERSION,
    kind: 'apply',
    verdict: verdictSpan(result)[1].toLowerCase().replaceAll(',', '').replaceAll(' ', '_'),
    stopped: result.stopped ?? null,
    gate: result.gate ?? null,
    opens_at: result.opensAt ?? null,
    held_by_escrow: result.heldByEscrow ?? [],
    summary: { devices: sum(result.counts), ...result.counts },
    ...(result.gateways === undefined
      ? {}
      : {
          gateways: result.gateways.map(({ gateway, target, status, error }) => ({
            gateway,
            target,
            status,
            error: error === undefined ? null : errorJson(error),
          })),
        }),
    ...(result.around === undefined
      ? {}
      : {
          not_carried: result.around.map(({ part, id, error }) => ({
            part,
            id: id ?? null,
            error: errorJson(error),
          })),
        }),
    left: result.left.map((device) => ({
      device: device.device,
      status: device.status,
      error: device.error === undefined ? null : errorJson(device.error),
    })),
  })}\n`

import type { DeviceResultStatus, FerryEvent } from '../domain/events.ts'
import type { Side } from '../domain/journal.ts'
import { harmless } from './escape.ts'
import { cut } from './width.ts'
import { count, devices, duration } from './words.ts'

/** Milliseconds between two lines where the output is no terminal. */
const LINE_EVERY_MS = 30_000

/** What is known of a run from its events. Times are milliseconds of a clock that the caller has. */
export interface ProgressView {
  readonly phase: 'starting' | 'reading' | 'applying' | 'stopping' | 'done'
  readonly startedAt: number
  readonly reading: { readonly [S in Side]?: number }
  /** Single devices that were read, of how many, and when that began. */
  readonly read?: { readonly devices: number; readonly of: number; readonly since: number }
  /** When the listings were last heard of. */
  readonly listedAt?: number
  /** Devices to apply, and how many have ended so far. */
  readonly total: number
  readonly ended: number
  readonly ok: number
  readonly waiting: number
  readonly failed: number
  /** Devices that the target was found to have heard, in this run. */
  readonly heard: number
  readonly wave?: string
  readonly slow?: {
    readonly side: Side
    readonly reason: string
    readonly waitMs: number
    readonly until: number
  }
  readonly stopping?: string
  /** When the last line for a non-terminal was due. */
  readonly toldAt?: number
}

export const startProgress = (now: number): ProgressView => ({
  phase: 'starting',
  startedAt: now,
  reading: {},
  total: 0,
  ended: 0,
  ok: 0,
  waiting: 0,
  failed: 0,
  heard: 0,
})

type Tally = 'ok' | 'waiting' | 'failed'

const TALLY: Readonly<Record<DeviceResultStatus, Tally>> = {
  migrated: 'ok',
  updated: 'ok',
  adopted: 'ok',
  skipped: 'ok',
  waiting: 'waiting',
  deferred: 'waiting',
  failed: 'failed',
  stale: 'failed',
  blocked: 'failed',
}

/** The view after one more event. */
export const advanceProgress = (view: ProgressView, event: FerryEvent, now: number): ProgressView => {
  switch (event.event) {
    case 'reading.started':
      return { ...view, phase: 'reading', reading: { ...view.reading, [event.side]: 0 } }
    case 'reading.devices': {
      const { devices: read, of } = event
      return { ...view, read: { devices: read, of, since: view.read?.since ?? view.listedAt ?? now } }
    }
    case 'reading.progress':
    case 'reading.done':
      return { ...view, listedAt: now, reading: { ...view.reading, [event.side]: event.devices } }
    case 'apply.started':
      return { ...startProgress(now), phase: 'applying', total: event.devices }
    case 'wave.started':
      return { ...view, wave: event.wave }
    case 'device.done': {
      const tally = TALLY[event.status]
      return { ...view, ended: view.ended + 1, [tally]: view[tally] + 1 }
    }
    case 'network.slow':
      return {
        ...view,
        slow: { side: event.side, reason: event.reason, waitMs: event.waitMs, until: now + event.waitMs },
      }
    case 'apply.stopping':
      return { ...view, phase: 'stopping', stopping: event.reason }
    case 'apply.done':
      return { ...view, phase: 'done' }
    case 'step.done':
      return event.step === 'hear' ? { ...view, heard: view.heard + 1 } : view
    case 'step.failed':
      return view
  }
}

/** Share that must be done before a rest of the time is guessed. */
const GUESS_FROM = 0.01

const etaOf = (done: number, of: number, since: number, now: number): string => {
  if (of === 0 || done < Math.max(1, of * GUESS_FROM) || done >= of) return ''
  return `ETA ${duration(((now - since) / done) * (of - done))}`
}

/** Devices a second so far, or a minute where that is less than one. */
const rateOf = (done: number, since: number, now: number): string => {
  const seconds = (now - since) / 1000
  if (done === 0 || seconds < 1) return ''
  const each = done / seconds
  return each >= 10
    ? `${each.toFixed(0)}/s`
    : each >= 1
      ? `${each.toFixed(1)}/s`
      : `${(each * 60).toFixed(1)}/min`
}

const slowOf = ({ slow }: ProgressView, now: number): string =>
  slow === undefined || slow.until <= now
    ? ''
    : `throttled: ${slow.side} ${harmless(slow.reason)}, ${duration(slow.until - now)}`

/** Listings first, then the devices one by one, which takes far longer. */
const readingParts = (view: ProgressView, now: number): readonly string[] => {
  const { read } = view
  if (read === undefined) return ['Read', readingOf(view)]
  return [`Read ${count(read.devices)}/${devices(read.of)}`, etaOf(read.devices, read.of, read.since, now)]
}

const readingOf = ({ reading }: ProgressView): string =>
  (['source', 'target'] as const)
    .flatMap((side) => {
      const number = reading[side]
      return number === undefined ? [] : [`${side} ${devices(number)}`]
    })
    .join(', ')

/** One line without line end, such as `Apply 829/8,292 10.0 % | ok 12 heard 12 wait 814 fail 3 | 3.0/s | ETA 41 min`. */
export const progressLine = (view: ProgressView, now: number): string => {
  if (view.phase === 'starting') return 'Asking the networks'
  if (view.phase === 'reading') {
    return [...readingParts(view, now), slowOf(view, now)].filter((part) => part !== '').join(' | ')
  }
  const share = view.total === 0 ? 100 : (view.ended / view.total) * 100
  return [
    `Apply ${count(view.ended)}/${count(view.total)} ${share.toFixed(1)} %${view.wave === undefined ? '' : ` ${harmless(view.wave)}`}`,
    `ok ${count(view.ok)} heard ${count(view.heard)} wait ${count(view.waiting)} fail ${count(view.failed)}`,
    view.phase === 'stopping' ? `stopping: ${harmless(view.stopping ?? '')}` : '',
    slowOf(view, now),
    rateOf(view.ended, view.startedAt, now),
    view.phase === 'stopping'
      ? ''
      : view.phase === 'done'
        ? `took ${duration(now - view.startedAt)}`
        : etaOf(view.ended, view.total, view.startedAt, now),
  ]
    .filter((part) => part !== '')
    .join(' | ')
}

/** Columns of the bar, with its ends; and how wide a terminal has to be to have one. */
const BAR = 12
const WIDE_ENOUGH = 100

/** Plain characters, for every terminal has them: `[####......] `. */
const barOf = ({ phase, ended, total }: ProgressView): string => {
  if ((phase !== 'applying' && phase !== 'stopping') || total === 0) return ''
  const full = Math.floor((ended / total) * (BAR - 2))
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - 2 - full)}] `
}

/** The line for a terminal of so many columns: it never wraps, so that it can be written over. */
export const terminalLine = (view: ProgressView, now: number, width: number): string =>
  cut(`${width >= WIDE_ENOUGH ? barOf(view) : ''}${progressLine(view, now)}`, Math.max(1, width - 1))

/**
 * For an output that is no terminal: the line, if one is due, and the view that remembers it. Due are the first
 * call, every 30 s after, and the end.
 */
export const dueLine = (
  view: ProgressView,
  now: number,
): { readonly line: string | undefined; readonly view: ProgressView } => {
  const isDue = view.toldAt === undefined || now - view.toldAt >= LINE_EVERY_MS || view.phase === 'done'
  return isDue ? { line: progressLine(view, now), view: { ...view, toldAt: now } } : { line: undefined, view }
}

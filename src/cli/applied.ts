import {
  type ApplyCounts,
  type ApplyResult,
  type DeviceResultStatus,
  isHeldByEscrow,
  type Planned,
} from '../index.ts'
import type { ApplyResult as Report } from '../report/apply-result.ts'
import { shellWord } from '../report/escape.ts'
import type { End } from './exit-codes.ts'
import { counted } from './plan-file.ts'
import type { Output } from './shell.ts'
import { tell } from './tell.ts'

type Progress = Parameters<Planned['state']['progress']['set']>[1]
type ProgressMap = ReadonlyMap<string, Progress>

export interface AppliedFiles {
  /** What was applied, as it was given: a plan, or a change set. */
  readonly file: string
  readonly plan: string
}

/** How many devices have a source that was stopped, and a target that does not speak yet. */
export const silentDevices = (progress: ProgressMap): number =>
  [...progress.values()].filter(
    ({ sourceScheduling, unmutedAt }) => sourceScheduling !== undefined && unmutedAt === undefined,
  ).length

const heldByEscrow = (progress: ProgressMap): readonly string[] =>
  [...progress.values()].filter(isHeldByEscrow).map(({ device }) => device)

/** Nothing that a run ends with is more urgent. */
export const tellSilent = (output: Output, devices: number, file: string): void => {
  if (devices === 0) return
  tell(
    output,
    'error',
    `${counted(devices, 'device is', 'devices are')} answered by no network until you run it again: ferry apply ${shellWord(file)}`,
  )
}

/** What a later run goes on with by itself; `skipped` are devices that this run did not come to. */
const OPEN = ['waiting', 'deferred', 'stale', 'failed', 'skipped'] as const

/** How a run ended: partly while a later run has something to go on with, blocked where only a person can. */
export const appliedEnd = (counts: ApplyCounts): End => {
  if (OPEN.some((status) => counts[status] > 0)) return 'partial'
  return counts.blocked > 0 ? 'blocked' : 'done'
}

const LEFT: readonly DeviceResultStatus[] = [...OPEN, 'blocked']

/** A gate and a window are told by themselves: they are no fault. */
const STOPPED = {
  gate: undefined,
  window: undefined,
  failures: 'more devices failed than rollout.maxFailures allows',
  interrupted: 'interrupted',
} as const

/** The result as the report shows it; a device that the run did not come to is one that is left for later. */
export const appliedReport = (
  result: ApplyResult,
  { file, plan }: AppliedFiles,
  progress: ProgressMap,
): Report => {
  const { counts } = result
  const others = OPEN.some((status) => status !== 'waiting' && counts[status] > 0)
  const unheard = result.devices.filter(
    ({ device, status }) => status === 'waiting' && progress.get(device)?.heard === undefined,
  ).length
  const stopped = result.stopped === undefined ? undefined : STOPPED[result.stopped.by]
  const held = heldByEscrow(progress)
  return {
    counts: { ...counts, skipped: 0, deferred: counts.deferred + counts.skipped },
    left: result.devices
      .filter((device) => LEFT.includes(device.status))
      .map(({ device, status, error }): Report['left'][number] => ({
        device,
        status: status === 'skipped' ? 'deferred' : status,
        ...(error === undefined ? {} : { error }),
      })),
    plan,
    file,
    ...(unheard > 0 && (!others || result.stopped?.by === 'gate') ? { unheard } : {}),
    ...(stopped === undefined ? {} : { stopped }),
    ...(result.stopped?.by === 'gate' ? { gate: result.stopped.gate } : {}),
    ...(result.stopped?.by === 'window' ? { opensAt: result.stopped.opensAt } : {}),
    ...(held.length === 0 ? {} : { heldByEscrow: held }),
  }
}

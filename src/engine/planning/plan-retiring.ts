import type { Action, DeviceChange } from '../../domain/change-set.ts'
import type { DeviceRecord } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { RETIRE_STEPS, type Route } from '../../domain/journal.ts'
import type { Policy } from '../../domain/migration-plan.ts'
import { euisOf } from '../device/euis.ts'
import { registriesOf } from '../device/records.ts'
import { joinsAnew } from '../device/route.ts'
import { isHeard, isResetHeard } from '../progress/heard.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { changeBegun, isHeldByEscrow, isLetGo, isSourceEnding, isUnderWay } from '../progress/standing.ts'
import { crossingSteps, retireDue, type StopsBy, stepsLeft } from '../progress/steps.ts'

export interface RetiringInput {
  readonly progress: DeviceProgress
  readonly target: DeviceRecord
  readonly policy: Policy
  readonly retireAfter: number
  readonly now: Date
  readonly stopsBy: StopsBy
}

/**
 * The change of a device whose source is being deleted, or is gone: what is left follows from the state and the
 * target alone. A source that others deleted while our target was still muted needs a person.
 */
export const planRetiring = (input: RetiringInput): DeviceChange => {
  const { progress, target, policy, retireAfter, now, stopsBy } = input
  const base = changeBegun(progress)
  const act = (
    action: Action,
    left: ReturnType<typeof stepsLeft>,
    findings: readonly Diagnostic[] = [],
  ): DeviceChange => ({
    ...base,
    action,
    fields: [],
    steps: left.now,
    later: left.later,
    findings,
  })
  const nothing = { now: [], later: [] }
  if (progress.rollbackAt !== undefined) return rollingBack(progress)
  const goneByOthers = !isSourceEnding(progress)
  // Nothing is on either network: the escrow alone has it, and the import goes on from there.
  const isHeld = isHeldByEscrow(progress)
  if (progress.route === undefined || (goneByOthers && !isUnderWay(progress))) return act('gone', nothing)
  if (goneByOthers && !isLetGo(progress)) return act('blocked', nothing, [sourceGone(progress.device)])
  if (!isHeld && registriesOf(target).length === 0)
    return act('blocked', nothing, [bothGone(progress.device)])
  const heard = isHeard(progress, target.registries['network-server'])
  const steps = crossingSteps({
    stopsBy,
    route: progress.route,
    handover: progress.handover,
    // What joins has keys to write, unless they are another operator's.
    hasJoinServer: isHeld ? isJoining(progress.route) : progress.steps['set-join'] !== undefined,
    policy,
  })
  const left = stepsLeft(steps, progress, {
    heard,
    retire: isSourceEnding(progress) || retireDue(progress, policy, retireAfter, now),
    triggerSent: true,
    resetHeard: isResetHeard(progress, target.registries['network-server']),
  })
  if (goneByOthers) {
    // Nothing is left to do on a source that is gone.
    const onTarget = left.now.filter((step) => step === 'unmute-target' || step === 'hear')
    const waits = left.later.includes('hear')
    return act(onTarget.length > 0 ? 'resume' : waits ? 'wait' : 'done', {
      now: onTarget,
      later: waits ? ['hear'] : [],
    })
  }
  // A source that was cleared may be left as it is then.
  const isRetiring =
    isLetGo(progress) &&
    progress.route !== 'multicast' &&
    progress.handover === undefined &&
    left.now.some((step) => RETIRE_STEPS.some((each) => each === step))
  if (left.now.length > 0) return act(isRetiring ? 'retire' : 'resume', left)
  return act(left.later.length > 0 ? 'wait' : 'done', left)
}

/** Half-way back: only the rollback itself may go on with it. */
export const rollingBack = (progress: DeviceProgress): DeviceChange => ({
  device: progress.device,
  target: progress.target,
  ...euisOf(progress),
  action: 'blocked',
  fields: [],
  steps: [],
  later: [],
  findings: [
    {
      code: 'RollbackBegun',
      severity: 'error',
      message: 'a rollback of it has begun and has not ended',
      hint: 'run ferry rollback again to finish it',
      subject: { device: progress.device },
    },
  ],
})

const isJoining = (route: Route): boolean => route === 'session-kept' || joinsAnew(route)

const sourceGone = (device: string): Diagnostic => ({
  code: 'SourceGone',
  severity: 'error',
  message:
    'somebody deleted it on the source while it was crossing; the target holds it muted, the escrow holds its keys',
  hint: 'restore it on the source (ferry escrow restore), or unmute it on the target by hand',
  subject: { device },
})

const bothGone = (device: string): Diagnostic => ({
  code: 'VanishedFromTarget',
  severity: 'error',
  message: 'it is gone from the source and from the target; its keys are in the escrow',
  hint: 'ferry escrow restore',
  subject: { device },
})

import { RETIRE_STEPS, type Route, type StepName } from '../../domain/journal.ts'
import type { Policy } from '../../domain/migration-plan.ts'
import { keepsKeys, keepsSession } from '../device/route.ts'
import type { DeviceProgress } from './progress.ts'
import { stepDone } from './progress.ts'

export interface StepChoice {
  readonly route: Route
  /** A Join Server of the source holds the device (it is not another operator's). */
  readonly hasJoinServer: boolean
  readonly policy: Pick<Policy, 'deleteSource' | 'preventRejoin'>
}

/**
 * The steps of `handover: stop-first` for one device, in order (ARCHITECTURE.md tells why in this order): keys are
 * safe before the target is written, the target is complete and muted before the source is stopped, and the target
 * speaks only when the source is silent. The Application Server is set before the Network Server, or uplinks in
 * between would be lost.
 */
export const crossingSteps = (choice: StepChoice): readonly StepName[] => {
  const { route, policy, hasJoinServer } = choice
  const steps: StepName[] = ['escrow', 'create-identity']
  if (hasJoinServer) steps.push('set-join')
  steps.push('set-application', 'set-network', 'compare', 'stop-source', 'read-again')
  if (keepsKeys(route)) steps.push('final-network')
  if (keepsSession(route)) steps.push('final-start-time')
  if (hasJoinServer) steps.push('final-join')
  if (keepsKeys(route)) steps.push('final-application')
  const retire = RETIRE_STEPS.filter((step) => step !== 'delete-join' || hasJoinServer)
  if (policy.deleteSource === 'after-import') steps.push(...retire)
  steps.push('unmute-target', 'hear')
  if (
    hasJoinServer &&
    policy.preventRejoin === 'replace-root-keys' &&
    policy.deleteSource !== 'after-import'
  ) {
    steps.push('prevent-rejoin')
  }
  if (policy.deleteSource === 'after-heard') steps.push(...retire)
  return steps
}

export interface StepsLeft {
  /** To be done now, in order. */
  readonly now: readonly StepName[]
  /** After the device was heard, or when its time has come. */
  readonly later: readonly StepName[]
}

/**
 * What is left of a crossing. `heard` is whether the target has heard the device by now, `retireDue` whether the
 * time that `verify.retireAfter` asks for has passed since. Being heard is looked at once when the target was let
 * go; after that only the device can hasten it.
 */
export const stepsLeft = (
  steps: readonly StepName[],
  progress: DeviceProgress | undefined,
  heard: boolean,
  retireDue: boolean,
): StepsLeft => {
  const hearAt = steps.indexOf('hear')
  const isDue = (step: StepName, index: number): boolean => {
    if (step === 'hear') return heard || progress?.unmutedAt === undefined
    if (index < hearAt) return true
    return heard && (step === 'prevent-rejoin' || retireDue)
  }
  const now: StepName[] = []
  const later: StepName[] = []
  for (const [index, step] of steps.entries()) {
    if (!stepDone(progress, step)) (isDue(step, index) ? now : later).push(step)
  }
  return { now, later }
}

/** Whether the time from being heard to the delete of the source has passed (`verify.retireAfter`, milliseconds). */
export const retireDue = (
  progress: DeviceProgress | undefined,
  policy: Pick<Policy, 'deleteSource'>,
  retireAfter: number,
  now: Date,
): boolean =>
  policy.deleteSource === 'after-heard' &&
  progress?.heard !== undefined &&
  now.getTime() - Date.parse(progress.heard.at) >= retireAfter

import { isDelete, RETIRE_STEPS, type Route, type StepName } from '../../domain/journal.ts'
import type { Policy } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'
import { isReprogrammed, keepsKeys, keepsSession } from '../device/route.ts'
import type { DeviceProgress } from './progress.ts'
import { isLetGo, stepDone } from './standing.ts'

/** A network is muted, or loses the keys; whoever serves the devices of a file is stopped by a person, who says so. */
export type StopsBy = 'muting' | 'clearing' | 'hand'

export const stopsBy = ({
  clearing,
  stoppedByHand,
}: Pick<NetworkPort, 'clearing' | 'stoppedByHand'>): StopsBy =>
  stoppedByHand === true ? 'hand' : clearing === undefined ? 'muting' : 'clearing'

export interface StepChoice {
  readonly route: Route
  readonly stopsBy: StopsBy
  /** Absent for stop-first. */
  readonly handover?: 'delete-first' | undefined
  /** The target's Join Server gets the device (it is not another operator's, and the device joins). */
  readonly hasJoinServer: boolean
  readonly policy: Pick<Policy, 'deleteSource' | 'preventRejoin' | 'queuedDownlinks'>
}

/**
 * The steps of one device, in order (ARCHITECTURE.md tells why in this order). What all have in common: keys are safe
 * before anything is written, the target is complete before it speaks, and it speaks only when the source can not.
 */
export const crossingSteps = (choice: StepChoice): readonly StepName[] => {
  if (choice.stopsBy !== 'muting' && !isReprogrammed(choice.route)) {
    if (choice.stopsBy === 'hand') return confirmed(choice)
    return keepsKeys(choice.route) ? cleared(choice) : joiningElsewhere(choice)
  }
  switch (choice.route) {
    case 'multicast':
      return GROUP
    case 'joining-triggered':
      return triggered(choice)
    case 'otaa-reprogrammed':
    case 'abp-reprogrammed':
      return reprogrammed(choice)
    default:
      return choice.handover === 'delete-first' ? deleteFirst(choice) : stopFirst(choice)
  }
}

const when = (condition: boolean, ...steps: readonly StepName[]): readonly StepName[] =>
  condition ? steps : []

/** The Application Server is set before the Network Server, or uplinks in between would be lost. */
const registered = ({ hasJoinServer }: StepChoice): readonly StepName[] => [
  'create-identity',
  ...when(hasJoinServer, 'set-join'),
  'set-application',
  'set-network',
]

const retired = ({ hasJoinServer, stopsBy }: StepChoice): readonly StepName[] =>
  stopsBy === 'clearing'
    ? ['delete-identity']
    : RETIRE_STEPS.filter((step) => step !== 'delete-join' || hasJoinServer)

const waitsForQueue = ({ route, policy }: StepChoice): boolean =>
  policy.queuedDownlinks === 'wait-empty' && !isReprogrammed(route)

/** Source and target are different deployments: the source falls silent, then the target speaks. */
const stopFirst = (choice: StepChoice): readonly StepName[] => {
  const { route, policy, hasJoinServer } = choice
  const keepsKeysHere = keepsKeys(route)
  const deletesAtOnce = policy.deleteSource === 'after-import'
  return [
    ...when(waitsForQueue(choice), 'queue-empty'),
    'escrow',
    ...registered(choice),
    'compare',
    'stop-source',
    'read-again',
    ...when(keepsKeysHere, 'final-network'),
    ...when(keepsSession(route), 'final-start-time'),
    ...when(hasJoinServer, 'final-join'),
    ...when(keepsKeysHere, 'final-application'),
    ...when(policy.queuedDownlinks === 'copy' && keepsKeysHere, 'copy-downlinks'),
    ...when(deletesAtOnce, ...retired(choice)),
    'unmute-target',
    'hear',
    ...when(route === 'abp-reset', 'end-reset'),
    ...when(
      hasJoinServer && policy.preventRejoin === 'replace-root-keys' && !deletesAtOnce,
      'prevent-rejoin',
    ),
    ...when(policy.deleteSource === 'after-heard', ...retired(choice)),
  ]
}

/**
 * The source can not be muted: it serves the device until all is written, and loses the keys right before the target
 * speaks. What it counts in between is covered by a margin.
 */
const cleared = (choice: StepChoice): readonly StepName[] => [
  'escrow',
  ...registered(choice),
  'compare',
  'read-again',
  'final-network',
  ...when(keepsSession(choice.route), 'final-start-time'),
  'final-application',
  'clear-source',
  ...when(choice.policy.deleteSource === 'after-import', ...retired(choice)),
  'unmute-target',
  'hear',
  ...when(choice.route === 'abp-reset', 'end-reset'),
  ...when(choice.policy.deleteSource === 'after-heard', ...retired(choice)),
]

/**
 * As `cleared`, for a device that joins anew: another root key, or no device, and only the target accepts the join. The
 * session that the device has is served by the source until the device leaves it, if the source keeps the device.
 */
const joiningElsewhere = (choice: StepChoice): readonly StepName[] => [
  'escrow',
  ...registered(choice),
  'compare',
  ...(choice.policy.deleteSource === 'after-import'
    ? ['read-again' as const, ...retired(choice)]
    : ['prevent-rejoin' as const]),
  'unmute-target',
  'hear',
  ...when(choice.policy.deleteSource === 'after-heard', 'read-again', ...retired(choice)),
]

/**
 * The target is complete, and silent until a person says that the devices are stopped where they were served. The file is
 * read once more then: it may have been written anew with what was counted since.
 */
const confirmed = (choice: StepChoice): readonly StepName[] => {
  const { route } = choice
  return [
    'escrow',
    ...registered(choice),
    'compare',
    'confirm-handover',
    'read-again',
    ...when(keepsKeys(route), 'final-network'),
    ...when(keepsSession(route), 'final-start-time'),
    ...when(choice.hasJoinServer, 'final-join'),
    ...when(keepsKeys(route), 'final-application'),
    'unmute-target',
    ...when(route !== 'multicast', 'hear'),
    ...when(route === 'abp-reset', 'end-reset'),
  ]
}

/** Within one deployment EUIs are unique: the source is deleted before the target is created. */
const deleteFirst = (choice: StepChoice): readonly StepName[] => [
  ...when(waitsForQueue(choice), 'queue-empty'),
  'escrow',
  'check-import',
  'stop-source',
  'read-again',
  'check-escrow',
  ...retired(choice),
  ...registered(choice),
  ...when(keepsSession(choice.route), 'final-start-time'),
  'compare',
  'unmute-target',
  'hear',
  ...when(choice.route === 'abp-reset', 'end-reset'),
]

/**
 * A downlink of the source makes the device join. The source's root keys are replaced before the target speaks, so that
 * only the target accepts the join; the old session is served by the source until the device has left it.
 */
const triggered = (choice: StepChoice): readonly StepName[] => [
  'escrow',
  ...registered(choice),
  'compare',
  'prevent-rejoin',
  'final-join',
  'unmute-target',
  'queue-trigger',
  'trigger-sent',
  'hear',
  'stop-source',
  'read-again',
  ...when(choice.policy.deleteSource !== 'never', ...retired(choice)),
]

/** The device will be re-programmed: the source serves it with what it has now until the target has heard it. */
const reprogrammed = (choice: StepChoice): readonly StepName[] => [
  'escrow',
  'credentials',
  ...registered(choice),
  'compare',
  'unmute-target',
  'hear',
  ...when(choice.policy.deleteSource !== 'never', 'read-again', ...retired(choice)),
]

/**
 * A group is never heard. Both networks would send to it with one counter, so the source is deleted whatever the policy
 * says: its Application Server first, so that whoever goes on asking it is told.
 */
const GROUP: readonly StepName[] = [
  'escrow',
  'create-identity',
  'set-application',
  'set-network',
  'compare',
  'queue-empty',
  'stop-source',
  'read-again',
  'final-network',
  'final-start-time',
  'final-application',
  'delete-application',
  'delete-network',
  'unmute-target',
  'delete-identity',
]

export interface StepsLeft {
  /** To be done now, in order. */
  readonly now: readonly StepName[]
  /** After the device was heard, or when its time has come. */
  readonly later: readonly StepName[]
}

/** What has come true by now of what a crossing waits for. */
export interface Due {
  /** The target has heard the device. */
  readonly heard: boolean
  /** The time that `verify.retireAfter` asks for has passed since. */
  readonly retire: boolean
  /** The downlink that makes the device join has left the source's queue. */
  readonly triggerSent?: boolean
  /** An ABP device was heard with a counter below ours. */
  readonly resetHeard?: boolean
}

/** A person says it to an apply, and no plan knows beforehand. */
export const CONFIRM = 'confirm-handover'

/**
 * What is left of a crossing. Being heard is looked at once when the target was let go; after that only the device
 * can hasten it.
 */
export const stepsLeft = (
  steps: readonly StepName[],
  progress: DeviceProgress | undefined,
  due: Due,
): StepsLeft => {
  const hearAt = steps.indexOf('hear')
  const confirmAt = stepDone(progress, CONFIRM) ? -1 : steps.indexOf(CONFIRM)
  const isRetirement = (step: StepName): boolean => RETIRE_STEPS.some((each) => each === step)
  const isDue = (step: StepName, index: number): boolean => {
    if (confirmAt >= 0 && index >= confirmAt) return false
    if (step === 'hear') return due.heard || progress?.unmutedAt === undefined
    if (step === 'trigger-sent')
      return due.heard || due.triggerSent === true || progress?.steps['queue-trigger'] === undefined
    if (step === 'end-reset') return due.heard && due.resetHeard === true
    if (index < hearAt || hearAt < 0) return true
    return due.heard && (!isRetirement(step) || due.retire)
  }
  const unmuteAt = steps.indexOf('unmute-target')
  // What a plan that was edited since would have had done before the target was let go is passed.
  const isPassed = (step: StepName, index: number): boolean =>
    stepDone(progress, step) || (isLetGo(progress) && index < unmuteAt && !isRetirement(step))
  const now: StepName[] = []
  const later: StepName[] = []
  for (const [index, step] of steps.entries()) {
    if (!isPassed(step, index)) (isDue(step, index) ? now : later).push(step)
  }
  return { now, later }
}

/** Steps on the source that follow once the target has heard the device. */
export const endsService = (step: StepName): boolean =>
  step === 'prevent-rejoin' || step === 'stop-source' || isDelete(step)

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

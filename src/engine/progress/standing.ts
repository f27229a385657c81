import type { DeviceChange } from '../../domain/change-set.ts'
import { RETIRE_STEPS, type StepName } from '../../domain/journal.ts'
import { euisOf } from '../device/euis.ts'
import type { DeviceProgress, Steps } from './progress.ts'

export const stepDone = (progress: DeviceProgress | undefined, step: StepName): boolean =>
  progress?.steps[step] === 'done'

/** Steps after which the target knows something of the device that we wrote. */
export const TARGET_WRITES: readonly StepName[] = [
  'create-identity',
  'set-join',
  'set-application',
  'set-network',
]

/** The registration on the target is of our making, wholly or in part. */
export const isOurs = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined &&
  (progress.registeredBefore ||
    TARGET_WRITES.some((step) => progress.steps[step] === 'done' || progress.steps[step] === 'unknown'))

/** Its crossing has changed something that it has to be carried on from: on the target, or its source, which is silent. */
export const isUnderWay = (progress: DeviceProgress | undefined): progress is DeviceProgress =>
  isOurs(progress) || progress?.sourceScheduling !== undefined || isSourceEnding(progress)

/** Its source was stopped by us and nothing more: it can be started again, and serves the device as before. */
export const isOnlyStopped = (progress: DeviceProgress | undefined): boolean =>
  progress?.sourceScheduling !== undefined &&
  progress.rollbackAt === undefined &&
  progress.importRefused === undefined &&
  !isLetGo(progress) &&
  !isSourceEnding(progress)

/** What a change tells of a device whose source is no measure of it: as its crossing began. */
export const changeBegun = (
  progress: DeviceProgress,
): Pick<DeviceChange, 'device' | 'target' | 'devEui' | 'joinEui' | 'route' | 'handover' | 'becomes'> => {
  const { device, target, route, handover, becomes } = progress
  return {
    device,
    target,
    ...euisOf(progress),
    ...(route === undefined ? {} : { route }),
    ...(handover === undefined ? {} : { handover }),
    ...(becomes === undefined ? {} : { becomes }),
  }
}

/** The target held something of the device that we wrote, confirmed. */
export const wasOnTarget = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined &&
  (progress.registeredBefore || TARGET_WRITES.some((step) => progress.steps[step] === 'done'))

/** The target was, or may have been, let go: from here on nobody writes its session, counters or MAC state. */
export const isLetGo = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined && isUnmuted(progress.steps)

/** The steps say that the target was let go. */
export const isUnmuted = (steps: Steps): boolean =>
  steps['unmute-target'] === 'done' || steps['unmute-target'] === 'unknown'

/** A group that is on the target alone: it is never heard. */
export const isGroupMoved = (progress: DeviceProgress | undefined): boolean =>
  progress?.route === 'multicast' && stepDone(progress, 'delete-identity')

/** The source's root keys were, or may have been, replaced: they say nothing about the device any more. */
export const rootKeysReplaced = (progress: DeviceProgress | undefined): boolean =>
  progress?.steps['prevent-rejoin'] !== undefined

/** Steps after which the source does not tell any more what the device is. */
const ENDS_SOURCE: readonly StepName[] = ['clear-source', ...RETIRE_STEPS]

/** The source is being deleted or cleared of its keys, or is: what it holds is no measure of the device any more. */
export const isSourceEnding = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined &&
  ENDS_SOURCE.some((step) => progress.steps[step] === 'done' || progress.steps[step] === 'unknown')

/** The source was, or is being, deleted before the target holds the device: the escrow alone has all of it. */
export const isHeldByEscrow = (progress: DeviceProgress | undefined): boolean =>
  progress?.handover === 'delete-first' && isSourceEnding(progress) && !stepDone(progress, 'compare')

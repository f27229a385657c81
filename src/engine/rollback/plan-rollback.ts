import { RETIRE_STEPS, type StepName } from '../../domain/journal.ts'
import type { RollbackLoss, RollbackRow } from '../../domain/rollback.ts'
import { isReprogrammed, joinsAnew } from '../device/route.ts'
import type { DeviceProgress, Progress } from '../progress/progress.ts'
import { isLetGo, isOurs, isSourceEnding, stepDone } from '../progress/standing.ts'

/** Of each device that the state knows, newest first: what a rollback would do. Pure; asks no network. */
export const planRollback = (
  progress: Progress,
  isChosen: (device: string) => boolean,
): readonly RollbackRow[] =>
  [...progress.values()]
    .filter(({ device }) => isChosen(device))
    .reverse()
    .map(rowOf)

const rowOf = (progress: DeviceProgress): RollbackRow => {
  const { device, target, rollbackAt } = progress
  const because = reasonToLeave(progress)
  if (because !== undefined) return { device, target, action: 'leave', because, losses: [] }
  return { device, target, action: rollbackAt === undefined ? 'undo' : 'finish', losses: lossesOf(progress) }
}

/** Steps after which there is something to take back. */
const BEGUN: readonly StepName[] = ['stop-source', 'clear-source', 'prevent-rejoin']

const reasonToLeave = (progress: DeviceProgress): string | undefined => {
  const { route, heard } = progress
  if (route === undefined)
    return Object.keys(progress.steps).length === 0 && progress.applied === undefined
      ? 'nothing of it was done'
      : 'the target held it before: its settings there were updated or only recorded, and stay'
  const isBegun =
    isOurs(progress) || isSourceEnding(progress) || BEGUN.some((step) => progress.steps[step] !== undefined)
  if (!isBegun && progress.rollbackAt === undefined) return 'nothing of it was done'
  if (isReprogrammed(route) && heard !== undefined)
    return 'it was re-programmed and heard with its new credentials: program it with the old ones first'
  return undefined
}

const isDeleted = ({ steps }: DeviceProgress): boolean =>
  RETIRE_STEPS.some((step) => steps[step] === 'done' || steps[step] === 'unknown')

const lossesOf = (progress: DeviceProgress): readonly RollbackLoss[] => {
  const { route, heard, baseline } = progress
  const joined = heard !== undefined && heard.devAddr !== baseline?.devAddr
  return [
    ...(route !== undefined && (joinsAnew(route) || route === 'session-kept') && joined
      ? (['joins-again'] as const)
      : []),
    ...(isDeleted(progress) ? (['registered-anew'] as const) : []),
    ...(route === 'abp-reset' && progress.resetHeard !== undefined ? (['reset-stays'] as const) : []),
    ...(isLetGo(progress) && stepDone(progress, 'copy-downlinks') && (progress.copiedDownlinks ?? 0) > 0
      ? (['downlinks-copied'] as const)
      : []),
    ...(stepDone(progress, 'confirm-handover') ? (['started-by-hand'] as const) : []),
    // The session goes on, on a network that has no MAC state of it.
    ...(progress.steps['clear-source'] !== undefined && isLetGo(progress) && !joined
      ? (['windows-stay'] as const)
      : []),
  ]
}

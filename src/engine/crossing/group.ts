import type { DeviceRecord } from '../../domain/device.ts'
import type { StepName } from '../../domain/journal.ts'
import { speaks } from '../device/scheduling.ts'
import { stepDone } from '../progress/standing.ts'
import { type CrossingContext, desiredFrom, markDone } from './context.ts'
import { isQueueEmpty } from './queue.ts'
import { deleteFromSource, ensureSourceIsOurs, startSource, stopSource, storeInEscrow } from './source.ts'
import { readWhole, unmuteTarget, writeFinal } from './target.ts'

const AS = 'application-server'
const NS = 'network-server'

/**
 * A multicast group, from where the target holds it, muted. It has no uplinks and is never heard; what must not happen is
 * that two networks send with one counter. So the source is muted (a Network Server takes that of a group too, measured),
 * the target gets the counter that it came to, the source is deleted, and then the target may send.
 * `queued`: something waits to be sent to the group, which is left for a later run.
 */
export const moveGroup = async (context: CrossingContext, seen: DeviceRecord): Promise<'done' | 'queued'> => {
  const { journal } = context
  const isDone = (step: StepName): boolean => stepDone(journal.progress(), step)
  if (!isDone('unmute-target')) {
    const held = await readWhole(context, 'stop-source')
    if (!isDone('delete-network')) {
      if (!isDone('delete-application') && !(await isSilent(context, seen))) return 'queued'
      // A run that was killed between this delete and its outcome had written the counters before.
      const isGone =
        journal.progress()?.steps['delete-network'] !== undefined && seen.registries[NS] === undefined
      if (!isGone) await writeCounters(context, held)
      await ensureSourceIsOurs(context, 'delete-application')
    }
    for (const step of ['delete-application', 'delete-network'] as const)
      if (!isDone(step)) await deleteFromSource(context, step)
    await unmuteTarget(context)
  }
  if (!isDone('delete-identity')) await deleteFromSource(context, 'delete-identity')
  return 'done'
}

/** Mutes the source with nothing left to send; what was queued at the last moment has it started again. */
const isSilent = async (context: CrossingContext, seen: DeviceRecord): Promise<boolean> => {
  if (!stepDone(context.journal.progress(), 'stop-source') || speaks(seen)) {
    if (!(await isQueueEmpty(context))) return false
    await stopSource(context, seen)
  }
  if (await isQueueEmpty(context)) return true
  await startSource(context)
  return false
}

/** What the silent source has counted, as it is now; its Application Server may be deleted already. */
const writeCounters = async (context: CrossingContext, held: DeviceRecord): Promise<void> => {
  const { journal, source, change } = context
  const silent = await source.read(change.device)
  const application = silent.registries[AS] ?? held.registries[AS] ?? {}
  const last: DeviceRecord = { ...silent, registries: { ...silent.registries, [AS]: application } }
  if (!stepDone(journal.progress(), 'read-again')) {
    await storeInEscrow(context, 'B', last)
    await markDone(context, 'read-again')
  }
  const desired = await desiredFrom(context, last)
  for (const step of ['final-network', 'final-start-time', 'final-application'] as const)
    await writeFinal(context, step, desired)
}

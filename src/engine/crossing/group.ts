import type { DeviceRecord } from '../../domain/device.ts'
import type { StepName } from '../../domain/journal.ts'
import { stepDone } from '../progress/progress.ts'
import { type CrossingContext, desiredFrom, markDone } from './context.ts'
import { isQueueEmpty } from './queue.ts'
import { deleteFromSource, ensureSourceIsOurs, storeInEscrow } from './source.ts'
import { readWhole, writeFinal } from './target.ts'

const AS = 'application-server'

/**
 * A multicast group, from where the target holds it. It has no uplinks, can not be muted and is never heard; what must
 * not happen is that two networks send with one counter. So its Application Server goes first, and nobody can ask the
 * source any more; the target gets the counter that the source came to, with a margin for what may still leave there;
 * then the source is deleted.
 * `queued`: something waits to be sent to the group, which is left for a later run.
 */
export const moveGroup = async (context: CrossingContext, seen: DeviceRecord): Promise<'done' | 'queued'> => {
  const { journal, source, change } = context
  const isDone = (step: StepName): boolean => stepDone(journal.progress(), step)
  if (!isDone('queue-empty') && !(await isQueueEmpty(context))) return 'queued'
  const held = await readWhole(context, 'delete-application')
  await ensureSourceIsOurs(context, 'delete-application')
  if (!isDone('delete-application')) await deleteFromSource(context, 'delete-application', 'A')
  if (!isDone('final-application')) {
    const application = seen.registries[AS] ?? held.registries[AS] ?? {}
    const now = await source.read(change.device)
    const last: DeviceRecord = { ...now, registries: { ...now.registries, [AS]: application } }
    if (!isDone('read-again')) {
      await storeInEscrow(context, 'B', last)
      await markDone(context, 'read-again')
    }
    const desired = await desiredFrom(context, last)
    if (!isDone('final-network')) await writeFinal(context, 'final-network', desired)
    await writeFinal(context, 'final-application', desired)
  }
  for (const step of ['delete-network', 'delete-identity'] as const)
    if (!isDone(step)) await deleteFromSource(context, step)
  return 'done'
}

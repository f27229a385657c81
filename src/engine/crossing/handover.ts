import type { DeviceRecord } from '../../domain/device.ts'
import type { Route } from '../../domain/journal.ts'
import { rootKeysDigest, sessionDigest } from '../device/digests.ts'
import { hasPendingSession } from '../device/records.ts'
import { isMuted } from '../device/scheduling.ts'
import { activationOf, keepsKeys } from '../device/route.ts'
import { stepDone } from '../progress/progress.ts'
import { joinedSincePreview } from './begin.ts'
import { type CrossingContext, desiredFrom, markDone, stepsOf } from './context.ts'
import { startSource, stopSource, storeInEscrow } from './source.ts'
import { rememberSourceAddress, writeFinal } from './target.ts'

/**
 * done: the target holds what the silent source held. again: the device joined anew meanwhile. joining: a join accept
 * was sent before the source fell silent, so the device may use a session that nobody carries. stale: it has a
 * session that was not there at the preview. In the last two the source was started again.
 */
export type Handover = 'done' | 'again' | 'joining' | 'stale'

/** Steps 7 to 9: the source falls silent, and the target gets what it held at that moment. */
export const handOver = async (context: CrossingContext, seen: DeviceRecord): Promise<Handover> => {
  const { journal, intent } = context
  // Somebody may have started it since we stopped it: it is silent only if it says so.
  const isSilent = stepDone(journal.progress(), 'stop-source') && isMuted(seen)
  const silent = isSilent ? seen : await stopSource(context, seen)
  const keepsSessions = intent.policy.persistSession && activationOf(silent) === 'otaa'
  if (keepsSessions && hasPendingSession(silent)) {
    await startSource(context)
    return 'joining'
  }
  if (joinedSincePreview(context, silent)) {
    await startSource(context)
    return 'stale'
  }
  if (!isWhatItBeganWith(context, silent)) return 'again'
  if (!stepDone(journal.progress(), 'read-again')) {
    await storeInEscrow(context, 'B', silent)
    await rememberSourceAddress(context, silent)
    await markDone(context, 'read-again')
  }
  const desired = await desiredFrom(context, silent)
  for (const step of stepsOf(context, silent)) {
    if (step.startsWith('final-') && !stepDone(journal.progress(), step))
      await writeFinal(context, step, desired)
  }
  return 'done'
}

const isWhatItBeganWith = (
  { journal, digestKey, change }: CrossingContext,
  silent: DeviceRecord,
): boolean => {
  const keys = journal.progress()?.sourceKeys
  const session = keepsKeys(change.route as Route) ? sessionDigest(silent, digestKey) : null
  return keys?.session === session && keys?.rootKeys === rootKeysDigest(silent, digestKey)
}

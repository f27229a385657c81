import type { DeviceRecord } from '../../domain/device.ts'
import type { Route } from '../../domain/journal.ts'
import { rootKeysDigest, sessionDigest } from '../device/digests.ts'
import { hasPendingSession } from '../device/records.ts'
import { activationOf, keepsKeys } from '../device/route.ts'
import { speaks } from '../device/scheduling.ts'
import { stepDone } from '../progress/standing.ts'
import { joinedSincePreview } from './begin.ts'
import { type CrossingContext, desiredFrom, markDone, stepsOf } from './context.ts'
import { isQueueEmpty } from './queue.ts'
import { refuseReplaced, startSource, stopSource, storeInEscrow } from './source.ts'
import { rememberSource, writeFinal } from './target.ts'

/**
 * silent: the source answers nothing, and what it holds is in the escrow. again: the device joined anew meanwhile.
 * joining: a join accept was sent before the source fell silent, so the device may use a session that nobody carries.
 * stale: it has a session that was not there at the preview. queued: a downlink was queued before it fell silent.
 * In the last three the source was started again.
 */
export type Silence =
  | { readonly status: 'silent'; readonly record: DeviceRecord }
  | { readonly status: 'again' | 'joining' | 'stale' | 'queued' }

/** Steps 7 and 8: the source falls silent, and what it holds then goes into the escrow a second time. */
export const fallSilent = async (context: CrossingContext, seen: DeviceRecord): Promise<Silence> => {
  const { journal, intent, change } = context
  // Somebody may have started it since we stopped it: it is silent only if it says so.
  const isSilent = stepDone(journal.progress(), 'stop-source') && !speaks(seen)
  const silent = isSilent ? seen : await stopSource(context, seen)
  const startAgain = async (status: 'joining' | 'stale' | 'queued'): Promise<Silence> => {
    await startSource(context)
    return { status }
  }
  // A crossing that carries the session does so to its end, whatever the plan says by now.
  const isKept = intent.policy.persistSession || change.route === 'session-kept'
  if (isKept && activationOf(silent) === 'otaa' && hasPendingSession(silent)) return startAgain('joining')
  if (joinedSincePreview(context, silent)) return startAgain('stale')
  if (!isWhatItBeganWith(context, silent)) return { status: 'again' }
  const waits = intent.policy.queuedDownlinks === 'wait-empty'
  if (waits && !(await isQueueEmpty(context))) return startAgain('queued')
  if (!stepDone(journal.progress(), 'read-again')) {
    await storeInEscrow(context, 'B', silent)
    await rememberSource(context, silent)
    await markDone(context, 'read-again')
  }
  return { status: 'silent', record: silent }
}

/** Somebody may have started the source while it was being deleted: the target gets what it has counted since. */
export const keepSilent = async (context: CrossingContext): Promise<void> => {
  const seen = await context.source.read(context.change.device)
  if (seen.registries['network-server'] === undefined || !speaks(seen)) return
  refuseReplaced(context, 'stop-source', seen)
  const silent = await stopSource(context, seen)
  const desired = await desiredFrom(context, silent)
  for (const step of stepsOf(context, desired.record))
    if (step === 'final-network' || step === 'final-join') await writeFinal(context, step, desired)
}

/** Step 9: the target gets what the silent source holds. */
export const writeFinals = async (context: CrossingContext, silent: DeviceRecord): Promise<void> => {
  const desired = await desiredFrom(context, silent)
  for (const step of stepsOf(context, desired.record)) {
    if (step.startsWith('final-') && !stepDone(context.journal.progress(), step))
      await writeFinal(context, step, desired)
  }
}

const isWhatItBeganWith = (
  { journal, digestKey, change }: CrossingContext,
  silent: DeviceRecord,
): boolean => {
  const keys = journal.progress()?.sourceKeys
  const session = keepsKeys(change.route as Route) ? sessionDigest(silent, digestKey) : null
  return keys?.session === session && keys?.rootKeys === rootKeysDigest(silent, digestKey)
}

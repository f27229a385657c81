import type { DeviceRecord } from '../../domain/device.ts'
import { FerryError } from '../../domain/errors.ts'
import type { ErrorRecord } from '../../domain/journal.ts'
import type { Json } from '../../domain/json.ts'
import { hasSession } from '../device/records.ts'
import { isReprogrammed, isStoppedRoute, keepsKeys } from '../device/route.ts'
import { SOURCE_RETURNED, TARGET_SPEAKS } from '../device/scheduling.ts'
import { pinnedIntent } from '../planning/plan-device.ts'
import { isHeldByEscrow, isLetGo, isSourceEnding, stepDone } from '../progress/standing.ts'
import { CONFIRM, stopsBy } from '../progress/steps.ts'
import { begin, beginAgain, hasVanished } from './begin.ts'
import { handOver, refuseRefilled, writeLast } from './clearing.ts'
import { notConfirmed } from './confirmation.ts'
import { type CrossingContext, type DeviceResult, desiredFrom, markDone, stepsOf } from './context.ts'
import { ensureCredentials } from './credentials.ts'
import { checkImport, giveBack, lastRecord, moveOver } from './delete-first.ts'
import { errorRecord } from './device-journal.ts'
import { StepFailure } from './ensure.ts'
import { failureOf } from './failure.ts'
import { finish } from './finish.ts'
import { moveGroup } from './group.ts'
import { fallSilent, keepSilent, writeFinals } from './handover.ts'
import { isQueueEmpty } from './queue.ts'
import { mayLetGo, refuseReturned, startSource, storeInEscrow } from './source.ts'
import {
  compareImport,
  importInto,
  refuseForeign,
  refuseSpeaking,
  rememberSource,
  undoImport,
} from './target.ts'

/** A device that joins anew while it crosses starts over; one that does so again and again is left for later. */
const BEGINNINGS = 3

/**
 * Carries one device as far as it can go now: from wherever the state says it is, to where only being heard or time
 * can take it further. Resuming is the same walk: every step looks before it acts.
 * @throws NetworkError when credentials are refused, FerryError when the state can't be written: the run ends.
 */
export const cross = async (context: CrossingContext): Promise<DeviceResult> => {
  try {
    for (let beginning = 1; beginning <= BEGINNINGS; beginning++) {
      const result = await attempt(context)
      if (result !== 'again') return result
    }
    await startSource(context)
    return await defer(
      context,
      'KeepsJoining',
      'it joined anew on the source each time it was about to cross',
    )
  } catch (error) {
    return await failed(context, error)
  }
}

const attempt = async (context: CrossingContext): Promise<DeviceResult | 'again'> => {
  const { journal, change } = context
  const known = journal.progress()
  if (known?.importRefused !== undefined) return givenBack(context)
  const isGroup = change.route === 'multicast'
  if (!isGroup && !isLetGo(known)) await refuseReturned(context)
  if (isHeldByEscrow(known)) return moveAndFinish(await withStoredIntent(context))
  if (!isGroup && !hasVanished(context) && (isLetGo(known) || isSourceEnding(known))) {
    const mayDoubt = isLetGo(known) && !stepDone(known, 'unmute-target') && isStopped(context)
    if (!isLetGo(known) && isStopped(context)) await keepSilent(context)
    if (!isLetGo(known) && isCleared(context)) await refuseRefilled(context)
    if (!mayDoubt || (await mayLetGo(context))) return finish(context)
    await forgetUnmute(context)
    await beginAgain(context, 'somebody started the source again before the target spoke')
  }
  const seen = await context.source.read(change.device)
  const isHalfMoved = isGroup && isSourceEnding(known)
  const changed = isHalfMoved ? undefined : await begin(context, seen)
  if (changed !== undefined) {
    await startSource(context)
    return staleResult(changed)
  }
  return walk(context, seen)
}

/** Overrides may choose by attributes, which the escrow alone tells of a device that the source does not hold any more. */
const withStoredIntent = async (context: CrossingContext): Promise<CrossingContext> => {
  const { ids, registries } = await lastRecord(context)
  const attributes = registries['identity-server']?.['attributes'] as Json | undefined
  const chosen = context.intentOf({ ...ids, ...(attributes === undefined ? {} : { attributes }) })
  return { ...context, intent: pinnedIntent(chosen, context.journal.progress()) }
}

/** One course through the steps, by what may be done to the source and when (`progress/steps.ts`). */
const walk = async (context: CrossingContext, seen: DeviceRecord): Promise<DeviceResult | 'again'> => {
  const { change, journal } = context
  if (waitsForQueue(context) && !(await isQueueEmpty(context))) return deferQueued(context)
  if (mayStop(context)) return { status: 'skipped' }
  if (change.handover === 'delete-first') {
    await secureKeys(context, seen)
    if (!stepDone(journal.progress(), 'check-import')) await checkImport(context, seen)
  } else if (!stepDone(journal.progress(), 'compare')) await importDevice(context, seen)
  if (mayStop(context)) return { status: 'skipped' }
  if (isConfirmedByHand(context)) return handOverByHand(context)
  if (change.route === 'multicast')
    return (await moveGroup(context, seen)) === 'done' ? { status: 'migrated' } : deferQueued(context)
  if (isCleared(context)) return (await handOver(context)) === 'again' ? 'again' : await finish(context)
  if (!isStopped(context)) {
    if (journal.progress()?.baseline === undefined) await rememberSource(context, seen)
    return finish(context)
  }
  const silence = await fallSilent(context, seen)
  switch (silence.status) {
    case 'silent':
      if (change.handover === 'delete-first') return moveAndFinish(context)
      await writeFinals(context, silence.record)
      return finish(context)
    case 'again':
      return 'again'
    case 'queued':
      return deferQueued(context)
    case 'joining':
      return defer(
        context,
        'JoiningOnSource',
        'it is joining on the source; it crosses once its next uplink was heard there',
      )
    case 'stale':
      return staleResult('it joined on the source after the preview')
  }
}

/** The source is muted before the target speaks; in the other courses it serves the device until it was heard, or cleared. */
const isStopped = ({ change: { route }, source }: CrossingContext): boolean =>
  route !== undefined && isStoppedRoute(route) && stopsBy(source) === 'muting'

const isConfirmedByHand = ({ change: { route }, source }: CrossingContext): boolean =>
  route !== undefined && !isReprogrammed(route) && stopsBy(source) === 'hand'

const isCleared = ({ change: { route }, source }: CrossingContext): boolean =>
  route !== undefined && keepsKeys(route) && stopsBy(source) === 'clearing'

/** The target is complete and silent; it speaks once a person has stopped whoever served the device. */
const handOverByHand = async (context: CrossingContext): Promise<DeviceResult | 'again'> => {
  const { journal } = context
  if (!stepDone(journal.progress(), CONFIRM)) {
    if (!context.isConfirmed()) {
      const { status, error } = notConfirmed
      if (journal.progress()?.deferred?.code !== error.code) await defer(context, error.code, error.message)
      return { status, error }
    }
    await markDone(context, CONFIRM)
  }
  if (!isLetGo(journal.progress()) && (await writeLast(context)) === 'again') return 'again'
  return finish(context)
}

const waitsForQueue = (context: CrossingContext): boolean =>
  isStopped(context) &&
  context.intent.policy.queuedDownlinks === 'wait-empty' &&
  context.journal.progress()?.sourceScheduling === undefined

/** Once the source is silent the device is carried to its end, or it would be left without a network. */
const mayStop = ({ draining, journal }: CrossingContext): boolean =>
  draining() && journal.progress()?.sourceScheduling === undefined

const moveAndFinish = async (context: CrossingContext): Promise<DeviceResult> =>
  (await moveOver(context)) ? await finish(context) : refusedResult(context)

const givenBack = async (context: CrossingContext): Promise<DeviceResult> => {
  await giveBack(context)
  return refusedResult(context)
}

const refusedResult = ({ journal }: CrossingContext): DeviceResult => ({
  status: 'failed',
  error: {
    ...(journal.progress()?.lastError ?? { code: 'ImportRefused', message: 'the target refused it' }),
    hint: 'its source holds it again and serves it; mend the cause and run again',
  },
})

/** Left alone: it is not what the preview showed. */
export const staleResult = (message: string): DeviceResult => ({
  status: 'stale',
  error: { code: 'DeviceChanged', message, hint: 'look at the preview again: ferry plan' },
})

/** Step 1: all that the source holds goes into the escrow. */
const secureKeys = async (context: CrossingContext, seen: DeviceRecord): Promise<void> => {
  if (stepDone(context.journal.progress(), 'escrow')) return
  await storeInEscrow(context, 'A', seen)
  await markDone(context, 'escrow')
}

/** Steps 1 to 6: keys into the escrow, then the whole device onto the target, muted. The source is not touched. */
const importDevice = async (context: CrossingContext, seen: DeviceRecord): Promise<void> => {
  const { target, change } = context
  await secureKeys(context, seen)
  const isNew = change.route !== undefined && isReprogrammed(change.route)
  const credentials = isNew ? await ensureCredentials(context, seen) : undefined
  const desired = await desiredFrom(context, seen, credentials)
  const held = await target.read(change.target)
  refuseForeign(context, held)
  if (!isIdle(context, held)) refuseSpeaking(held)
  for (const step of stepsOf(context, desired.record)) {
    if (step === 'compare') return compareImport(context, desired)
    // Also what an earlier run wrote: the source has gone on since, and is what the comparison is made with.
    if (step === 'create-identity' || step.startsWith('set-')) await importInto(context, step, desired, held)
  }
}

/** What others registered on the target's Network Server and no session was ever made with: it serves nobody yet. */
const isIdle = ({ journal }: CrossingContext, held: DeviceRecord): boolean => {
  const progress = journal.progress()
  const isAdopted = progress?.adopts.includes('network-server') === true
  return isAdopted && progress?.steps['set-network'] !== 'done' && !hasSession(held)
}

const deferQueued = (context: CrossingContext): Promise<DeviceResult> =>
  defer(context, 'QueueNotEmpty', 'downlinks wait in its queue on the source; it crosses once they are sent')

const defer = async ({ journal }: CrossingContext, code: string, message: string): Promise<DeviceResult> => {
  await journal.fact({ name: 'deferred', at: journal.now(), code, message })
  return { status: 'deferred', error: { code, message } }
}

/** The unmute had no effect, as a look at the target showed: the crossing may begin again. */
const forgetUnmute = ({ journal, change }: CrossingContext): Promise<void> =>
  journal.append({
    t: 'outcome',
    device: change.device,
    step: 'unmute-target',
    at: journal.now(),
    status: 'failed',
  })

/**
 * What a failure means depends on where it happened. Before the comparison a refusal takes the target back, and the
 * source was never touched. Between that and the target's first word the source is started again: the target is
 * muted, so that is safe, and it serves the device until the cause is mended. In all other cases the device goes on
 * in a later run, its keys on both networks and in the escrow.
 */
const failed = async (context: CrossingContext, error: unknown): Promise<DeviceResult> => {
  const record = recordOf(error)
  if (record === undefined) throw error
  const progress = context.journal.progress()
  if (record.code === TARGET_SPEAKS.code || record.code === SOURCE_RETURNED.code)
    return { status: 'failed', error: record }
  if (isHeldByEscrow(progress)) return { status: 'failed', error: heldByEscrow(record) }
  if (isLetGo(progress)) return { status: 'failed', error: record }
  if (stepDone(progress, 'clear-source')) return { status: 'failed', error: unserved(record) }
  if (isSourceEnding(progress)) return { status: 'failed', error: record }
  try {
    const wasStopped = progress?.sourceScheduling !== undefined
    await startSource(context)
    // A network that does not answer would not let itself be taken back either.
    if (!stepDone(progress, 'compare') && error instanceof StepFailure && error.isDefinite)
      await takeBack(context, record)
    if (!wasStopped) return { status: 'failed', error: record }
    const hint = 'its source was started again and serves it; mend the cause and run again'
    return { status: 'failed', error: { ...record, hint } }
  } catch (second) {
    const why = recordOf(second)
    if (why === undefined) throw second
    return {
      status: 'failed',
      error: { ...record, hint: `it is left half-way (${why.message}); run again to go on` },
    }
  }
}

/** The source has lost its keys, and the target is muted still. */
const unserved = (error: ErrorRecord): ErrorRecord => ({
  ...error,
  hint: 'its keys are cleared on the source and the target does not speak yet, so no network answers it: run ferry apply again at once',
})

/** What has to be done about its file is told by the error itself. */
const heldByEscrow = (error: ErrorRecord): ErrorRecord =>
  ESCROW_ERRORS.includes(error.code)
    ? { ...error, message: `${error.message}, and no network serves it` }
    : {
        ...error,
        hint: 'the escrow alone holds it, and no network serves it: run ferry apply again at once, with the identity at hand',
      }

const takeBack = async (context: CrossingContext, error: ErrorRecord): Promise<void> => {
  await undoImport(context)
  const { journal, change } = context
  await journal.append({ t: 'undone', device: change.device, at: journal.now(), error })
}

/** What one file of the escrow can not give back: other devices lie in others. */
const ESCROW_ERRORS: readonly string[] = ['EscrowDamaged', 'EscrowMissing']

/** As `failureOf`; and what the escrow can not give back is no reason to leave other devices. */
const recordOf = (error: unknown): ErrorRecord | undefined => {
  if (error instanceof FerryError && ESCROW_ERRORS.includes(error.code)) return errorRecord(error)
  return failureOf(error)
}

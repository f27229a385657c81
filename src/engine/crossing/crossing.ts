import type { DeviceRecord } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { DeviceResultStatus } from '../../domain/events.ts'
import type { ErrorRecord } from '../../domain/journal.ts'
import { registriesOf } from '../device/records.ts'
import { TARGET_SPEAKS } from '../device/scheduling.ts'
import { deletesBegun, isLetGo, isOurs, stepDone } from '../progress/progress.ts'
import { begin, beginAgain, hasVanished } from './begin.ts'
import { type CrossingContext, desiredFrom, hasIdsOf, markDone, stepsOf } from './context.ts'
import { errorRecord } from './device-journal.ts'
import { StepFailure } from './ensure.ts'
import { finish } from './finish.ts'
import { handOver } from './handover.ts'
import { mayLetGo, startSource, storeInEscrow } from './source.ts'
import { compareImport, importInto, refuseSpeaking, undoImport } from './target.ts'

export interface DeviceResult {
  readonly status: DeviceResultStatus
  readonly error?: ErrorRecord
}

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
  const { journal } = context
  const known = journal.progress()
  if (!hasVanished(context) && (isLetGo(known) || deletesBegun(known))) {
    const isInDoubt = isLetGo(known) && !stepDone(known, 'unmute-target')
    if (!isInDoubt || (await mayLetGo(context))) return { status: await finish(context) }
    await forgetUnmute(context)
    await beginAgain(context, 'somebody started the source again before the target spoke')
  }
  const seen = await context.source.read(context.change.device)
  const changed = await begin(context, seen)
  if (changed !== undefined) {
    await startSource(context)
    return staleResult(changed)
  }
  // Once the source is silent the device is carried to its end, or it would be left without a network.
  const mayStop = (): boolean => context.draining() && journal.progress()?.sourceScheduling === undefined
  if (mayStop()) return { status: 'skipped' }
  if (!stepDone(journal.progress(), 'compare')) await importDevice(context, seen)
  if (mayStop()) return { status: 'skipped' }
  switch (await handOver(context, seen)) {
    case 'done':
      return { status: await finish(context) }
    case 'again':
      return 'again'
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

/** Left alone: it is not what the preview showed. */
export const staleResult = (message: string): DeviceResult => ({
  status: 'stale',
  error: { code: 'DeviceChanged', message, hint: 'look at the preview again: ferry plan' },
})

/** Steps 1 to 6: keys into the escrow, then the whole device onto the target, muted. The source is not touched. */
const importDevice = async (context: CrossingContext, seen: DeviceRecord): Promise<void> => {
  const { journal, target, change } = context
  if (!stepDone(journal.progress(), 'escrow')) {
    await storeInEscrow(context, 'A', seen)
    await markDone(context, 'escrow')
  }
  const desired = await desiredFrom(context, seen)
  const held = await target.read(change.target)
  refuseForeign(context, held)
  refuseSpeaking(held)
  for (const step of stepsOf(context, seen).slice(1)) {
    if (step === 'compare') return compareImport(context, desired)
    // Also what an earlier run wrote: the source has gone on since, and is what the comparison is made with.
    await importInto(context, step, desired, held)
  }
}

/** Somebody registered the device since the preview; what is not of our making is not touched. */
const refuseForeign = ({ journal, change }: CrossingContext, held: DeviceRecord): void => {
  if (registriesOf(held).length === 0 || (isOurs(journal.progress()) && hasIdsOf(change, held))) return
  throw new StepFailure('create-identity', {
    code: 'ForeignDevice',
    message: `the target has a device ${change.target} now that was not there at the preview`,
    hint: 'look at the preview again: ferry plan',
  })
}

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
  if (isLetGo(progress) || deletesBegun(progress) || record.code === TARGET_SPEAKS.code) {
    return { status: 'failed', error: record }
  }
  try {
    const wasStopped = progress?.sourceScheduling !== undefined
    await startSource(context)
    // A network that does not answer would not let itself be taken back either.
    if (!stepDone(progress, 'compare') && error instanceof StepFailure) await takeBack(context, record)
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

const takeBack = async (context: CrossingContext, error: ErrorRecord): Promise<void> => {
  await undoImport(context)
  const { journal, change } = context
  await journal.append({ t: 'undone', device: change.device, at: journal.now(), error })
}

/** Undefined for errors that end the run: refused credentials, an unwritable state, defects. */
const recordOf = (error: unknown): ErrorRecord | undefined => {
  if (error instanceof StepFailure) return error.error
  if (!(error instanceof NetworkError) || error.refusesCredentials) return undefined
  const { code, message, hint, fault } = error
  return errorRecord({ code, message, hint, correlationId: fault.correlationId })
}

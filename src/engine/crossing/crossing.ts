import type { DeviceRecord } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { DeviceResultStatus } from '../../domain/events.ts'
import type { ErrorRecord } from '../../domain/journal.ts'
import { begin, beginAgain, hasVanished } from './begin.ts'
import { type CrossingContext, hasIdsOf, markDone, stepsOf, desiredFrom } from './context.ts'
import { finish } from './finish.ts'
import { handOver } from './handover.ts'
import { mayLetGo, startSource, storeInEscrow } from './source.ts'
import { compareImport, importInto, undoImport } from './target.ts'
import { errorRecord } from './device-journal.ts'
import { StepFailure } from './ensure.ts'
import { type DeviceProgress, deletesBegun, isLetGo, isOurs, stepDone } from '../progress/progress.ts'
import { registriesOf } from '../device/records.ts'

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
    await beginAgain(context, 'somebody started the source again before the target spoke')
  }
  const seen = await context.source.read(context.change.device)
  const changed = await begin(context, seen)
  if (changed !== undefined) return staleResult(changed)
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

const staleResult = (message: string): DeviceResult => ({
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

/**
 * What a failure means depends on where it happened. Before the comparison the target is taken back and the source
 * was never touched. Between that and the target's first word, a refusal has the source started again: it serves
 * the device until the cause is mended. In all other cases the device goes on in a later run, its keys on both
 * networks and in the escrow.
 */
const failed = async (context: CrossingContext, error: unknown): Promise<DeviceResult> => {
  const record = recordOf(error)
  if (record === undefined) throw error
  const progress = context.journal.progress()
  // A network that does not answer would not let itself be taken back either.
  if (!(error instanceof StepFailure) || isLetGo(progress) || deletesBegun(progress))
    return { status: 'failed', error: record }
  try {
    const said = stepDone(progress, 'compare')
      ? await startAgain(context, error, progress)
      : await takeBack(context, record)
    return { status: 'failed', error: said === undefined ? record : { ...record, hint: said } }
  } catch (second) {
    const why = recordOf(second)
    if (why === undefined) throw second
    return {
      status: 'failed',
      error: { ...record, hint: `it is left half-way (${why.message}); run again to go on` },
    }
  }
}

const takeBack = async (context: CrossingContext, error: ErrorRecord): Promise<undefined> => {
  await undoImport(context)
  await startSource(context)
  const { journal, change } = context
  await journal.append({ t: 'undone', device: change.device, at: journal.now(), error })
}

const startAgain = async (
  context: CrossingContext,
  error: StepFailure,
  progress: DeviceProgress | undefined,
): Promise<string | undefined> => {
  if (!error.isDefinite || progress?.sourceScheduling === undefined) return undefined
  await startSource(context)
  return 'its source was started again and serves it; mend the cause and run again'
}

/** Undefined for errors that end the run: refused credentials, an unwritable state, defects. */
const recordOf = (error: unknown): ErrorRecord | undefined => {
  if (error instanceof StepFailure) return error.error
  if (!(error instanceof NetworkError) || error.refusesCredentials) return undefined
  const { code, message, hint, fault } = error
  return errorRecord({ code, message, hint, correlationId: fault.correlationId })
}

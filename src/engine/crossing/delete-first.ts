import { type DeviceRecord, REGISTRIES } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import { RETIRE_STEPS, type StepName } from '../../domain/journal.ts'
import { isSameRecord } from '../device/records.ts'
import { speaks, TARGET_SPEAKS } from '../device/scheduling.ts'
import { isSourceEnding, stepDone } from '../progress/standing.ts'
import { type CrossingContext, desiredFrom, hasIdsOf, markDone, stepsOf } from './context.ts'
import { StepFailure } from './ensure.ts'
import {
  deleteFromSource,
  ensureSourceIsOurs,
  keepTarget,
  restoreOnSource,
  startSource,
  storeInEscrow,
} from './source.ts'
import {
  compareImport,
  importInto,
  notBelow,
  refuseForeign,
  refuseSpeaking,
  undoImport,
  writeFinal,
} from './target.ts'

/**
 * Within one deployment a pair of EUIs exists once: the source is deleted before the target is created, and in between
 * the escrow alone holds the device. So it is decrypted before, and what it gives is what is imported.
 */

/** Before anything is changed: the escrow can be read, and the target has room for the device. */
export const checkImport = async (context: CrossingContext, seen: DeviceRecord): Promise<void> => {
  const { journal, escrow, target, change } = context
  const place = journal.progress()?.escrow.A
  if (place === undefined || !isSameRecord(await escrow.load(place), seen)) throw unreadable('check-import')
  const held = await target.read(change.target)
  refuseForeign(context, held)
  await desiredFrom(context, seen)
  await markDone(context, 'check-import')
}

const unreadable = (step: StepName): StepFailure =>
  new StepFailure(step, {
    code: 'EscrowDiffers',
    message: 'the escrow does not give back what was stored in it: nothing was deleted',
    hint: 'look at the disk that the escrow lies on, and run again',
  })

/** Milliseconds between two attempts of an import that does not come about. */
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000]

/**
 * From the last reading of the silent source to the target that holds all of it, muted. An import that is refused for
 * good makes the source hold the device again; one that is not answered is tried again, and then left to the next run.
 * @returns whether the target holds it; false: the source does again
 */
export const moveOver = async (context: CrossingContext): Promise<boolean> => {
  const { journal } = context
  if (!isSourceEnding(journal.progress())) await secure(context)
  await deleteAll(context)
  for (let attempt = 0; ; attempt++) {
    try {
      await create(context)
      return true
    } catch (error) {
      // A target that speaks lives: the source must not.
      if (error instanceof StepFailure && error.error.code === TARGET_SPEAKS.code) throw error
      if (error instanceof StepFailure && error.isDefinite) {
        await journal.fact({ name: 'import-refused', at: journal.now(), error: error.error })
        await giveBack(context)
        return false
      }
      const pause = PAUSES[attempt]
      const mayTryAgain =
        error instanceof StepFailure || (error instanceof NetworkError && !error.refusesCredentials)
      if (!mayTryAgain || pause === undefined || context.draining()) throw error
      await context.pause(pause)
    }
  }
}

/** What is deleted is what the escrow gives back: decrypted and compared, and stored anew where the source went on. */
const secure = async (context: CrossingContext): Promise<void> => {
  const { journal } = context
  const silent = await ensureSourceIsOurs(context, 'delete-application')
  if (!isSameRecord(await lastRecord(context), silent)) {
    await storeInEscrow(context, 'B', silent)
    if (!isSameRecord(await lastRecord(context), silent)) throw unreadable('check-escrow')
  }
  if (!stepDone(journal.progress(), 'check-escrow')) await markDone(context, 'check-escrow')
}

export const lastRecord = async ({ journal, escrow, change }: CrossingContext): Promise<DeviceRecord> => {
  const place = journal.progress()?.escrow.B
  if (place === undefined) throw new Error(`${change.device} is not in the escrow`)
  return escrow.load(place)
}

const deleteAll = async (context: CrossingContext): Promise<void> => {
  for (const step of RETIRE_STEPS)
    if (!stepDone(context.journal.progress(), step)) await deleteFromSource(context, step)
}

const create = async (context: CrossingContext): Promise<void> => {
  const { journal, target, change } = context
  const desired = await desiredFrom(context, await lastRecord(context))
  const held = await target.read(change.target)
  refuseForeign(context, held)
  refuseSpeaking(held)
  for (const step of stepsOf(context, desired.record)) {
    if (step === 'compare') break
    if (step === 'final-start-time') await writeFinal(context, step, desired)
    else if (step === 'create-identity' || step.startsWith('set-'))
      await importInto(context, step, desired, held)
  }
  if (!stepDone(journal.progress(), 'compare')) await compareImport(context, desired)
}

/**
 * The target refused the device for good: what it took is taken back, with what it has counted, and the source holds the
 * device again and serves it as before. Can be interrupted, and goes on.
 */
export const giveBack = async (context: CrossingContext): Promise<void> => {
  const { journal, source, escrow, target, change } = context
  await ensureSourceIsOurs(context, 'restore-identity')
  const held = await target.read(change.target)
  const isOurs = hasIdsOf(change, held)
  if (isOurs && journal.progress()?.escrow.T === undefined) await keepTarget(context, held)
  // An attempt that was killed may have deleted some of it already; what is still there may have counted on.
  const kept = journal.progress()?.escrow.T
  const stored = await lastRecord(context)
  const known = kept === undefined ? stored : notBelow(stored, await escrow.load(kept))
  const counted = isOurs ? notBelow(known, held) : known
  await undoImport(context)
  const there = await source.read(change.device)
  const record = notBelow(counted, there)
  // It is restored muted, and last: one that speaks was started by an earlier attempt, and lives.
  for (const registry of speaks(there) ? [] : REGISTRIES) {
    if (record.registries[registry] !== undefined) await restoreOnSource(context, registry, record, there)
  }
  if (!speaks(there)) await startSource(context)
  const error = journal.progress()?.importRefused
  await journal.append({
    t: 'undone',
    device: change.device,
    at: journal.now(),
    ...(error === undefined ? {} : { error }),
  })
}

import type { DeviceRecord } from '../domain/device.ts'
import { NetworkError } from '../domain/errors.ts'
import type { DeviceResultStatus } from '../domain/events.ts'
import type { ErrorRecord, Route, StepName } from '../domain/journal.ts'
import { type CrossingContext, desiredFrom, hasIdsOf, markDone } from './crossing-context.ts'
import { deleteFromSource, preventRejoin, startSource, stopSource, storeInEscrow } from './crossing-source.ts'
import {
  compareImport,
  importInto,
  rememberSourceAddress,
  undoImport,
  unmuteTarget,
  writeFinal,
} from './crossing-target.ts'
import type { Desired } from './desired.ts'
import { errorRecord } from './device-journal.ts'
import { rootKeysDigest, sessionDigest, settingsDigest } from './digests.ts'
import { StepFailure } from './ensure.ts'
import { hearing } from './heard.ts'
import { deletesBegun, isLetGo, isOurs, stepDone, wasOnTarget } from './progress.ts'
import { hasPendingSession, registriesOf } from './records.ts'
import { keepsKeys, keepsSession } from './route.ts'
import { crossingSteps, retireDue, stepsLeft } from './steps.ts'

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
  if (!hasVanished(context) && (isLetGo(known) || deletesBegun(known))) return finish(context)
  const seen = await context.source.read(context.change.device)
  const stale = await begin(context, seen)
  if (stale !== undefined) return stale
  if (!stepDone(journal.progress(), 'compare')) {
    if (context.draining()) return { status: 'skipped' }
    await importDevice(context, seen)
  }
  if (context.draining() && journal.progress()?.sourceScheduling === undefined) return { status: 'skipped' }
  return (await handOver(context, seen)) ?? finish(context)
}

/** It is to be created, and we had it on the target before: whatever the steps say, it is not there any more. */
const hasVanished = ({ change, journal }: CrossingContext): boolean =>
  change.action === 'create' && wasOnTarget(journal.progress())

/**
 * Begins the crossing, or goes on with one that was begun if the source is still what it began with. A source whose
 * keys or settings are not those of the preview is left alone: what was previewed is what happens.
 */
const begin = async (context: CrossingContext, seen: DeviceRecord): Promise<DeviceResult | undefined> => {
  const { journal, change, stateKey } = context
  const route = change.route as Route
  const session = keepsKeys(route) ? sessionDigest(seen, stateKey) : null
  const rootKeys = rootKeysDigest(seen, stateKey)
  const progress = journal.progress()
  const keys = progress?.sourceKeys
  const isUnchanged = keys !== undefined && keys.session === session && keys.rootKeys === rootKeys
  if (isOurs(progress) && isUnchanged && !hasVanished(context)) return undefined
  if (registriesOf(seen).length === 0) return staleResult('it is gone from the source')
  if (change.expect !== undefined && rootKeysDigest(seen, context.digestKey) !== change.expect.rootKeys)
    return staleResult('its root keys changed on the source after the preview')
  const desired = await desiredFrom(context, seen)
  if (change.expect !== undefined && settingsDigest(desired.record) !== change.expect.settings) {
    return staleResult('its settings changed on the source after the preview')
  }
  await journal.append({
    t: 'begin',
    device: change.device,
    at: journal.now(),
    target: change.target,
    ...(change.devEui === undefined ? {} : { devEui: change.devEui }),
    ...(change.joinEui === undefined ? {} : { joinEui: change.joinEui }),
    route,
    ...(keys === undefined
      ? {}
      : {
          because: isUnchanged ? 'it is gone from the target' : 'the device joined anew, or its keys changed',
        }),
  })
  await journal.fact({ name: 'source-keys', session, rootKeys })
  return undefined
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

/** Steps 7 to 9: the source falls silent, and the target gets what it held at that moment. */
const handOver = async (
  context: CrossingContext,
  seen: DeviceRecord,
): Promise<DeviceResult | 'again' | undefined> => {
  const { journal, stateKey, change } = context
  const route = change.route as Route
  const wasSilent = stepDone(journal.progress(), 'stop-source')
  const silent = wasSilent ? seen : await stopSource(context, seen)
  if (keepsSession(route) && route === 'session-kept' && hasPendingSession(silent)) {
    // A join accept was sent before the source fell silent: the device may use the new session already.
    await startSource(context)
    return defer(
      context,
      'JoiningOnSource',
      'it is joining on the source; it crosses once its next uplink was heard there',
    )
  }
  const keys = journal.progress()?.sourceKeys
  const session = keepsKeys(route) ? sessionDigest(silent, stateKey) : null
  if (keys?.session !== session || keys?.rootKeys !== rootKeysDigest(silent, stateKey)) {
    return 'again'
  }
  if (!stepDone(journal.progress(), 'read-again')) {
    await storeInEscrow(context, 'B', silent)
    await rememberSourceAddress(context, silent)
    await markDone(context, 'read-again')
  }
  const desired: Desired = await desiredFrom(context, silent)
  for (const step of stepsOf(context, silent)) {
    if (step.startsWith('final-') && !stepDone(journal.progress(), step))
      await writeFinal(context, step, desired)
  }
  return undefined
}

/** What follows the final write: the target speaks, is heard, and the source is retired as the plan wants. */
const finish = async (context: CrossingContext): Promise<DeviceResult> => {
  const { journal, change, intent } = context
  const steps = crossingSteps({
    route: (journal.progress()?.route ?? change.route) as Route,
    hasJoinServer: journal.progress()?.steps['set-join'] !== undefined,
    policy: intent.policy,
  })
  for (const step of steps) {
    const progress = journal.progress()
    const due = retireDue(progress, intent.policy, context.retireAfter, new Date(journal.now()))
    const left = stepsLeft(steps, progress, progress?.heard !== undefined, due || deletesBegun(progress))
    if (stepDone(progress, step) || (step !== 'hear' && !left.now.includes(step))) continue
    if (step === 'unmute-target') await unmuteTarget(context)
    else if (step === 'hear') await hear(context)
    else if (step === 'prevent-rejoin') await preventRejoin(context)
    else if (step.startsWith('delete-')) await deleteFromSource(context, step)
  }
  const left = stepsLeft(steps, journal.progress(), false, false)
  return { status: left.now.length + left.later.length === 0 ? 'migrated' : 'waiting' }
}

const hear = async (context: CrossingContext): Promise<void> => {
  const { journal, target, change } = context
  const progress = journal.progress()
  if (progress === undefined) return
  const heard = hearing(progress, await target.readSession(change.target))
  if (heard.status !== 'heard') return
  await journal.fact({
    name: 'heard',
    at: journal.now(),
    devAddr: heard.devAddr,
    lastFCntUp: heard.lastFCntUp,
  })
  await markDone(context, 'hear')
}

const stepsOf = ({ change, intent }: CrossingContext, source: DeviceRecord): readonly StepName[] =>
  crossingSteps({
    route: change.route as Route,
    hasJoinServer: source.registries['join-server'] !== undefined,
    policy: intent.policy,
  })

const defer = async ({ journal }: CrossingContext, code: string, message: string): Promise<DeviceResult> => {
  await journal.fact({ name: 'deferred', at: journal.now(), code, message })
  return { status: 'deferred', error: { code, message } }
}

/**
 * What a failure means depends on where it happened. Before the source was stopped, the target is taken back and the
 * source was never touched. After that the device goes on in a later run: its target is muted or serves it, its keys
 * are on both networks and in the escrow.
 */
const failed = async (context: CrossingContext, error: unknown): Promise<DeviceResult> => {
  const record = recordOf(error)
  if (record === undefined) throw error
  const progress = context.journal.progress()
  const isBeforeHandover = !isLetGo(progress) && !deletesBegun(progress) && !stepDone(progress, 'compare')
  // A network that does not answer would not let itself be taken back either.
  if (!isBeforeHandover || !(error instanceof StepFailure)) return { status: 'failed', error: record }
  try {
    await undoImport(context)
    await startSource(context)
    await context.journal.append({
      t: 'undone',
      device: context.change.device,
      at: context.journal.now(),
      error: record,
    })
    return { status: 'failed', error: record }
  } catch (undoError) {
    const second = recordOf(undoError)
    if (second === undefined) throw undoError
    return {
      status: 'failed',
      error: {
        ...record,
        hint: `what was begun on the target could not be taken back (${second.message}); run again to go on`,
      },
    }
  }
}

/** Undefined for errors that end the run: refused credentials, an unwritable state, defects. */
const recordOf = (error: unknown): ErrorRecord | undefined => {
  if (error instanceof StepFailure) return error.error
  if (error instanceof NetworkError && !error.refusesCredentials)
    return errorRecord({
      code: error.code,
      message: error.message,
      hint: error.hint,
      correlationId: error.fault.correlationId,
    })
  return undefined
}

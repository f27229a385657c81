import type { DeviceRecord, Fields, Registry } from '../../domain/device.ts'
import type { StepName } from '../../domain/journal.ts'
import type { EscrowStage } from '../../domain/ports.ts'
import { fieldKind } from '../device/fields.ts'
import { field, registriesOf, sameValue } from '../device/records.ts'
import { restorable } from '../device/restorable.ts'
import { isMuted, MUTE, SOURCE_RETURNED, speaks } from '../device/scheduling.ts'
import { stepDone } from '../progress/standing.ts'
import { type CrossingContext, markDone, onSource, type StepContext, sourceIds } from './context.ts'
import { randomKey } from './credentials.ts'
import { ensureRemoved, ensureWrite, isApplied, StepFailure } from './ensure.ts'

/** Puts all that the source holds into the escrow; returns once it is safe on the disk. */
export const storeInEscrow = async (
  context: Pick<CrossingContext, 'escrow' | 'journal'>,
  stage: EscrowStage,
  record: DeviceRecord,
): Promise<void> => {
  const place = await context.escrow.store(stage, record)
  await context.journal.fact({ name: 'escrow', stage, ...place })
}

/**
 * Keeps what the silent target holds before it is deleted: the source goes on from it. Under the id of the source, by
 * which the escrow is looked up.
 */
export const keepTarget = (context: StepContext, held: DeviceRecord): Promise<void> =>
  storeInEscrow(context, 'T', { ...held, ids: { ...held.ids, deviceId: context.change.device } })

/**
 * Step 7: silences the source and returns what it holds from then on. A muted Network Server still counts uplinks,
 * and answers neither confirmed uplinks nor joins (measured on a real server). The value it had is on the disk
 * before it is changed, to give it back exactly (absent is not false).
 */
export const stopSource = async (context: CrossingContext, seen: DeviceRecord): Promise<DeviceRecord> => {
  const { journal, source } = context
  if (seen.registries['network-server'] === undefined) {
    // It would make an empty device of the setting; what it does not know it can not serve.
    await markDone(context, 'stop-source')
    return seen
  }
  if (journal.progress()?.sourceScheduling === undefined) {
    const was = field(seen, 'network-server', MUTE)
    await journal.fact({ name: 'source-scheduling', value: typeof was === 'boolean' ? was : null })
  }
  await ensureWrite(onSource(context), 'stop-source', {
    registry: 'network-server',
    ids: sourceIds(context),
    fields: { [MUTE]: false },
  })
  const silent = await source.read(context.change.device)
  if (speaks(silent))
    throw new StepFailure('stop-source', {
      code: 'SourceNotSilent',
      message: 'the source was told to be silent, and does not say that it is',
      hint: 'run again; if it stays so, look for somebody who changes the device',
    })
  return silent
}

/** Gives the source back the value it had before step 7: it serves the device again. */
export const startSource = async (context: StepContext): Promise<void> => {
  const was = context.journal.progress()?.sourceScheduling
  if (was === undefined) return
  // A Network Server takes a setting of a device that it does not know, and makes an empty one of it.
  const held = await context.source.read(context.change.device)
  if (held.registries['network-server'] === undefined) return
  const write = {
    registry: 'network-server',
    ids: sourceIds(context),
    fields: was === null ? {} : { [MUTE]: was },
    ...(was === null ? { clear: [MUTE] } : {}),
  } as const
  await ensureWrite(onSource(context), 'start-source', write)
  await context.journal.fact({ name: 'source-started' })
}

/** Random bytes for each root key that is there: with a NwkKey, a new AppKey alone would stop no join. */
const replacements = (join: Fields): Fields =>
  Object.fromEntries(
    Object.keys(join)
      .filter((path) => fieldKind('join-server', path) === 'root-key')
      .map((path) => [path, randomKey()]),
  )

/**
 * Step 14: the device's own root keys no longer open the source. They are in the escrow, and on the target: what
 * differs from those that the target holds is replaced already, by an earlier attempt.
 */
export const preventRejoin = async (context: CrossingContext, target: DeviceRecord): Promise<void> => {
  const { journal, source, change } = context
  const join = (await source.read(change.device)).registries['join-server']
  if (join === undefined) return markDone(context, 'prevent-rejoin')
  if (journal.progress()?.escrow.A === undefined) throw new Error(`${change.device} is not in the escrow`)
  const own = target.registries['join-server']
  const isReplaced = (record: DeviceRecord): boolean =>
    Object.entries(record.registries['join-server'] ?? {}).every(
      ([path, value]) =>
        fieldKind('join-server', path) !== 'root-key' || !sameValue(path, value, own?.[path]),
    )
  const write = { registry: 'join-server', ids: sourceIds(context), fields: replacements(join) } as const
  await ensureWrite(onSource(context), 'prevent-rejoin', write, isReplaced)
}

/**
 * A run that ended while it let the target go does not know whether the target speaks. If the source does by now,
 * somebody started it: a muted target is no reason to leave it so (the crossing begins again, with what the source
 * counted since), a speaking one is: then the source is stopped again.
 */
export const mayLetGo = async (context: CrossingContext): Promise<boolean> => {
  const [source, target] = await Promise.all([
    context.source.read(context.change.device),
    context.target.read(context.change.target),
  ])
  if (!speaks(source)) return true
  if (isMuted(target)) return false
  await stopSource(context, source)
  return true
}

/** Reads the source. Another device may be registered under the id by now: it is not touched. */
export const ensureSourceIsOurs = async (context: StepContext, step: StepName): Promise<DeviceRecord> => {
  const held = await context.source.read(context.change.device)
  refuseReplaced(context, step, held)
  return held
}

/** Refuses what the source holds where that is another device than the one that crosses. */
export const refuseReplaced = (
  { change, journal }: StepContext,
  step: StepName,
  held: DeviceRecord,
): void => {
  const { devEui, joinEui } = journal.progress() ?? {}
  if (registriesOf(held).length === 0 || (held.ids.devEui === devEui && held.ids.joinEui === joinEui)) return
  throw new StepFailure(step, {
    code: 'SourceReplaced',
    message: `the source holds another device under the id ${change.device} now`,
    hint: 'exclude it, or give it another id on the source',
  })
}

/**
 * A source that was deleted and serves the device again, for somebody registered it there: the target must not speak too.
 * A run that goes on looks before it does anything.
 */
export const refuseReturned = async ({ source, change, journal }: CrossingContext): Promise<void> => {
  const progress = journal.progress()
  if (!stepDone(progress, 'delete-network')) return
  const held = await source.read(change.device)
  if (!speaks(held) || held.ids.devEui !== progress?.devEui || held.ids.joinEui !== progress?.joinEui) return
  throw new StepFailure('unmute-target', SOURCE_RETURNED)
}

const RESTORES: { readonly [R in Registry]: StepName } = {
  'identity-server': 'restore-identity',
  'join-server': 'restore-join',
  'application-server': 'restore-application',
  'network-server': 'restore-network',
}

/** Whether an attempt began to register it again, and may have been killed before the start of the session was written. */
export const restoreBegun = ({ journal }: StepContext, registry: Registry): boolean =>
  journal.progress()?.steps[RESTORES[registry]] !== undefined

/**
 * One registry of the source, registered again as the record has it, muted; `there` is what the source holds now. The
 * start of a session is a write of its own, as the server wants it.
 */
export const restoreOnSource = async (
  context: StepContext,
  registry: Registry,
  record: DeviceRecord,
  there: DeviceRecord,
): Promise<void> => {
  const { fields, later } = restorable(record, registry)
  const ids = sourceIds(context)
  const create = registry === 'identity-server' && there.registries[registry] === undefined
  const write = { registry, ids, fields, ...(create ? { create } : {}) }
  if (!isApplied(there, write)) await ensureWrite(onSource(context), RESTORES[registry], write)
  if (Object.keys(later).length > 0)
    await ensureWrite(onSource(context), RESTORES[registry], { registry, ids, fields: later })
}

const DELETES: { readonly [S in StepName]?: Registry } = {
  'delete-application': 'application-server',
  'delete-network': 'network-server',
  'delete-join': 'join-server',
  'delete-identity': 'identity-server',
}

/** One registry of the source. Nothing is deleted that is not in the escrow, by default as it was when it fell silent. */
export const deleteFromSource = async (
  context: CrossingContext,
  step: StepName,
  stage: EscrowStage = 'B',
): Promise<void> => {
  const registry = DELETES[step]
  if (registry === undefined) throw new Error(`${step} deletes nothing`)
  if (context.journal.progress()?.escrow[stage] === undefined)
    throw new Error(`${context.change.device} is not in the escrow`)
  await ensureRemoved(onSource(context), step, registry, sourceIds(context))
}

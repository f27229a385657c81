import { randomBytes } from 'node:crypto'
import type { DeviceRecord, Fields } from '../domain/device.ts'
import type { Registry } from '../domain/device.ts'
import type { StepName } from '../domain/journal.ts'
import type { EscrowStage } from '../domain/ports.ts'
import { Secret } from '../domain/secret.ts'
import { type CrossingContext, markDone, onSource, sourceIds } from './crossing-context.ts'
import { rootKeysDigest } from './digests.ts'
import { ensureRemoved, ensureWrite, StepFailure } from './ensure.ts'
import { fieldKind } from './fields.ts'
import { field } from './records.ts'

const MUTE = 'mac_settings.schedule_downlinks'

/** Puts all that the source holds into the escrow; returns once it is safe on the disk. */
export const storeInEscrow = async (
  context: CrossingContext,
  stage: EscrowStage,
  record: DeviceRecord,
): Promise<void> => {
  const place = await context.escrow.store(stage, record)
  await context.journal.fact({ name: 'escrow', stage, ...place })
}

const isMuted = (record: DeviceRecord): boolean => field(record, 'network-server', MUTE) === false

/**
 * Step 7: silences the source and returns what it holds from then on. A muted Network Server still counts uplinks,
 * and answers neither confirmed uplinks nor joins (measured on a real server). The value it had is on the disk
 * before it is changed, to give it back exactly (absent is not false).
 */
export const stopSource = async (context: CrossingContext, seen: DeviceRecord): Promise<DeviceRecord> => {
  const { journal, source } = context
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
  if (!isMuted(silent))
    throw new StepFailure('stop-source', {
      code: 'SourceNotSilent',
      message: 'the source was told to be silent, and does not say that it is',
      hint: 'run again; if it stays so, look for somebody who changes the device',
    })
  return silent
}

/** Gives the source back the value it had before step 7: it serves the device again. */
export const startSource = async (context: CrossingContext): Promise<void> => {
  const was = context.journal.progress()?.sourceScheduling
  if (was === undefined) return
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
      .map((path) => [path, new Secret(randomBytes(16).toString('hex').toUpperCase())]),
  )

/** Step 14: the device's own root keys no longer open the source. They are in the escrow, and on the target. */
export const preventRejoin = async (context: CrossingContext): Promise<void> => {
  const { journal, source, change } = context
  const ours = journal.progress()?.sourceKeys?.rootKeys ?? null
  const held = await source.read(change.device)
  const isReplaced = (record: DeviceRecord): boolean => rootKeysDigest(record, context.stateKey) !== ours
  const join = held.registries['join-server']
  if (join === undefined) return markDone(context, 'prevent-rejoin')
  if (journal.progress()?.escrow.A === undefined) throw new Error(`${change.device} is not in the escrow`)
  const write = { registry: 'join-server', ids: sourceIds(context), fields: replacements(join) } as const
  await ensureWrite(onSource(context), 'prevent-rejoin', write, isReplaced)
}

const DELETES: { readonly [S in StepName]?: Registry } = {
  'delete-application': 'application-server',
  'delete-network': 'network-server',
  'delete-join': 'join-server',
  'delete-identity': 'identity-server',
}

/** Step 15, one registry. Nothing is deleted that is not in the escrow as it was when the source fell silent. */
export const deleteFromSource = async (context: CrossingContext, step: StepName): Promise<void> => {
  const registry = DELETES[step]
  if (registry === undefined) throw new Error(`${step} deletes nothing`)
  if (context.journal.progress()?.escrow.B === undefined)
    throw new Error(`${context.change.device} is not in the escrow`)
  await ensureRemoved(onSource(context), step, registry, sourceIds(context))
}

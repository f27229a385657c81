import { type DeviceRecord, REGISTRIES, type Registry } from '../../domain/device.ts'
import type { StepName } from '../../domain/journal.ts'
import { clearingOf } from '../crossing/clearing.ts'
import {
  hasIdsOf,
  markDone,
  onSource,
  onTarget,
  type StepContext,
  sourceIds,
  targetIds,
} from '../crossing/context.ts'
import { ensure, ensureWrite, isApplied } from '../crossing/ensure.ts'
import {
  ensureSourceIsOurs,
  keepTarget,
  restoreBegun,
  restoreOnSource,
  startSource,
} from '../crossing/source.ts'
import { notBelow, undoImport } from '../crossing/target.ts'
import { fieldsOfKind, registriesOf, sameValue } from '../device/records.ts'
import { isReprogrammed } from '../device/route.ts'
import { isMuted, MUTE, speaks } from '../device/scheduling.ts'
import { isSourceEnding, stepDone } from '../progress/standing.ts'
import { returnedFields, returnedRecord } from './returned.ts'

const RETURN: { readonly [R in Registry]?: StepName } = {
  'join-server': 'return-join',
  'application-server': 'return-application',
  'network-server': 'return-network',
}

/**
 * Takes one device back, in the reverse of how it crossed: the target falls silent, what it has counted goes into the
 * escrow, the source gets back what it had with that, and the target loses what we made there; then the source serves
 * the device again. Within one deployment the target is deleted before the source can be created again. Resumable at
 * every instant; the state says `undone` when it has ended.
 * @throws StepFailure, NetworkError and FerryError as a crossing does
 */
export const rollBackDevice = async (context: StepContext): Promise<void> => {
  const { journal, change } = context
  if (journal.progress()?.rollbackAt === undefined)
    await journal.fact({ name: 'rollback-begun', at: journal.now() })
  await ensureSourceIsOurs(context, 'mute-target')
  await silenceTarget(context)
  if (change.handover === 'delete-first') {
    await undoImport(context)
    await giveToSource(context)
  } else {
    await giveToSource(context)
    await undoImport(context)
  }
  await startSource(context)
  await journal.append({ t: 'undone', device: change.device, at: journal.now(), returned: true })
}

/** Mutes the target, and keeps what it holds from then on: it is what the source goes on from. */
const silenceTarget = async (context: StepContext): Promise<void> => {
  const { journal, target, change } = context
  if (stepDone(journal.progress(), 'read-target')) return
  const held = await target.read(change.target)
  if (!hasIdsOf(change, held) || registriesOf(held).length === 0) return markDone(context, 'read-target')
  const write = { registry: 'network-server', ids: targetIds(context), fields: { [MUTE]: false } } as const
  if (speaks(held)) await ensureWrite(onTarget(context), 'mute-target', write, isMuted)
  await keepTarget(context, await target.read(change.target))
  await markDone(context, 'read-target')
}

/** The source serves the old credentials of a device that is re-programmed, and has lost nothing. */
const isUntouched = ({ journal }: StepContext): boolean => {
  const progress = journal.progress()
  const wasStopped = progress?.sourceScheduling !== undefined
  const lostKeys = progress?.steps['prevent-rejoin'] !== undefined
  return !wasStopped && !lostKeys && !isSourceEnding(progress)
}

const giveToSource = async (context: StepContext): Promise<void> => {
  const { journal, source, change, escrow } = context
  if (isUntouched(context)) return
  const { A, B, T } = journal.progress()?.escrow ?? {}
  if (A === undefined) throw new Error(`${change.device} is not in the escrow`)
  const first = await escrow.load(A)
  const last = B === undefined ? first : await escrow.load(B)
  const isOther = change.route !== undefined && isReprogrammed(change.route)
  const target = T === undefined || isOther ? undefined : await escrow.load(T)
  const there = await source.read(change.device)
  // A source that others let go has gone on by itself.
  const record = notBelow(returnedRecord(first, last, target), there)
  if (source.clearing !== undefined) return putBack(context, record)
  for (const registry of REGISTRIES) await giveRegistry(context, registry, record, there)
}

/** A network that keeps a device in one piece gets it back in one piece. */
const putBack = async (context: StepContext, record: DeviceRecord): Promise<void> => {
  const { journal, source, change } = context
  if (stepDone(journal.progress(), 'put-back')) return
  const isBack = async (): Promise<boolean> => holdsKeysOf(await source.read(change.device), record)
  await ensure(onSource(context), {
    step: 'put-back',
    registry: 'identity-server',
    verb: 'set',
    paths: ['root_keys', 'session'],
    look: isBack,
    send: () => clearingOf(context).putBack(record),
  })
}

const holdsKeysOf = (held: DeviceRecord, record: DeviceRecord): boolean =>
  REGISTRIES.every((registry) =>
    Object.entries(fieldsOfKind(registry, record.registries[registry], ['root-key', 'session'])).every(
      ([path, value]) => sameValue(path, value, held.registries[registry]?.[path]),
    ),
  )

const giveRegistry = async (
  context: StepContext,
  registry: Registry,
  record: DeviceRecord,
  there: DeviceRecord,
): Promise<void> => {
  if (record.registries[registry] === undefined) return
  const present = there.registries[registry]
  if (present === undefined || (restoreBegun(context, registry) && !speaks(there)))
    return restoreOnSource(context, registry, record, there)
  const step = RETURN[registry]
  // What a source counts that serves a session is its own: only its root keys and nonces are given back.
  if (step === undefined || (registry !== 'join-server' && speaks(there))) return
  const write = { registry, ids: sourceIds(context), fields: returnedFields(registry, record, present) }
  if (Object.keys(write.fields).length === 0) return
  await ensureWrite(onSource(context), step, write, (held) => isApplied(held, write))
}

import { join } from 'node:path'
import type { DeviceRecord, Fields, Registry } from '../domain/device.ts'
import { REGISTRIES } from '../domain/device.ts'
import { FerryError, NetworkError } from '../domain/errors.ts'
import type { ErrorRecord, JournalRecord } from '../domain/journal.ts'
import type { Clock, EscrowStage, NetworkPort } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import { errorRecord } from '../engine/crossing/device-journal.ts'
import { raisedJoinNonce } from '../engine/device/desired.ts'
import { fieldsOfKind, sameValue } from '../engine/device/records.ts'
import { restorable } from '../engine/device/restorable.ts'
import { MUTE, speaks } from '../engine/device/scheduling.ts'
import { bringHere } from '../escrow/copies.ts'
import { type EscrowEntry, listEscrow, readEscrow, readEscrowFile } from '../escrow/escrow-file.ts'
import { nodeFiles } from '../state/file-system.ts'
import type { LocalPlan } from './local-plan.ts'
import type { Stores } from './stores.ts'

/** Where the full record of a device, or its new credentials, lie in the escrow. */
export interface EscrowedDevice {
  readonly device: string
  /** `new` for new credentials. */
  readonly stage: EscrowStage | 'new'
  readonly file: string
  /** 0 for the first. */
  readonly line: number
  /** A record from before its root keys on the source were replaced: holds the device's own. */
  readonly holdsOwnKeys: boolean
}

/** What the state says was stored, oldest first. Needs no identity. @throws FerryError as `readState` does. */
export const listEscrowed = async ({ state: store }: Stores): Promise<readonly EscrowedDevice[]> => {
  const state = await store.read()
  if (state.status === 'absent') return []
  const replaced = new Set<string>()
  return state.records.flatMap((record) => {
    if (record.t === 'intent' && record.step === 'prevent-rejoin') replaced.add(record.device)
    return escrowFact(record, replaced)
  })
}

const escrowFact = (record: JournalRecord, replaced: ReadonlySet<string>): readonly EscrowedDevice[] => {
  if (record.t !== 'fact') return []
  const { device, fact } = record
  if (fact.name === 'credentials') {
    return [{ device, stage: 'new', file: fact.file, line: fact.line, holdsOwnKeys: false }]
  }
  if (fact.name !== 'escrow') return []
  const { stage, file, line } = fact
  // What the target held is no registration of the source.
  return [{ device, stage, file, line, holdsOwnKeys: stage !== 'T' && !replaced.has(device) }]
}

/**
 * The newest record of each device that holds the device's own root keys. A device that the state does not name is
 * looked for in every file: an escrow is of use without its state too.
 * @throws FerryError `EscrowDeviceUnknown` (kind `usage`) for one that is nowhere; as `readEscrow` does.
 */
export const escrowRecords = async (
  { loaded }: LocalPlan,
  stores: Stores,
  devices: readonly string[],
  identity: Secret,
): Promise<readonly EscrowEntry[]> => {
  const folder = loaded.plan.escrow.path
  const index = await listEscrowed(stores).catch((error: unknown) => {
    if (error instanceof FerryError && error.kind === 'stale') return []
    throw error
  })
  const found = new Map<string, EscrowEntry>()
  for (const device of devices) {
    const place = index.findLast((each) => each.device === device && each.holdsOwnKeys)
    if (place === undefined) continue
    await bringHere(folder, place.file, stores.copies, nodeFiles)
    const entry = await readEscrow(join(folder, place.file), place.line, identity)
    if (entry.deviceId === device) found.set(device, entry)
  }
  const lost = devices.filter((device) => !found.has(device))
  if (lost.length > 0) await searchAll(folder, lost, identity, found)
  const missing = devices.filter((device) => !found.has(device))
  if (missing.length > 0) {
    throw new FerryError(
      'usage',
      'EscrowDeviceUnknown',
      `the escrow ${folder} does not hold ${missing.join(', ')}`,
      { hint: 'give device ids of the source; ferry escrow list tells which it holds' },
    )
  }
  return devices.flatMap((device) => found.get(device) ?? [])
}

/** Newest files first, and in a file the last line of a device. */
const searchAll = async (
  folder: string,
  devices: readonly string[],
  identity: Secret,
  found: Map<string, EscrowEntry>,
): Promise<void> => {
  for (const { file } of [...(await listEscrow(folder))].reverse()) {
    if (devices.every((device) => found.has(device))) return
    const entries = await readEscrowFile(join(folder, file), identity)
    for (const device of devices) {
      const entry = entries.findLast((each) => each.deviceId === device && each.stage !== 'T')
      if (entry !== undefined && !found.has(device)) found.set(device, entry)
    }
  }
}

export interface RestoreRow {
  readonly device: string
  readonly status: 'restored' | 'unchanged' | 'failed'
  /** Registries in which the device was missing and was created again. */
  readonly created: readonly Registry[]
  /** Root keys that had been replaced were put back. */
  readonly rootKeys: boolean
  /** The source was muted for it. */
  readonly muted: boolean
  readonly error?: ErrorRecord
}

export interface Restored {
  readonly rows: readonly RestoreRow[]
}

/**
 * Gives devices back to the source, from the escrow: creates the registries that miss them and puts back root keys
 * that were replaced. What the source still has is left as it is: no counter and no nonce is lowered. A device that
 * is changed is always left muted, so that no two networks answer it. The state learns that the source holds the
 * device again; hold the lock. A Join Server that is created again gets a JoinNonce above any that the device can
 * have seen since.
 * @throws NetworkError when credentials are refused; other refusals are in the row of their device.
 */
export const restoreToSource = async (
  { state }: Stores,
  source: NetworkPort,
  entries: readonly EscrowEntry[],
  clock: Clock,
): Promise<Restored> => {
  const journal = await state.openJournal()
  try {
    const rows: RestoreRow[] = []
    for (const entry of entries) {
      const row = await restoreOne(source, entry)
      rows.push(row)
      const fact = { name: 'restored', at: clock().toISOString() } as const
      if (row.status === 'restored') await journal.append([{ t: 'fact', device: row.device, fact }])
    }
    return { rows }
  } finally {
    await journal.close()
  }
}

const restoreOne = async (source: NetworkPort, { deviceId, record }: EscrowEntry): Promise<RestoreRow> => {
  const done: { created: Registry[]; rootKeys: boolean; muted: boolean } = {
    created: [],
    rootKeys: false,
    muted: false,
  }
  try {
    const held = await source.read(deviceId)
    refuseOther(deviceId, record, held)
    const keys = replacedKeys(record, held)
    const missing = REGISTRIES.filter(
      (registry) => record.registries[registry] !== undefined && held.registries[registry] === undefined,
    )
    if (missing.length === 0 && keys === undefined) return { device: deviceId, status: 'unchanged', ...done }
    if (source.clearing !== undefined) throw notMuted(deviceId)
    if (speaks(held)) {
      await source.write({ registry: 'network-server', ids: record.ids, fields: { [MUTE]: false } })
      done.muted = true
    }
    for (const registry of missing) {
      await create(source, registry, record)
      done.created.push(registry)
    }
    if (keys !== undefined) {
      await source.write({ registry: 'join-server', ids: record.ids, fields: keys })
      done.rootKeys = true
    }
    return { device: deviceId, status: 'restored', ...done }
  } catch (error) {
    if (!(error instanceof NetworkError) || error.refusesCredentials) throw error
    return { device: deviceId, status: 'failed', ...done, error: errorOf(error) }
  }
}

const errorOf = (error: NetworkError): ErrorRecord =>
  errorRecord({
    code: error.code,
    message: error.message,
    hint: error.hint,
    correlationId: error.fault.correlationId,
  })

/** It would answer the device at once, and the target may, too. */
const notMuted = (deviceId: string): NetworkError =>
  new NetworkError(
    'RestoreNotMuted',
    'its source can not be muted, and would serve it as soon as it has its keys',
    { effect: 'none', request: `read ${deviceId}` },
    { hint: 'take it back from the target with ferry rollback; or restore it to a file with --out' },
  )

/** Another device may have taken the id since: it is not touched. */
const refuseOther = (deviceId: string, record: DeviceRecord, held: DeviceRecord): void => {
  const isThere = Object.keys(held.registries).length > 0
  if (!isThere || (held.ids.devEui === record.ids.devEui && held.ids.joinEui === record.ids.joinEui)) return
  throw new NetworkError(
    'ForeignDevice',
    `the source has another device ${deviceId} now, with other EUIs`,
    { effect: 'none', request: `read ${deviceId}` },
    { hint: 'restore it to a file with --out, and register it under another id' },
  )
}

/** Root keys of the escrow, where the source holds others. */
const replacedKeys = (record: DeviceRecord, held: DeviceRecord): Fields | undefined => {
  const present = held.registries['join-server']
  if (present === undefined) return undefined
  const own = fieldsOfKind('join-server', record.registries['join-server'], ['root-key'])
  const differ = Object.entries(own).some(([path, key]) => !sameValue(path, present[path], key))
  return differ ? own : undefined
}

/** All that the registry held and takes; the start of a session by a write of its own, as the server wants it. */
const create = async (source: NetworkPort, registry: Registry, record: DeviceRecord): Promise<void> => {
  const { ids } = record
  const { fields: held, later } = restorable(record, registry)
  const joinNonce = record.registries['join-server']?.['last_join_nonce']
  const raised = registry === 'join-server' ? { last_join_nonce: raisedJoinNonce(joinNonce) } : {}
  const fields = { ...held, ...raised }
  await source.write({ registry, ids, fields, ...(registry === 'identity-server' ? { create: true } : {}) })
  if (Object.keys(later).length > 0) await source.write({ registry, ids, fields: later })
}

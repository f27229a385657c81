import { type DeviceSpec, keysOf } from './fleet.ts'
import type { Migration } from './migration.ts'
import { type Store, storeOf } from './stack-api.ts'

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (node, name) =>
      typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : undefined,
    value,
  )

/** Whether a network answers an uplink of the device's session: it holds the session, and is not muted. */
const answersSession = (store: Store, key: string, spec: DeviceSpec): boolean =>
  at(store.networkServer[key], 'session', 'keys', 'f_nwk_s_int_key', 'key') === keysOf(spec).fNwkSIntKey &&
  at(store.networkServer[key], 'session', 'dev_addr') === keysOf(spec).devAddr &&
  at(store.networkServer[key], 'mac_settings', 'schedule_downlinks') !== false

/** Whether a network accepts a join with the device's own EUIs and root keys and sends the accept. */
const answersJoin = (store: Store, key: string, spec: DeviceSpec): boolean =>
  at(store.joinServer[key], 'ids', 'dev_eui') === keysOf(spec).devEui &&
  at(store.joinServer[key], 'ids', 'join_eui') === keysOf(spec).joinEui &&
  at(store.joinServer[key], 'root_keys', 'app_key', 'key') === keysOf(spec).appKey &&
  store.networkServer[key] !== undefined &&
  at(store.networkServer[key], 'mac_settings', 'schedule_downlinks') !== false

/** Whether a network holds all that its device needs to be served again: root keys, or session keys of ABP. */
const holdsKeys = (store: Store, key: string, spec: DeviceSpec): boolean =>
  spec.mode === 'otaa'
    ? at(store.joinServer[key], 'root_keys', 'app_key', 'key') === keysOf(spec).appKey
    : at(store.networkServer[key], 'session', 'keys', 'f_nwk_s_int_key', 'key') ===
        keysOf(spec).fNwkSIntKey &&
      at(store.applicationServer[key], 'session', 'keys', 'app_s_key', 'key') === keysOf(spec).appSKey

/** Promises 1 and 2 for one device at one instant; a list of what is broken, empty when both hold. */
export const brokenPromises = (
  source: Store,
  target: Store,
  key: string,
  spec: DeviceSpec,
  targetKey: string = key,
  escrowed: ReadonlySet<string> = new Set(),
): readonly string[] => {
  const broken: string[] = []
  const isHeld = holdsKeys(source, key, spec) || holdsKeys(target, targetKey, spec)
  if (!isHeld && !escrowed.has(spec.id))
    broken.push(`${key}: neither a network nor the escrow holds its keys`)
  if (answersSession(source, key, spec) && answersSession(target, targetKey, spec))
    broken.push(`${key}: both networks answer its session`)
  if (answersJoin(source, key, spec) && answersJoin(target, targetKey, spec))
    broken.push(`${key}: both networks accept its join`)
  return broken
}

/** As `brokenPromises`, of a device that keeps its id, at this instant. */
export const promisesBroken = async (migration: Migration, spec: DeviceSpec): Promise<readonly string[]> => {
  const { source, target } = migration
  const [from, to] = [`${source.application}/${spec.id}`, `${target.application}/${spec.id}`]
  const escrowed = await migration.escrowed()
  return brokenPromises(await storeOf(source), await storeOf(target), from, spec, to, escrowed)
}

const VOLATILE = new Set([
  'created_at',
  'updated_at',
  'started_at',
  'activated_at',
  'last_seen_at',
  'received_at',
  'last_downlink_at',
  'uplink_token',
  'correlation_ids',
])

/** The four registries of a store without what differs from run to run: times, and fields named in `hide`. */
export const lasting = (store: Store, hide: readonly string[] = []): unknown => {
  const { identityServer, joinServer, networkServer, applicationServer } = store
  const text = JSON.stringify(
    { identityServer, joinServer, networkServer, applicationServer },
    (name, value: unknown) => (VOLATILE.has(name) ? undefined : hide.includes(name) ? '(hidden)' : value),
  )
  return JSON.parse(text)
}

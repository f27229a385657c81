import { type DeviceSpec, keysOf } from './fleet.ts'
import type { Store } from './stack-api.ts'

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

/** Whether a network accepts a join with the device's own root keys and sends the accept. */
const answersJoin = (store: Store, key: string, spec: DeviceSpec): boolean =>
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

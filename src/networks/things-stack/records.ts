import type { DeviceIds, FieldPath, Fields, FieldValue, Registry } from '../../domain/device.ts'
import { parseDevEui, parseJoinEui } from '../../domain/identifiers.ts'
import type { Json } from '../../domain/json.ts'
import { Secret } from '../../domain/secret.ts'
import { FIELDS, type FieldRule, isMemberName, isWritable } from './fields.ts'
import { type JsonObject, objectOf, textOf, treeOf, valueAt, without } from './json-tree.ts'

/** Thrown for a key that the server holds wrapped and did not unwrap: writing it elsewhere would write nothing. */
export class WrappedKey extends Error {
  readonly path: FieldPath
  constructor(path: FieldPath) {
    super(`wrapped key ${path}`)
    this.path = path
  }
}

/** The ids of a device in an answer; EUIs that identify nothing (all zeros as DevEUI) are left out. */
export const idsOf = (device: Json | undefined): DeviceIds => {
  const devEui = parseDevEui(textOf(valueAt(device, 'ids.dev_eui')) ?? '')
  const joinEui = parseJoinEui(textOf(valueAt(device, 'ids.join_eui')) ?? '')
  return {
    deviceId: textOf(valueAt(device, 'ids.device_id')) ?? '',
    ...(devEui === undefined ? {} : { devEui }),
    ...(joinEui === undefined ? {} : { joinEui }),
  }
}

const QUEUED_JOIN_ACCEPT = 'queued_join_accept'

/**
 * A MAC state without the keys in it: a queued join-accept holds the keys of the session to come. It is not
 * carried; that there was one stays visible as an empty object.
 */
const withoutKeys = (value: Json): Json => {
  const state = objectOf(value)
  return state !== undefined && QUEUED_JOIN_ACCEPT in state ? { ...state, [QUEUED_JOIN_ACCEPT]: {} } : value
}

const isMacState = (path: FieldPath): boolean => path === 'mac_state' || path === 'pending_mac_state'

/** The server tells some unset messages as empty objects, which say nothing. */
const isEmpty = (value: Json): boolean => {
  const inside = objectOf(value)
  return inside !== undefined && Object.keys(inside).length === 0
}

const secretAt = (device: Json | undefined, path: FieldPath): Secret | undefined => {
  const envelope = objectOf(valueAt(device, path.slice(0, path.lastIndexOf('.'))))
  const key = textOf(envelope?.['key'])
  if (key !== undefined && key !== '') return new Secret(key.toUpperCase())
  if (envelope?.['encrypted_key'] === undefined) return undefined
  // An Application Server that leaves payloads encrypted keeps this key from everyone, on purpose.
  const kept = device !== undefined && path.endsWith('app_s_key.key') && skipsCrypto(device)
  if (kept) return undefined
  throw new WrappedKey(path)
}

const skipsCrypto = (device: Json): boolean =>
  valueAt(device, 'skip_payload_crypto_override') === true ||
  (valueAt(device, 'skip_payload_crypto_override') === undefined &&
    valueAt(device, 'skip_payload_crypto') === true)

const putField = (
  fields: Record<FieldPath, FieldValue>,
  device: Json | undefined,
  { kind, path }: FieldRule,
): void => {
  if (kind === 'secret') {
    const secret = secretAt(device, path)
    if (secret !== undefined) fields[path] = secret
    return
  }
  const value = valueAt(device, path)
  if (value === undefined) return
  if (kind === 'code') {
    if (typeof value === 'string' && value !== '') fields[path] = new Secret(value)
    return
  }
  if (kind === 'each') {
    for (const [name, member] of Object.entries(objectOf(value) ?? {}))
      if (isMemberName(name) && member !== null) fields[`${path}.${name}`] = member
  } else if (!isEmpty(value)) fields[path] = isMacState(path) ? withoutKeys(value) : value
}

/** The fields of one registry in its answer. Absent stays absent; an explicit `false` or 0 is kept. */
export const fieldsOf = (registry: Registry, device: Json | undefined): Fields => {
  const fields: Record<FieldPath, FieldValue> = {}
  for (const rule of FIELDS[registry]) putField(fields, device, rule)
  return fields
}

/** Paths of a write that the registry must not be asked to take; empty where all is well. */
export const refusedPaths = (
  registry: Registry,
  fields: Fields,
  clear: readonly FieldPath[] = [],
): readonly FieldPath[] => [
  ...Object.keys(fields).filter((path) => !isWritable(registry, path, 'set')),
  ...clear.filter((path) => path in fields || !isWritable(registry, path, 'clear')),
]

/** Reveals: the only place where a key leaves its `Secret`, into the body of a request. */
const revealed = (path: FieldPath, value: FieldValue): Json => {
  if (value instanceof Secret) return value.reveal()
  const state = isMacState(path) ? objectOf(value) : undefined
  return state === undefined ? value : without(state, QUEUED_JOIN_ACCEPT)
}

/** The device as the API takes it: ids without DevAddr (which the server derives), and the fields as a tree. */
export const deviceBody = (application: string, ids: DeviceIds, fields: Fields): JsonObject => ({
  ids: {
    device_id: ids.deviceId,
    application_ids: { application_id: application },
    ...(ids.devEui === undefined ? {} : { dev_eui: ids.devEui }),
    ...(ids.joinEui === undefined ? {} : { join_eui: ids.joinEui }),
  },
  ...treeOf(Object.entries(fields).map(([path, value]) => [path, revealed(path, value)] as const)),
})

import type { DeviceRecord, FieldPath, Fields, FieldValue, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import { canonicalJson, type Json } from '../../domain/json.ts'
import { Secret } from '../../domain/secret.ts'
import { type FieldKind, fieldKind } from './fields.ts'

/** Reads of a record, by type; undefined where the field is absent or of another type. */
export const field = (record: DeviceRecord, registry: Registry, path: FieldPath): FieldValue | undefined =>
  record.registries[registry]?.[path]

export const textField = (record: DeviceRecord, registry: Registry, path: FieldPath): string | undefined => {
  const value = field(record, registry, path)
  return typeof value === 'string' ? value : undefined
}

export const numberField = (
  record: DeviceRecord,
  registry: Registry,
  path: FieldPath,
): number | undefined => {
  const value = field(record, registry, path)
  return typeof value === 'number' ? value : undefined
}

export const secretField = (
  record: DeviceRecord,
  registry: Registry,
  path: FieldPath,
): Secret | undefined => {
  const value = field(record, registry, path)
  return value instanceof Secret ? value : undefined
}

export const isTrue = (record: DeviceRecord, registry: Registry, path: FieldPath): boolean =>
  field(record, registry, path) === true

export type JsonObject = { readonly [key: string]: Json }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)

/** The MAC state of the active session, as The Things Stack writes it. */
export const macState = (record: DeviceRecord): JsonObject | undefined => {
  const value = field(record, 'network-server', 'mac_state')
  return isObject(value) ? value : undefined
}

/** Uplinks that the Network Server remembers of the session, 20 at most; empty where it remembers none. */
export const recentUplinks = (record: DeviceRecord): readonly JsonObject[] => {
  const recent = macState(record)?.['recent_uplinks']
  return (Array.isArray(recent) ? recent : []).filter(isObject)
}

export const hasSession = (record: DeviceRecord): boolean =>
  field(record, 'network-server', 'session.dev_addr') !== undefined

/** A join accept was sent that the device has not confirmed; a muted device never gets there. */
export const hasPendingSession = (record: DeviceRecord): boolean =>
  field(record, 'network-server', 'pending_session.dev_addr') !== undefined

export const registriesOf = (record: DeviceRecord): readonly Registry[] =>
  REGISTRIES.filter((registry) => record.registries[registry] !== undefined)

/** The fields of one registry whose kind is one of `kinds`. */
export const fieldsOfKind = (
  registry: Registry,
  fields: Fields | undefined,
  kinds: readonly FieldKind[],
): Fields =>
  Object.fromEntries(
    Object.entries(fields ?? {}).filter(([path]) => kinds.includes(fieldKind(registry, path))),
  )

/** Values a server leaves out of an answer, because they are a field's zero. */
const isZero = (value: FieldValue | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.values(value).every(isZero))

/** Fields for which an explicit false or 0 is another wish than nothing (wrapper values). */
const isWrapper = (path: FieldPath): boolean => path.startsWith('mac_settings.')

/** Whether two values of a field mean the same; a zero and an absent value do, apart from wrapped MAC settings. */
export const sameValue = (path: FieldPath, a: FieldValue | undefined, b: FieldValue | undefined): boolean => {
  if (a instanceof Secret || b instanceof Secret)
    return a instanceof Secret && b instanceof Secret && a.equals(b)
  if (!isWrapper(path) && isZero(a) && isZero(b)) return true
  return canonicalJson(a ?? null) === canonicalJson(b ?? null)
}

/** Whether two readings hold the same, keys included. */
export const isSameRecord = (a: DeviceRecord, b: DeviceRecord): boolean =>
  canonicalJson(revealed(a)) === canonicalJson(revealed(b))

const revealed = ({ ids, registries }: DeviceRecord): unknown => ({
  ids,
  registries: Object.fromEntries(
    (Object.entries(registries) as [Registry, Fields][]).map(([registry, fields]) => [
      registry,
      Object.fromEntries(
        Object.entries(fields).map(([path, value]) => [
          path,
          value instanceof Secret ? { key: value.reveal() } : value,
        ]),
      ),
    ]),
  ),
})

import { createHash, createHmac, hash } from 'node:crypto'
import type { DeviceRecord, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import type { Digest } from '../../domain/identifiers.ts'
import { canonicalJson } from '../../domain/json.ts'
import { Secret } from '../../domain/secret.ts'
import { type FieldKind, fieldKey, fieldKind } from './fields.ts'

/** Bytes of a short digest: enough to notice a change, of no use to guess a key from without the HMAC key. */
const SHORT = 8

/** Cut before it is text: a piece of a text keeps the whole in memory. */
const short = (digest: Buffer): string => digest.subarray(0, SHORT).toString('hex')

/** The HMAC key where the plan names none: the same for every reader of plan and state, so not secret. */
export const derivedDigestKey = (lineage: string, plan: Digest): string =>
  createHash('sha256').update(`${lineage}\n${plan}`).digest('hex')

const valuesOfKinds = (record: DeviceRecord, kinds: readonly FieldKind[]): Record<string, unknown> => {
  const values: Record<string, unknown> = {}
  for (const registry of REGISTRIES) {
    for (const [path, value] of Object.entries(record.registries[registry] ?? {})) {
      if (!kinds.includes(fieldKind(registry, path))) continue
      values[fieldKey(registry, path)] = value instanceof Secret ? value.reveal() : value
    }
  }
  return values
}

const keyed = (values: Record<string, unknown>, key: string): string | null =>
  Object.keys(values).length === 0
    ? null
    : short(createHmac('sha256', key).update(canonicalJson(values)).digest())

/** HMAC over all root keys; null where there are none. */
export const rootKeysDigest = (record: DeviceRecord, key: string): string | null =>
  keyed(valuesOfKinds(record, ['root-key']), key)

/** HMAC over DevAddr, session key id and session keys; null where there is no session. */
export const sessionDigest = (record: DeviceRecord, key: string): string | null =>
  keyed(valuesOfKinds(record, ['session']), key)

const plain = (value: unknown): string => short(hash('sha256', canonicalJson(value), 'buffer'))

/** Over the settings of a record, which hold no secret. */
export const settingsDigest = (record: DeviceRecord): string =>
  plain(valuesOfKinds(record, ['setting', 'address']))

/** Of each setting, by `registry path`: what the state keeps of what we applied. */
export const settingDigests = (record: DeviceRecord): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(valuesOfKinds(record, ['setting', 'address'])).map(([key, value]) => [key, plain(value)]),
  )

export const settingDigest = (record: DeviceRecord, registry: Registry, path: string): string | undefined => {
  const value = record.registries[registry]?.[path]
  return value === undefined ? undefined : plain(value instanceof Secret ? null : value)
}

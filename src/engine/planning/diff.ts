import type { FieldChange, FieldReason, ShownValue } from '../../domain/change-set.ts'
import type { DeviceRecord, FieldValue, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import type { Json } from '../../domain/json.ts'
import { redact } from '../../domain/redact.ts'
import { Secret } from '../../domain/secret.ts'
import type { Desired, Reasons } from '../device/desired.ts'
import { settingDigest } from '../device/digests.ts'
import { type FieldKind, fieldKey, fieldKind, fieldRule } from '../device/fields.ts'
import { parameters } from '../device/mac-state.ts'
import { isObject, sameValue } from '../device/records.ts'

const ABSENT: ShownValue = { absent: true }
const IS_MOVING: ShownValue = { moving: true }

/** How a value is shown; of a secret only how it compares. */
const shown = (
  value: FieldValue | undefined,
  other: FieldValue | undefined,
  side: 'before' | 'after',
): ShownValue => {
  if (value === undefined) return ABSENT
  if (!(value instanceof Secret)) return { value: withoutKeys(other === undefined ? summary(value) : value) }
  if (other instanceof Secret) return { sensitive: value.equals(other) ? 'same' : 'changes' }
  return { sensitive: side === 'after' ? 'added' : 'removed' }
}

/** Scripts are shown by their length: a fleet's worth of them would fill the memory. */
const summary = (value: Json): Json =>
  isObject(value)
    ? Object.fromEntries(
        Object.entries(value).map(([name, item]) => [
          name,
          typeof item === 'string' && item.length > 200 ? `${item.length} characters` : item,
        ]),
      )
    : value

/** People keep keys in attributes and descriptions, and other tools do. Long texts are scripts. */
const withoutKeys = (value: Json): Json => {
  if (typeof value === 'string') return value.length > 200 ? value : redact(value)
  if (Array.isArray(value)) return value.map(withoutKeys)
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutKeys(item)]))
    : value
}

/** Kinds of fields that move by themselves: a preview that showed their values would be stale when it is made. */
const MOVING: readonly FieldKind[] = ['counter', 'nonce', 'mac-state', 'status', 'session-time']

/** How a value of a device that is created is shown: keys against the source's, moving values by their rule. */
const createdValue = (
  registry: Registry,
  path: string,
  value: FieldValue,
  source: FieldValue | undefined,
  because: string | undefined,
): ShownValue => {
  if (value instanceof Secret)
    return { sensitive: source instanceof Secret && source.equals(value) ? 'same' : 'added' }
  if (!MOVING.includes(fieldKind(registry, path)) && path !== 'session.keys.session_key_id') {
    return { value: withoutKeys(summary(value)) }
  }
  if (path !== 'mac_state' || because !== 'policy.rx1Delay' || !isObject(value)) return IS_MOVING
  return {
    value: { 'desired_parameters.rx1_delay': parameters(value, 'desired_parameters')?.['rx1_delay'] ?? 0 },
  }
}

const change = (
  registry: Registry,
  path: string,
  before: FieldValue | undefined,
  after: FieldValue | undefined,
  verdict: FieldChange['verdict'],
  reason: FieldReason,
  because: string | undefined,
): FieldChange => ({
  registry,
  path,
  before: shown(before, after, 'before'),
  after: shown(after, before, 'after'),
  verdict,
  reason,
  ...(because === undefined ? {} : { because }),
})

/** All fields of a device that is to be created; those that are made when it crosses without a value. */
export const createdFields = (
  source: DeviceRecord,
  { record: desired, reasons, generated }: Desired,
): readonly FieldChange[] => [
  ...generated.map((key) => generatedField(key)),
  ...REGISTRIES.flatMap((registry) =>
    Object.entries(desired.registries[registry] ?? {}).map(([path, value]): FieldChange => {
      const because = reasons[fieldKey(registry, path)]
      return {
        registry,
        path,
        before: ABSENT,
        after: createdValue(registry, path, value, source.registries[registry]?.[path], because),
        verdict: 'write',
        reason: because === undefined ? 'create' : 'plan',
        ...(because === undefined ? {} : { because }),
      }
    }),
  ),
]

const generatedField = (key: string): FieldChange => {
  const [registry = '', path = ''] = key.split(' ')
  return {
    registry: registry as Registry,
    path,
    before: ABSENT,
    after: { generated: true },
    verdict: 'write',
    reason: 'plan',
    because: path.startsWith('session.') ? 'policy.abp' : 'new root keys',
  }
}

/** Fields of the source that stay behind, with the reason of the field table. */
export const fieldsLeftBehind = (
  source: DeviceRecord,
  desired: DeviceRecord,
  reasons: Reasons,
): readonly FieldChange[] =>
  REGISTRIES.flatMap((registry) =>
    Object.entries(source.registries[registry] ?? {})
      .filter(([path]) => desired.registries[registry]?.[path] === undefined)
      .map(([path]) =>
        change(
          registry,
          path,
          undefined,
          undefined,
          'leave',
          'not-carried',
          reasons[fieldKey(registry, path)] ?? leftBehindBecause(registry, path),
        ),
      ),
  )

const leftBehindBecause = (registry: Registry, path: string): string => {
  const { kind, because } = fieldRule(registry, path)
  switch (kind) {
    case 'not-carried':
    case 'address':
    case 'scheduling':
      return because
    case 'setting':
    case 'root-key':
    case 'nonce':
      return 'belongs to the root keys that are replaced'
    case 'session':
    case 'session-time':
    case 'counter':
    case 'mac-state':
    case 'status':
      return 'the session is not kept'
  }
}

/** Why a setting differs: from what we applied last, what the target holds, and what is wanted. */
const reasonOf = (
  prior: string | undefined,
  observed: string | undefined,
  because: string | undefined,
): FieldReason => {
  if (prior === undefined) return because === undefined ? 'not-known-before' : 'plan'
  if (prior === observed) return because === undefined ? 'source-changed' : 'plan'
  return 'target-drifted'
}

/**
 * The three-valued diff of the settings of a device that the target holds already: `applied` are the digests of
 * what we applied last. Only settings are ever written here: a living session is never touched, and a root key
 * that differs makes the device another one (the caller blocks it).
 */
export const settingChanges = (
  observed: DeviceRecord,
  desired: DeviceRecord,
  reasons: Reasons,
  applied: Readonly<Record<string, string>> | undefined,
): readonly FieldChange[] => {
  const changes: FieldChange[] = []
  for (const registry of REGISTRIES) {
    const wanted = desired.registries[registry]
    // A registry that the source has lost says nothing about what the target is to hold.
    if (wanted === undefined) continue
    const held = observed.registries[registry] ?? {}
    const paths = new Set([...Object.keys(wanted), ...Object.keys(held)])
    for (const path of [...paths].sort()) {
      const kind = fieldKind(registry, path)
      if (kind !== 'setting' && kind !== 'address') continue
      const key = fieldKey(registry, path)
      const before = held[path]
      const after = wanted[path]
      // A value that only the target has is its own, unless it is one that we applied and now want gone.
      if (after === undefined && applied?.[key] === undefined) continue
      if (sameValue(path, before, after)) continue
      const reason = reasonOf(applied?.[key], settingDigest(observed, registry, path), reasons[key])
      changes.push(change(registry, path, before, after, 'write', reason, reasons[key]))
    }
  }
  return changes
}

/** What is equal is counted, not compared by a reader: a fleet's scripts, twice a device, would fill the memory. */
const brief = (value: FieldValue | undefined): FieldValue | undefined =>
  value === undefined || value instanceof Secret ? value : summary(value)

/** Settings and keys that are equal on both sides, to count them in the preview. */
export const equalFields = (observed: DeviceRecord, desired: DeviceRecord): readonly FieldChange[] =>
  REGISTRIES.flatMap((registry) =>
    Object.entries(desired.registries[registry] ?? {})
      .filter(([path]) => ['setting', 'address', 'root-key'].includes(fieldKind(registry, path)))
      .filter(([path, value]) => sameValue(path, observed.registries[registry]?.[path], value))
      .map(([path, value]) =>
        change(
          registry,
          path,
          brief(observed.registries[registry]?.[path]),
          brief(value),
          'leave',
          'equal',
          undefined,
        ),
      ),
  )

import type { DeviceChange, FieldChange, ShownValue } from '../../domain/change-set.ts'
import type { Json } from '../../domain/json.ts'
import type { SelectableDevice } from '../../domain/migration-plan.ts'
import { fieldKey } from '../device/fields.ts'

/** Values of one field that are kept to be shared; what differs from device to device is not worth keeping. */
const KEPT = 64

/** One object for all that are equal. */
const createPool = <T>(textOf: (value: T) => string): ((kind: string, value: T) => T) => {
  const kinds = new Map<string, Map<string, T>>()
  return (kind, value) => {
    let pool = kinds.get(kind)
    if (pool === undefined) {
      pool = new Map()
      kinds.set(kind, pool)
    }
    const text = textOf(value)
    const known = pool.get(text)
    if (known !== undefined) return known
    if (pool.size < KEPT) pool.set(text, value)
    return value
  }
}

const NOTHING: DeviceChange['findings'] = []

/** Most are texts, or none. */
const sideOf = (side: ShownValue): string => {
  if ('absent' in side) return '-'
  if (!('value' in side)) return JSON.stringify(side)
  return typeof side.value === 'string' ? `"${side.value}` : `=${JSON.stringify(side.value)}`
}

const fieldText = ({ before, after, verdict, reason, because = '' }: FieldChange): string =>
  `${verdict} ${reason} ${because}\n${sideOf(before)}\n${sideOf(after)}`

/**
 * The changes of a large fleet are alike. What is equal in them is kept once, and ids as the listing has them, or a hundred
 * thousand would not fit into the memory.
 */
export const createCompactor = (): ((change: DeviceChange, listed: SelectableDevice) => DeviceChange) => {
  const field = createPool(fieldText)
  const list = createPool<readonly Json[]>((value) => value.join())
  const profile = createPool<NonNullable<DeviceChange['profile']>>((value) => JSON.stringify(value))
  return (change, { deviceId, devEui, joinEui }) => ({
    ...change,
    device: deviceId,
    target: change.target === deviceId ? deviceId : change.target,
    ...(change.devEui === devEui && devEui !== undefined ? { devEui } : {}),
    ...(change.joinEui === joinEui && joinEui !== undefined ? { joinEui } : {}),
    fields: change.fields.map((each) => field(fieldKey(each.registry, each.path), each)),
    findings: change.findings.length === 0 ? NOTHING : change.findings,
    steps: list('steps', change.steps) as DeviceChange['steps'],
    later: list('later', change.later) as DeviceChange['later'],
    ...(change.profile === undefined ? {} : { profile: profile('profile', change.profile) }),
  })
}

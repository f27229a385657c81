import type { DeviceChange, FieldChange, ShownValue } from '../../domain/change-set.ts'
import type { Json } from '../../domain/json.ts'

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

const sideOf = (side: ShownValue): string =>
  'value' in side ? `=${JSON.stringify(side.value)}` : JSON.stringify(side)

const fieldText = ({ before, after, verdict, reason, because = '' }: FieldChange): string =>
  `${verdict} ${reason} ${because} ${sideOf(before)} ${sideOf(after)}`

/**
 * The changes of a large fleet are alike. What is equal in them is kept once, or a hundred thousand would not fit into the
 * memory.
 */
export const createCompactor = (): ((change: DeviceChange) => DeviceChange) => {
  const field = createPool(fieldText)
  const list = createPool<readonly Json[]>((value) => value.join())
  const profile = createPool<NonNullable<DeviceChange['profile']>>((value) => JSON.stringify(value))
  return (change) => ({
    ...change,
    fields: change.fields.map((each) => field(`${each.registry} ${each.path}`, each)),
    steps: list('steps', change.steps) as DeviceChange['steps'],
    later: list('later', change.later) as DeviceChange['later'],
    ...(change.profile === undefined ? {} : { profile: profile('profile', change.profile) }),
  })
}

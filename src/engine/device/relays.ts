import type { Fields, FieldValue } from '../../domain/device.ts'
import type { Json } from '../../domain/json.ts'
import { Secret } from '../../domain/secret.ts'

/** The id on the target of a device id on the source. */
export type NewIdOf = (deviceId: string) => string

/** Where the Network Server names other devices of the application: settings of relays (TS011), and what was agreed on. */
const PATHS = ['mac_settings.relay', 'mac_settings.desired_relay', 'mac_state'] as const
/** Of the relay that serves a device, and of the devices that a relay forwards. */
const NAMES = ['serving_device_id', 'device_id']

const renamed = (value: Json, newIdOf: NewIdOf): Json => {
  if (Array.isArray(value)) return value.map((item: Json) => renamed(item, newIdOf))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value as { readonly [key: string]: Json }).map(([name, item]) => [
      name,
      NAMES.includes(name) && typeof item === 'string' ? newIdOf(item) : renamed(item, newIdOf),
    ]),
  )
}

/** Fields that name devices which get other ids on the target, with those ids. */
export const withRenamedRelays = (
  fields: Fields,
  newIdOf: NewIdOf,
): readonly (readonly [path: string, value: FieldValue])[] =>
  PATHS.flatMap((path) => {
    const value = fields[path]
    if (value === undefined || value instanceof Secret) return []
    const text = JSON.stringify(value)
    if (!NAMES.some((name) => text.includes(`"${name}"`))) return []
    const after = renamed(value, newIdOf)
    return JSON.stringify(after) === text ? [] : [[path, after] as const]
  })

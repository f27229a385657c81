import type { DeviceIds, DeviceRecord, Fields, Original, Registry } from '../domain/device.ts'
import { REGISTRIES } from '../domain/device.ts'
import { FerryError } from '../domain/errors.ts'
import { parseDevEui, parseJoinEui } from '../domain/identifiers.ts'
import { Secret } from '../domain/secret.ts'

/**
 * A device record as JSON that holds the keys: `Secret.toJSON` redacts, so the escrow, whose purpose is the keys, has
 * its own. A secret is `{"secret":"..."}`; a plain object that looks like this, or like its own escape, is wrapped as
 * `{"plain":{...}}`. Only text that is encrypted next may come from here. A record that would not come back exactly is
 * refused here, before its source is touched: `EscrowValueUnsupported` (kind `unexpected`).
 */
export const serialiseRecord = (record: DeviceRecord): string => {
  const text = write(record)
  const restored = deserialiseRecord(text)
  if (restored === undefined || write(restored) !== text) throw unsupported('its id, EUIs or registries')
  return text
}

/**
 * The record that `serialiseRecord` was given, with its secrets as `Secret`s; undefined for what is not one.
 *
 * @example deserialiseRecord(serialiseRecord(record))
 */
export const deserialiseRecord = (text: string): DeviceRecord | undefined => {
  try {
    return recordFromJson(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** As `deserialiseRecord`, of JSON that is parsed already. */
export const recordFromJson = (json: unknown): DeviceRecord | undefined => {
  const value = decode(json)
  if (!isObject(value)) return undefined
  const ids = idsFrom(value['ids'])
  const registries = value['registries']
  if (ids === undefined || !isObject(registries)) return undefined
  const names = Object.keys(registries)
  if (!names.every(isRegistry) || !Object.values(registries).every(isObject)) return undefined
  const { original } = value
  return {
    ids,
    registries: registries as { readonly [R in Registry]?: Fields },
    ...(isObject(original) ? { original: original as Original } : {}),
  }
}

const write = ({ ids: { deviceId, devEui, joinEui }, registries, original }: DeviceRecord): string =>
  JSON.stringify(
    encode(
      { ids: { deviceId, devEui, joinEui }, registries, ...(original === undefined ? {} : { original }) },
      'record',
    ),
  )

const MARKERS: readonly string[] = ['secret', 'plain']

const isMarker = (value: object): boolean => {
  const keys = Object.keys(value)
  return keys.length === 1 && MARKERS.includes(keys[0] ?? '')
}

/** What can't be written exactly is refused: a key or counter that came back as null would be found too late. */
const encode = (value: unknown, path: string): unknown => {
  if (value instanceof Secret) return { secret: value.reveal() }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map((item, index) => encode(item, `${path}.${index}`))
  if (typeof value === 'object' && isPlain(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    const encoded = Object.fromEntries(entries.map(([key, item]) => [key, encode(item, `${path}.${key}`)]))
    return isMarker(encoded) ? { plain: encoded } : encoded
  }
  throw unsupported(`${path}, a ${typeof value},`)
}

const unsupported = (what: string): FerryError =>
  new FerryError('unexpected', 'EscrowValueUnsupported', `${what} can't be kept exactly in the escrow`, {
    hint: 'nothing was changed for this device; report this',
  })

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const decode = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [key, inner] = entries[0] ?? []
  if (entries.length === 1 && key === 'secret' && typeof inner === 'string') return new Secret(inner)
  if (entries.length === 1 && key === 'plain' && typeof inner === 'object' && inner !== null) {
    return decodeEntries(Object.entries(inner))
  }
  return decodeEntries(entries)
}

const decodeEntries = (entries: readonly (readonly [string, unknown])[]): unknown =>
  Object.fromEntries(entries.map(([key, item]) => [key, decode(item)]))

const idsFrom = (value: unknown): DeviceIds | undefined => {
  if (!isObject(value)) return undefined
  const { deviceId, devEui, joinEui } = value
  const dev = typeof devEui === 'string' ? parseDevEui(devEui) : undefined
  const join = typeof joinEui === 'string' ? parseJoinEui(joinEui) : undefined
  if (typeof deviceId !== 'string') return undefined
  if ((devEui !== undefined && dev === undefined) || (joinEui !== undefined && join === undefined))
    return undefined
  return {
    deviceId,
    ...(dev === undefined ? {} : { devEui: dev }),
    ...(join === undefined ? {} : { joinEui: join }),
  }
}

const isRegistry = (name: string): name is Registry => REGISTRIES.some((registry) => registry === name)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret)

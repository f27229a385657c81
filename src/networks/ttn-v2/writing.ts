import type { DeviceRecord, Original } from '../../domain/device.ts'
import type { Json } from '../../domain/json.ts'
import type { RegistryWrite } from '../../domain/ports.ts'
import { Secret } from '../../domain/secret.ts'
import type { Api } from './api.ts'
import { unsupported } from './errors.ts'

/** Names of what a device loses when it is cleared; '' clears, and what is left out would stay. */
const KEYS = ['app_key', 'nwk_s_key', 'app_s_key', 'dev_addr']
const APP_KEY = 'root_keys.app_key.key'

type Tree = { readonly [name: string]: Json }

const revealed = (value: Original[string]): Json =>
  value instanceof Secret
    ? value.reveal()
    : typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revealed(item)]))
      : (value as Json)

/** All of the device, for a write replaces it (V2 notes, section 1); what V2 tells and does not take is left out. */
const bodyOf = (original: Original, changes: Tree): Json => {
  const { lorawan_device, ...outer } = revealed(original) as {
    readonly lorawan_device: Tree
    readonly [name: string]: Json
  }
  const { last_seen: _seen, ...inner } = lorawan_device
  return { ...outer, lorawan_device: { ...inner, ...changes } }
}

const put = async (api: Api, deviceId: string, body: Json): Promise<void> => {
  await api.call({ method: 'PUT', path: api.devicesPath(deviceId), body })
}

const wholeOf = ({ original, ids }: DeviceRecord): Original => {
  if (original === undefined) throw new Error(`${ids.deviceId} is not a device of a Stack V2`)
  return original
}

/** Empties the keys and the DevAddr; counters, flags, attributes and location stay as they were read. */
export const clearKeys = (api: Api, seen: DeviceRecord): Promise<void> =>
  put(api, seen.ids.deviceId, bodyOf(wholeOf(seen), Object.fromEntries(KEYS.map((name) => [name, '']))))

/** Counters of the record, which may have grown on the target: the last that was used there, the next one here. */
export const putBack = (api: Api, record: DeviceRecord): Promise<void> => {
  const original = wholeOf(record)
  const lorawan = original['lorawan_device'] as Original
  const network = record.registries['network-server'] ?? {}
  const [up, down] = [Number(lorawan['f_cnt_up'] ?? 0), Number(lorawan['f_cnt_down'] ?? 0)]
  const lastDown = Math.max(
    Number(network['session.last_n_f_cnt_down'] ?? 0),
    Number(record.registries['application-server']?.['session.last_a_f_cnt_down'] ?? 0),
  )
  return put(
    api,
    record.ids.deviceId,
    bodyOf(original, {
      f_cnt_up: Math.max(up, Number(network['session.last_f_cnt_up'] ?? 0)),
      f_cnt_down: lastDown > down ? lastDown + 1 : down,
    }),
  )
}

/** The one field that is written to a source that stays: another AppKey, with all else as it is at this moment. */
export const replaceAppKey = async (
  api: Api,
  host: string,
  read: (deviceId: string) => Promise<DeviceRecord>,
  { registry, ids, fields }: RegistryWrite,
): Promise<void> => {
  const key = fields[APP_KEY]
  if (registry !== 'join-server' || !(key instanceof Secret) || Object.keys(fields).length > 1)
    throw unsupported(`be told ${Object.keys(fields).join(', ')}`, host)
  const seen = await read(ids.deviceId)
  await put(api, ids.deviceId, bodyOf(wholeOf(seen), { app_key: key.reveal() }))
}

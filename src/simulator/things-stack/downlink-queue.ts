import { randomBytes } from 'node:crypto'
import { decode } from '../json/decode.ts'
import { child, isMessage, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import { validate, wrapInvalid } from '../json/validate.ts'
import { deviceKey, type Network } from '../network.ts'
import { cryptPayload } from '../radio/crypto.ts'
import { type Call, param, type Route } from './call.ts'
import { checkIds, deviceEntity } from './devices.ts'
import { decodeError, errors, fail } from './errors.ts'
import { requireApplication } from './rights.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const ulid = (): string => [...randomBytes(26)].map((byte) => alphabet[byte % 32]).join('')

interface Keys {
  readonly devAddr: string
  readonly appSKey: string
}

const keysOf = (record: Message | undefined): Keys | undefined => {
  const devAddr = textAt(record, 'session.dev_addr')
  const appSKey = textAt(record, 'session.keys.app_s_key.key')
  return devAddr === undefined || appSKey === undefined ? undefined : { devAddr, appSKey }
}

const crypt = ({ appSKey, devAddr }: Keys, item: Message): Message => {
  const payload = cryptPayload(
    appSKey,
    1,
    devAddr,
    numberAt(item, 'f_cnt'),
    Buffer.from(textAt(item, 'frm_payload') ?? '', 'base64'),
  )
  return payload.length === 0 ? item : { ...item, frm_payload: payload.toString('base64') }
}

const storeQueue = (network: Network, key: string, items: readonly Message[], last: number): void => {
  const networkRecord = network.networkServer.get(key)
  const record = network.applicationServer.get(key)
  const session = child(networkRecord, 'session')
  if (networkRecord !== undefined && session !== undefined) {
    network.networkServer.set(
      key,
      decode('EndDevice', {
        ...networkRecord,
        session: { ...session, queued_application_downlinks: [...items] },
      }),
    )
  }
  const own = child(record, 'session')
  if (record !== undefined && own !== undefined) {
    network.applicationServer.set(
      key,
      decode('EndDevice', {
        ...record,
        session: { ...own, last_a_f_cnt_down: last },
        updated_at: network.clock.nanos(),
      }),
    )
  }
}

/** The lowest counter that the next application downlink may have. */
const nextCounter = (network: Network, key: string): number => {
  const networkRecord = network.networkServer.get(key)
  const last = numberAt(network.applicationServer.get(key), 'session.last_a_f_cnt_down')
  const shared = textAt(networkRecord, 'mac_state.lorawan_version') !== 'MAC_V1_1'
  return Math.max(last, shared ? numberAt(networkRecord, 'session.last_n_f_cnt_down') : 0) + 1
}

/**
 * Encrypts a queue anew when the network's own downlinks have used up its counters: below LoRaWAN 1.1 both share one
 * (API notes, section 6.6). Does nothing while the counters are high enough.
 */
export const requeueFrom = (network: Network, key: string): void => {
  const networkRecord = network.networkServer.get(key)
  const queue = listAt(networkRecord, 'session.queued_application_downlinks')
  const keys = keysOf(network.applicationServer.get(key))
  const lowest = numberAt(networkRecord, 'session.last_n_f_cnt_down') + 1
  const [first] = queue
  if (
    first === undefined ||
    keys === undefined ||
    textAt(networkRecord, 'mac_state.lorawan_version') === 'MAC_V1_1'
  )
    return
  if (numberAt(first, 'f_cnt') >= lowest) return
  const renewed = queue.map((item, index) => crypt(keys, { ...crypt(keys, item), f_cnt: lowest + index }))
  storeQueue(network, key, renewed, lowest + queue.length - 1)
}

const readItems = (call: Call): readonly Message[] => {
  const given = call.body['downlinks']
  if (given === undefined || given === null) return []
  if (!Array.isArray(given)) throw decodeError('unmarshal error at path "downlinks": expected array')
  return given.map((item, index) => {
    if (!isMessage(item)) throw decodeError('unmarshal error at path "downlinks": expected object')
    const read = decode('ApplicationDownlink', item, 'downlinks')
    const invalid = validate('ApplicationDownlink', read, [
      'f_port',
      'frm_payload',
      'priority',
      'session_key_id',
    ])
    if (invalid !== undefined) throw wrapInvalid('DownlinkQueueRequest', `downlinks[${index}]`, invalid)
    return read
  })
}

const write = (call: Call, method: 'Push' | 'Replace', items: readonly Message[]): void => {
  const { network } = call
  const application = param(call, 'application')
  const key = deviceKey(application, param(call, 'device'))
  const record = network.applicationServer.get(key)
  if (record === undefined)
    throw fail(errors.asDeviceNotFound, { device_uid: `${application}.${param(call, 'device')}` })
  const keys = keysOf(record)
  const networkRecord = network.networkServer.get(key)
  if (keys === undefined || child(networkRecord, 'session') === undefined)
    throw fail(errors.asNoDeviceSession)
  if (items.some((item) => item['f_port'] === undefined)) throw fail(errors.asNoFPort)
  const rpc = `rpc:/ttn.lorawan.v3.AppAs/DownlinkQueue${method}:${ulid()}`
  const first = nextCounter(network, key)
  const keyId = textAt(record, 'session.keys.session_key_id')
  const added = items.map((item, index) =>
    crypt(
      keys,
      decode('ApplicationDownlink', {
        ...item,
        session_key_id: keyId,
        f_cnt: first + index,
        correlation_ids: [`as:downlink:${ulid()}`, rpc],
        ...(item['confirmed'] === true ? { confirmed_retry: { attempt: 1 } } : {}),
      }),
    ),
  )
  const before = method === 'Push' ? listAt(networkRecord, 'session.queued_application_downlinks') : []
  const last = items.length === 0 ? numberAt(record, 'session.last_a_f_cnt_down') : first + items.length - 1
  storeQueue(network, key, [...before, ...added], last)
}

const writeRoute = (method: 'Push' | 'Replace'): Route => ({
  method: 'POST',
  path: `/as/applications/:application/devices/:device/down/${method.toLowerCase()}`,
  rpc: `/ttn.lorawan.v3.AppAs/DownlinkQueue${method}`,
  registry: 'as',
  prepare: (call) => {
    checkIds('DownlinkQueueRequest', call)
    const items = readItems(call)
    return {
      entity: deviceEntity(call),
      run: () => {
        requireApplication(call.network, call.credentials(), param(call, 'application'), 'TRAFFIC_DOWN_WRITE')
        write(call, method, items)
        return { body: {} }
      },
    }
  },
})

const list: Route = {
  method: 'GET',
  path: '/as/applications/:application/devices/:device/down',
  rpc: '/ttn.lorawan.v3.AppAs/DownlinkQueueList',
  registry: 'as',
  prepare: (call) => {
    checkIds('EndDeviceIdentifiers', call, '')
    return {
      entity: deviceEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'TRAFFIC_READ')
        const key = deviceKey(application, param(call, 'device'))
        const record = call.network.applicationServer.get(key)
        if (record === undefined || !call.network.networkServer.has(key)) throw fail(errors.redisNotFound)
        const keys = keysOf(record)
        const queue = listAt(call.network.networkServer.get(key), 'session.queued_application_downlinks')
        if (keys === undefined || queue.length === 0) return { body: {} }
        return { body: { downlinks: queue.map((item) => crypt(keys, item)) } }
      },
    }
  },
}

/** The application downlink queue of a device (API notes, section 8): held by the Network Server, encrypted. */
export const downlinkQueueRoutes: readonly Route[] = [writeRoute('Push'), writeRoute('Replace'), list]

import { decode } from '../json/decode.ts'
import { isMessage, type Message, numberAt } from '../json/types.ts'
import { validate, wrapInvalid } from '../json/validate.ts'
import { deviceKey } from '../network.ts'
import { readQueue, writeQueue } from '../radio/application-queue.ts'
import { sendDue } from '../radio/network-initiated.ts'
import { type Call, param, type Route } from './call.ts'
import { checkIds, deviceEntity } from './devices.ts'
import { decodeError, errors, fail } from './errors.ts'
import { requireApplication } from './rights.ts'
import { ulid } from './ulid.ts'

const mostRetries = 32

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

/** What is kept of an item: what an application may give, with its correlation ids and those of the call in order. */
const clean = (item: Message, rpc: string): Message => {
  const { f_port, frm_payload, class_b_c, priority, confirmed, correlation_ids, confirmed_retry } = item
  const given = Array.isArray(correlation_ids) ? correlation_ids.map(String) : []
  const retry = confirmed_retry ?? (confirmed === true ? { attempt: 1 } : undefined)
  if (confirmed === true && numberAt({ retry }, 'retry.max_attempts') > mostRetries)
    throw fail(errors.asMaxRetries, { max: mostRetries })
  return decode('ApplicationDownlink', {
    f_port,
    frm_payload,
    confirmed,
    class_b_c,
    priority,
    correlation_ids: [...new Set([...given, `as:downlink:${ulid()}`, rpc])].sort(),
    confirmed_retry: retry,
  })
}

const write = (call: Call, method: 'Push' | 'Replace', items: readonly Message[]): void => {
  const { network } = call
  const application = param(call, 'application')
  const key = deviceKey(application, param(call, 'device'))
  if (!network.applicationServer.has(key))
    throw fail(errors.asDeviceNotFound, { device_uid: `${application}.${param(call, 'device')}` })
  if (items.some((item) => item['f_port'] === undefined)) throw fail(errors.asNoFPort)
  if (items.some(({ frm_payload }) => frm_payload === undefined || frm_payload === ''))
    throw fail(errors.asNoPayload)
  const rpc = `rpc:/ttn.lorawan.v3.AppAs/DownlinkQueue${method}:${ulid()}`
  writeQueue(
    network,
    key,
    items.map((item) => clean(item, rpc)),
    method === 'Replace',
  )
  if (items.length > 0) sendDue(network, key)
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
        const { applicationServer, networkServer } = call.network
        if (!applicationServer.has(key) || !networkServer.has(key)) throw fail(errors.redisNotFound)
        const downlinks = readQueue(call.network, key)
        return { body: downlinks.length === 0 ? {} : { downlinks } }
      },
    }
  },
}

/** The application downlink queue of a device (API notes, section 8): held by the Network Server, encrypted. */
export const downlinkQueueRoutes: readonly Route[] = [writeRoute('Push'), writeRoute('Replace'), list]

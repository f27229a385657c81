import { parseJson } from '../json/go-json.ts'
import { isMessage, type Message } from '../json/types.ts'
import { authorise, type Headers } from './access.ts'
import { printDevice, type V2Device } from './device.ts'
import { noRights, notFound, plainText, unreadable, V2Error } from './errors.ts'
import { euisOf, keyOf, type V2Application, type V2Network } from './network.ts'
import type { V2RateLimiter } from './rate.ts'
import { checkAttributes, checkDeviceId, checkWritten, readDevice } from './read-device.ts'

export interface V2Request {
  readonly method: string
  /** Path with its query. */
  readonly target: string
  readonly headers: Headers
  readonly body: string
}

export interface V2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface V2Call {
  readonly network: V2Network
  readonly limiter: V2RateLimiter
  readonly request: V2Request
  readonly application: string
  readonly device: string | undefined
}

interface Reply {
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const JSON_HEADERS = { 'content-type': 'application/json', 'grpc-metadata-content-type': 'application/grpc' }

/** Bytes of one message between the components; a list that takes more is refused, however it is asked for. */
const LARGEST_MESSAGE = 4 * 1024 * 1024

/** JSON as Go writes it: characters that HTML knows are escaped. */
const goText = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[&<>\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const bodyOf = ({ request }: V2Call): Message => {
  const parsed = parseJson(request.body)
  if (!parsed.ok) throw unreadable(parsed.message)
  return isMessage(parsed.value) ? parsed.value : {}
}

const allow = (
  { network, limiter, request, application }: V2Call,
  right: 'settings' | 'devices' | 'delete',
): void => {
  const subject = authorise(network, request.headers, application, right)
  limiter.check(application, subject)
}

const registered = ({ network, application }: V2Call): V2Application => {
  const found = network.applications.get(application)
  if (found === undefined) throw notFound(`handler:application:${application}`)
  return found
}

const UNREACHED =
  'connection error: desc = "transport: Error while dialing dial tcp 127.0.0.1:1903: connect: connection refused"'

const reachNetworkServer = ({ network }: V2Call, what: string): void => {
  if (!network.reach.networkServer)
    throw new V2Error(
      `unavailable: Broker did not ${what} device: unavailable: NetworkServer did not ${what} device: unavailable: ${UNREACHED}`,
    )
}

const deviceOf = (call: V2Call): V2Device => {
  const { network, application, device = '' } = call
  const found = network.devices.get(keyOf(application, device))
  if (found === undefined) throw notFound(`handler:device:${application}:${device}`)
  return found
}

/** A device that the network server lost is registered there again by a reading, and counts from 0. */
const getDevice = (call: V2Call): Reply => {
  checkDeviceId(call.device ?? '')
  allow(call, 'devices')
  const found = deviceOf(call)
  reachNetworkServer(call, 'return')
  const key = keyOf(found.appId, found.devId)
  if (call.network.euis.get(euisOf(found)) === key) return { body: printDevice(found, { alone: true }) }
  const again = { ...found, fCntUp: 0, fCntDown: 0, lastSeen: 0n }
  call.network.devices.set(key, again)
  call.network.euis.set(euisOf(found), key)
  return { body: printDevice(again, { alone: true }) }
}

const setDevice = (call: V2Call): Reply => {
  const { network, application } = call
  const written = readDevice(bodyOf(call), application, call.device)
  checkWritten(written)
  allow(call, 'devices')
  const key = keyOf(application, written.device.devId)
  const before = network.devices.get(key)
  const kept = Object.fromEntries(written.keeps.map((name) => [name, before?.[name] ?? '']))
  const merged: V2Device = { ...written.device, ...kept }
  const hasSameKey = before !== undefined && before.appKey === merged.appKey
  const next: V2Device = {
    ...merged,
    usedDevNonces: hasSameKey ? before.usedDevNonces : [],
    lastSeen: before?.lastSeen ?? 0n,
  }
  takeEuis(call, key, before, next)
  // The network server has it by now: what the handler refuses leaves an orphan there.
  checkAttributes(next)
  network.devices.set(key, next)
  return { body: {} }
}

const takeEuis = (call: V2Call, key: string, before: V2Device | undefined, next: V2Device): void => {
  const { network, application } = call
  reachNetworkServer(call, 'set')
  const holder = network.euis.get(euisOf(next))
  if (holder !== undefined && holder !== key) {
    const [other = ''] = holder.split('/')
    if (other !== application) throw noRights('devices', other)
    throw new V2Error(`Device with AppEUI ${next.appEui} and DevEUI ${next.devEui} already exists`)
  }
  if (before !== undefined && network.euis.get(euisOf(before)) === key) network.euis.delete(euisOf(before))
  network.euis.set(euisOf(next), key)
}

const deleteDevice = (call: V2Call): Reply => {
  checkDeviceId(call.device ?? '')
  allow(call, 'devices')
  const found = deviceOf(call)
  reachNetworkServer(call, 'delete')
  call.network.euis.delete(euisOf(found))
  call.network.devices.delete(keyOf(found.appId, found.devId))
  return { body: {} }
}

const numberIn = ({ request }: V2Call, name: 'limit' | 'offset'): number => {
  const query = new URLSearchParams(request.target.split('?')[1] ?? '').get(name)
  const given = query ?? request.headers[`grpc-metadata-${name}`] ?? '0'
  if (!/^[+-]?\d+$/.test(given)) throw new NotANumber(given)
  return Number(given)
}

/** Answered by what reads the query, in plain text. */
class NotANumber extends Error {
  constructor(given: string) {
    super(`strconv.Atoi: parsing "${given}": invalid syntax`)
  }
}

const listDevices = (call: V2Call): Reply => {
  const [limit, offset] = [numberIn(call, 'limit'), numberIn(call, 'offset')]
  allow(call, 'devices')
  const prefix = `${call.application}/`
  const all = [...call.network.devices]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, device]) => device)
  const from = Math.max(0, offset)
  const chosen = all.slice(from, limit > 0 ? from + limit : undefined)
  const headers = {
    'grpc-metadata-selected': String(chosen.length),
    'grpc-metadata-total': String(all.length),
  }
  const size = chosen.reduce((sum, device) => sum + messageSize(device), 0)
  if (size > LARGEST_MESSAGE)
    throw Object.assign(
      new V2Error(
        `Internal error: [ResourceExhausted] grpc: received message larger than max (${size} vs. ${LARGEST_MESSAGE})`,
      ),
      { headers },
    )
  return {
    headers,
    body: chosen.length === 0 ? {} : { devices: chosen.map((one) => printDevice(one, { alone: false })) },
  }
}

/** About as many bytes as the device takes between handler and gateway. */
const messageSize = ({ appId, devId, description, attributes }: V2Device): number =>
  2 * (appId.length + devId.length) + description.length + JSON.stringify(attributes).length + 110

const FUNCTIONS = ['decoder', 'converter', 'validator', 'encoder'] as const

const printApplication = (found: V2Application): Reply => ({
  body: Object.fromEntries(
    [
      ['app_id', found.appId],
      ['payload_format', found.payloadFormat],
      ...FUNCTIONS.map((name) => [name, found[name]]),
    ].filter(([, value]) => value !== ''),
  ),
})

const emptyApplication = (appId: string): V2Application => ({
  appId,
  payloadFormat: '',
  decoder: '',
  converter: '',
  validator: '',
  encoder: '',
})

const registerApplication = (call: V2Call): Reply => {
  const application = String(bodyOf(call)['app_id'] ?? '')
  const named = { ...call, application }
  allow(named, 'settings')
  if (call.network.applications.has(application)) throw new V2Error('Application already exists')
  call.network.applications.set(application, emptyApplication(application))
  return { body: {} }
}

const setApplication = (call: V2Call): Reply => {
  const body = bodyOf(call)
  allow(call, 'settings')
  registered(call)
  const given = Object.fromEntries(FUNCTIONS.map((name) => [name, String(body[name] ?? '')]))
  const format = String(body['payload_format'] ?? '')
  const hasFunction = Object.values(given).some((code) => code !== '')
  call.network.applications.set(call.application, {
    ...emptyApplication(call.application),
    ...given,
    payloadFormat: format === '' && hasFunction ? 'custom' : format,
  })
  return { body: {} }
}

const getApplication = (call: V2Call): Reply => {
  allow(call, 'settings')
  return printApplication(registered(call))
}

const deleteApplication = (call: V2Call): Reply => {
  allow(call, 'delete')
  registered(call)
  const { network, application } = call
  network.applications.delete(application)
  for (const [key, device] of [...network.devices]) {
    if (!key.startsWith(`${application}/`)) continue
    network.devices.delete(key)
    network.euis.delete(euisOf(device))
  }
  return { body: {} }
}

type Verbs = Readonly<Record<string, (call: V2Call) => Reply>>

const ROUTES: readonly (readonly [RegExp, Verbs])[] = [
  [/^\/applications$/, { POST: registerApplication }],
  [
    /^\/applications\/([^/]+)$/,
    { GET: getApplication, POST: setApplication, PUT: setApplication, DELETE: deleteApplication },
  ],
  [/^\/applications\/([^/]+)\/devices$/, { GET: listDevices, POST: setDevice, PUT: setDevice }],
  [
    /^\/applications\/([^/]+)\/devices\/([^/]+)$/,
    { GET: getDevice, POST: setDevice, PUT: setDevice, DELETE: deleteDevice },
  ],
]

/** Answers one request of the handler's HTTP API (V2 notes, sections 3 to 7). */
export const answerHandler = (network: V2Network, limiter: V2RateLimiter, request: V2Request): V2Answer => {
  const path = request.target.split('?')[0] ?? ''
  for (const [pattern, verbs] of ROUTES) {
    const match = pattern.exec(path)
    if (match === null) continue
    const route = verbs[request.method]
    if (route === undefined) return plainText(405, 'Method Not Allowed')
    const [, application = '', device = ''] = match.map((part) => decodeURIComponent(part ?? ''))
    return answered(() =>
      route({ network, limiter, request, application, device: device === '' ? undefined : device }),
    )
  }
  return plainText(404, 'Not Found')
}

/** A reply, or the failure as the gateway tells it. */
export const answered = (run: () => Reply): V2Answer => {
  try {
    const { body, headers = {} } = run()
    return { status: 200, headers: { ...JSON_HEADERS, ...headers }, body: goText(body) }
  } catch (error) {
    if (error instanceof NotANumber) return plainText(400, error.message)
    if (!(error instanceof V2Error)) throw error
    const { message, code, status } = error
    const headers = 'headers' in error ? (error.headers as Record<string, string>) : {}
    return {
      status,
      headers: { 'content-type': 'application/json', ...headers },
      body: goText({ error: message, code, message }),
    }
  }
}

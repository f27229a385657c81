import { copy, isMessage, type Message, textAt } from '../json/types.ts'
import { requestInvalid } from '../json/validate.ts'
import { deviceKey } from '../network.ts'
import { bodyMask, bodyObject, type Call, param, queryMask, type Route, requireAllowed } from './call.ts'
import { applicationEntity } from './devices.ts'
import { errors, fail } from './errors.ts'
import { requireApplication } from './rights.ts'

const service = '/ttn.lorawan.v3.ApplicationWebhookRegistry'
const messages = [
  'downlink_ack',
  'downlink_failed',
  'downlink_nack',
  'downlink_queue_invalidated',
  'downlink_queued',
  'downlink_sent',
  'join_accept',
  'location_solved',
  'service_data',
  'uplink_message',
  'uplink_normalized',
]
/** Fields of a webhook that a mask may name. */
const paths = new Set([
  ...messages,
  ...messages.map((name) => `${name}.path`),
  'base_url',
  'created_at',
  'downlink_api_key',
  'field_mask',
  'format',
  'headers',
  'health_status',
  'ids',
  'paused',
  'template_fields',
  'template_ids',
  'updated_at',
])
const always = ['ids', 'created_at', 'updated_at']
const setRights = ['SETTINGS_BASIC', 'TRAFFIC_READ', 'TRAFFIC_DOWN_WRITE']

/** Whole fields: a mask below a message field shows all of it. */
const view = (record: Message, mask: readonly string[]): Message => {
  const shown: Message = {}
  for (const path of [...always, ...mask]) {
    const name = path.split('.')[0] ?? path
    if (record[name] !== undefined) shown[name] = copy(record[name])
  }
  return shown
}

const route = (
  method: Route['method'],
  path: string,
  rpc: string,
  rights: readonly string[],
  run: (call: Call) => { readonly body: Message; readonly headers?: Readonly<Record<string, string>> },
  masked: (call: Call) => readonly string[],
): Route => ({
  method,
  path,
  rpc: `${service}/${rpc}`,
  registry: 'as',
  prepare: (call) => {
    requireAllowed(masked(call), paths)
    return {
      entity: applicationEntity(call),
      run: () => {
        requireApplication(call.network, call.credentials(), param(call, 'application'), ...rights)
        return run(call)
      },
    }
  },
})

const noMask = (): readonly string[] => []

const list = route(
  'GET',
  '/as/webhooks/:application',
  'List',
  ['TRAFFIC_READ'],
  (call) => {
    const found = call.network.webhooks.entries(`${param(call, 'application')}/`)
    const shown = found.map(([, record]) => view(record, queryMask(call)))
    return {
      body: shown.length === 0 ? {} : { webhooks: shown },
      headers: { 'x-total-count': String(shown.length) },
    }
  },
  queryMask,
)

const keyOf = (call: Call): string => deviceKey(param(call, 'application'), param(call, 'webhook'))

const found = (call: Call): Message => {
  const record = call.network.webhooks.get(keyOf(call))
  if (record === undefined) throw fail(errors.webhookNotFound)
  return record
}

const get = route(
  'GET',
  '/as/webhooks/:application/:webhook',
  'Get',
  ['TRAFFIC_READ'],
  (call) => ({ body: view(found(call), queryMask(call)) }),
  queryMask,
)

/** Makes what is not there, as the real server does. */
const set = (call: Call): { readonly body: Message } => {
  const { network } = call
  const given = bodyObject(call, 'webhook') ?? {}
  const id = call.params['webhook'] ?? textAt(given, 'ids.webhook_id') ?? ''
  const key = deviceKey(param(call, 'application'), id)
  const mask = bodyMask(call)
  const address = given['base_url']
  if (mask.includes('base_url') && (typeof address !== 'string' || !URL.canParse(address)))
    throw requestInvalid('SetApplicationWebhookRequest', 'webhook.base_url', 'value must be absolute')
  const before = network.webhooks.get(key)
  const now = network.clock.nanos()
  const next: Message = {
    ...before,
    ids: { application_ids: { application_id: param(call, 'application') }, webhook_id: id },
    created_at: before?.['created_at'] ?? now,
    updated_at: now,
  }
  for (const path of mask) {
    const name = path.split('.')[0] ?? path
    const value = given[name]
    if (value === undefined || value === null || value === false) delete next[name]
    else next[name] = isMessage(value) ? copy(value) : value
  }
  network.webhooks.set(key, next)
  return { body: view(next, mask) }
}

/** Integrations over HTTP (API notes, section 8): registered and shown; nothing is ever called. */
export const webhookRoutes: readonly Route[] = [
  list,
  get,
  route('POST', '/as/webhooks/:application', 'Set', setRights, set, bodyMask),
  route('PUT', '/as/webhooks/:application/:webhook', 'Set', setRights, set, bodyMask),
  route(
    'DELETE',
    '/as/webhooks/:application/:webhook',
    'Delete',
    setRights,
    (call) => {
      found(call)
      call.network.webhooks.delete(keyOf(call))
      return { body: {} }
    },
    noMask,
  ),
]

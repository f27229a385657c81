import { copy, isMessage, type Message, textAt } from '../json/types.ts'
import { requestInvalid } from '../json/validate.ts'
import { deviceKey, type Network } from '../network.ts'
import type { RecordStore } from '../store.ts'
import {
  bodyMask,
  bodyObject,
  type Call,
  param,
  queryMask,
  type Reply,
  type Route,
  requireAllowed,
} from './call.ts'
import { applicationEntity } from './devices.ts'
import { type ErrorDefinition, errors, fail } from './errors.ts'
import { requireApplication } from './rights.ts'

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
const always = ['ids', 'created_at', 'updated_at']
const setRights = ['SETTINGS_BASIC', 'TRAFFIC_READ', 'TRAFFIC_DOWN_WRITE']

/** Fields that stand side by side in a message, and of which a mask names only one for all. */
const together: Readonly<Record<string, readonly string[]>> = { provider: ['nats', 'mqtt', 'aws_iot'] }
const fieldsOf = (path: string): readonly string[] => {
  const name = path.split('.')[0] ?? path
  return together[name] ?? [name]
}

interface Kind {
  readonly service: string
  /** Below `/as/`. */
  readonly path: string
  readonly idName: string
  readonly one: string
  readonly many: string
  readonly request: string
  readonly fields: readonly string[]
  readonly notFound: ErrorDefinition
  readonly store: (network: Network) => RecordStore
  /** Whether a list tells how many there are, in a header. */
  readonly isCounted: boolean
  /** What is wrong with what is to be written. */
  readonly refuse?: (
    given: Message,
    mask: readonly string[],
  ) => readonly [field: string, reason: string] | undefined
}

/** Whole fields: a mask below a field shows all of it. */
const view = (record: Message, mask: readonly string[]): Message => {
  const shown: Message = {}
  for (const name of [...always, ...mask].flatMap(fieldsOf))
    if (record[name] !== undefined) shown[name] = copy(record[name])
  return shown
}

/** Integrations of an application (API notes, section 8): registered and shown; nothing is ever called. */
const routesOf = (kind: Kind): readonly Route[] => {
  const { service, path, store } = kind
  const allowed = new Set([
    ...messages,
    ...messages.flatMap((name) => [`${name}.path`, `${name}.topic`]),
    ...always,
    'format',
    ...kind.fields,
  ])
  const keyOf = (call: Call, id: string): string => deviceKey(param(call, 'application'), id)
  const found = (call: Call): Message => {
    const record = store(call.network).get(keyOf(call, param(call, 'integration')))
    if (record === undefined) throw fail(kind.notFound)
    return record
  }
  const route = (
    method: Route['method'],
    rest: string,
    rpc: string,
    rights: readonly string[],
    run: (call: Call) => Reply,
    masked: (call: Call) => readonly string[] = () => [],
  ): Route => ({
    method,
    path: `/as/${path}/:application${rest}`,
    rpc: `/ttn.lorawan.v3.${service}/${rpc}`,
    registry: 'as',
    prepare: (call) => {
      requireAllowed(masked(call), allowed)
      return {
        entity: applicationEntity(call),
        run: () => {
          requireApplication(call.network, call.credentials(), param(call, 'application'), ...rights)
          return run(call)
        },
      }
    },
  })
  const list = (call: Call): Reply => {
    const records = store(call.network).entries(`${param(call, 'application')}/`)
    const shown = records.map(([, record]) => view(record, queryMask(call)))
    return {
      body: shown.length === 0 ? {} : { [kind.many]: shown },
      ...(kind.isCounted ? { headers: { 'x-total-count': String(shown.length) } } : {}),
    }
  }
  /** Makes what is not there, as the real server does. */
  const set = (call: Call): Reply => {
    const given = bodyObject(call, kind.one) ?? {}
    const id = call.params['integration'] ?? textAt(given, `ids.${kind.idName}`) ?? ''
    const mask = bodyMask(call)
    const wrong = kind.refuse?.(given, mask)
    if (wrong !== undefined) throw requestInvalid(kind.request, `${kind.one}.${wrong[0]}`, wrong[1])
    const before = store(call.network).get(keyOf(call, id))
    const now = call.network.clock.nanos()
    const next: Message = {
      ...before,
      ids: { application_ids: { application_id: param(call, 'application') }, [kind.idName]: id },
      created_at: before?.['created_at'] ?? now,
      updated_at: now,
    }
    for (const name of mask.flatMap(fieldsOf)) {
      const value = given[name]
      if (value === undefined || value === null || value === false) delete next[name]
      else next[name] = isMessage(value) ? copy(value) : value
    }
    store(call.network).set(keyOf(call, id), next)
    return { body: view(next, mask) }
  }
  const remove = (call: Call): Reply => {
    found(call)
    store(call.network).delete(keyOf(call, param(call, 'integration')))
    return { body: {} }
  }
  return [
    route('GET', '', 'List', ['TRAFFIC_READ'], list, queryMask),
    route(
      'GET',
      '/:integration',
      'Get',
      ['TRAFFIC_READ'],
      (call) => ({ body: view(found(call), queryMask(call)) }),
      queryMask,
    ),
    route('POST', '', 'Set', setRights, set, bodyMask),
    route('PUT', '/:integration', 'Set', setRights, set, bodyMask),
    route('DELETE', '/:integration', 'Delete', setRights, remove),
  ]
}

export const integrationRoutes: readonly Route[] = [
  ...routesOf({
    service: 'ApplicationWebhookRegistry',
    path: 'webhooks',
    idName: 'webhook_id',
    one: 'webhook',
    many: 'webhooks',
    request: 'SetApplicationWebhookRequest',
    fields: [
      'base_url',
      'downlink_api_key',
      'field_mask',
      'headers',
      'health_status',
      'paused',
      'template_fields',
      'template_ids',
    ],
    notFound: errors.webhookNotFound,
    store: ({ webhooks }) => webhooks,
    isCounted: true,
    refuse: ({ base_url: address }, mask) =>
      mask.includes('base_url') && (typeof address !== 'string' || !URL.canParse(address))
        ? ['base_url', 'value must be absolute']
        : undefined,
  }),
  ...routesOf({
    service: 'ApplicationPubSubRegistry',
    path: 'pubsub',
    idName: 'pub_sub_id',
    one: 'pubsub',
    many: 'pubsubs',
    request: 'SetApplicationPubSubRequest',
    fields: [
      'base_topic',
      'downlink_push',
      'downlink_replace',
      'provider',
      'provider.nats',
      'provider.mqtt',
      'provider.aws_iot',
    ],
    notFound: errors.pubSubNotFound,
    store: ({ pubSubs }) => pubSubs,
    isCounted: false,
  }),
]

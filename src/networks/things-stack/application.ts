import type {
  ApplicationPort,
  ApplicationSettings,
  Collaborator,
  PubSub,
  Webhook,
} from '../../domain/application.ts'
import type { Json } from '../../domain/json.ts'
import { type Api, maskQuery } from './api.ts'
import { arrayOf, type JsonObject, objectOf, textOf, valueAt } from './json-tree.ts'

const SETTINGS = ['name', 'description', 'attributes'] as const

/** What an integration may be told. */
const MESSAGES = [
  'uplink_message',
  'uplink_normalized',
  'join_accept',
  'downlink_ack',
  'downlink_nack',
  'downlink_sent',
  'downlink_failed',
  'downlink_queued',
  'downlink_queue_invalidated',
  'location_solved',
  'service_data',
] as const
/** Which messages go where, and how. Health and times belong to the server; templates to where they are installed. */
const WEBHOOK = ['base_url', 'format', 'field_mask', 'paused', ...MESSAGES] as const
const PUB_SUB = ['format', 'base_topic', 'downlink_push', 'downlink_replace', ...MESSAGES] as const
/** One of them is there; a mask names them together. */
const PROVIDERS = ['nats', 'mqtt', 'aws_iot'] as const
/** What of a provider may be secret; an address too, where a user or a password stands in it. */
const PROVIDER_SECRETS = [
  'mqtt.username',
  'mqtt.password',
  'mqtt.tls_client_key',
  'mqtt.headers',
  'aws_iot.access_key',
  'aws_iot.assume_role',
] as const
/** May hold keys and passwords: only what they are called is told. */
const SECRET = ['headers', 'downlink_api_key', 'template_fields'] as const

const applicationPath = (api: Api): string => `/applications/${encodeURIComponent(api.application)}`
const webhooksPath = (api: Api): string => `/as/webhooks/${encodeURIComponent(api.application)}`
const pubSubsPath = (api: Api): string => `/as/pubsub/${encodeURIComponent(api.application)}`
const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1)

const textsOf = (value: Json | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(objectOf(value) ?? {}).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text] as const] : [],
    ),
  )

const settings = async (api: Api): Promise<ApplicationSettings> => {
  const { body } = await api.call({
    method: 'GET',
    registry: 'identity-server',
    path: applicationPath(api),
    query: maskQuery(SETTINGS),
  })
  const [name, description] = [textOf(valueAt(body, 'name')), textOf(valueAt(body, 'description'))]
  const attributes = textsOf(valueAt(body, 'attributes'))
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(description === undefined || description === '' ? {} : { description }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  }
}

const setSettings = async (api: Api, given: ApplicationSettings): Promise<void> => {
  await api.call({
    method: 'PUT',
    registry: 'identity-server',
    path: applicationPath(api),
    body: {
      application: { ids: { application_id: api.application }, ...(given as Readonly<Record<string, Json>>) },
      field_mask: { paths: Object.keys(given) },
    },
  })
}

/** A user, a password or a token may stand in an address: it is carried without them. */
const withoutSecrets = (address: string): { readonly url: string; readonly left: readonly string[] } => {
  if (!URL.canParse(address)) return { url: address, left: [] }
  const url = new URL(address)
  const left = [
    ...(url.username === '' && url.password === '' ? [] : ['base_url user and password']),
    ...(url.search === '' ? [] : ['base_url query']),
  ]
  if (left.length === 0) return { url: address, left }
  url.username = ''
  url.password = ''
  url.search = ''
  return { url: url.href, left }
}

const namesOf = (field: string, value: Json | undefined): readonly string[] => {
  const object = objectOf(value)
  if (object !== undefined) return Object.keys(object).map((name) => `${field}.${name}`)
  return value === undefined || value === '' || value === null ? [] : [field]
}

/** The named fields that hold something, in the order of the names. */
const saidOf = (object: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = object[name]
      return value === undefined || value === null || value === '' ? [] : [[name, value] as const]
    }),
  )

const webhookOf = (body: Json): Webhook => {
  const object = objectOf(body) ?? {}
  const address = withoutSecrets(textOf(object['base_url']) ?? '')
  return {
    id: textOf(valueAt(body, 'ids.webhook_id')) ?? '',
    fields: saidOf({ ...object, base_url: address.url }, WEBHOOK),
    left: [...address.left, ...SECRET.flatMap((name) => namesOf(name, object[name]))],
  }
}

const webhooks = async (api: Api): Promise<readonly Webhook[]> => {
  const { body } = await api.call({
    method: 'GET',
    registry: 'application-server',
    path: webhooksPath(api),
    query: maskQuery([...WEBHOOK, ...SECRET]),
  })
  return arrayOf(objectOf(body)?.['webhooks']).map(webhookOf).sort(byId)
}

const createWebhook = async (api: Api, { id, fields }: Webhook, paused: boolean): Promise<void> => {
  const written = { ...fields, ...(paused ? { paused } : {}) }
  await api.call({
    method: 'POST',
    registry: 'application-server',
    path: webhooksPath(api),
    body: {
      webhook: { ids: { application_ids: { application_id: api.application }, webhook_id: id }, ...written },
      field_mask: { paths: Object.keys(written) },
    },
  })
}

const pubSubOf = (body: Json): PubSub => {
  const object = objectOf(body) ?? {}
  const fields = saidOf(object, [...PUB_SUB, ...PROVIDERS])
  const left = [
    ...PROVIDERS.flatMap((name) => {
      const address = textOf(valueAt(body, `${name}.server_url`))
      return address === undefined
        ? []
        : withoutSecrets(address).left.map((what) => what.replace('base_url', `${name}.server_url`))
    }),
    ...PROVIDER_SECRETS.flatMap((path) => namesOf(path, valueAt(body, path))),
  ]
  return { id: textOf(valueAt(body, 'ids.pub_sub_id')) ?? '', fields: left.length > 0 ? {} : fields, left }
}

const pubSubs = async (api: Api): Promise<readonly PubSub[]> => {
  const { body } = await api.call({
    method: 'GET',
    registry: 'application-server',
    path: pubSubsPath(api),
    query: maskQuery([...PUB_SUB, 'provider']),
  })
  return arrayOf(objectOf(body)?.['pubsubs']).map(pubSubOf).sort(byId)
}

const isProvider = (name: string): boolean => (PROVIDERS as readonly string[]).includes(name)

const createPubSub = async (api: Api, { id, fields }: PubSub): Promise<void> => {
  const names = Object.keys(fields)
  await api.call({
    method: 'POST',
    registry: 'application-server',
    path: pubSubsPath(api),
    body: {
      pubsub: { ids: { application_ids: { application_id: api.application }, pub_sub_id: id }, ...fields },
      field_mask: {
        paths: [
          ...names.filter((name) => !isProvider(name)),
          ...(names.some(isProvider) ? ['provider'] : []),
        ],
      },
    },
  })
}

const collaboratorOf = (body: Json): readonly Collaborator[] => {
  const rights = arrayOf(objectOf(body)?.['rights'])
    .filter((right): right is string => typeof right === 'string')
    .sort()
  const user = textOf(valueAt(body, 'ids.user_ids.user_id'))
  const organization = textOf(valueAt(body, 'ids.organization_ids.organization_id'))
  if (user !== undefined) return [{ kind: 'user', id: user, rights }]
  return organization === undefined ? [] : [{ kind: 'organization', id: organization, rights }]
}

const collaborators = async (api: Api): Promise<readonly Collaborator[]> => {
  const { body } = await api.call({
    method: 'GET',
    registry: 'identity-server',
    path: `${applicationPath(api)}/collaborators`,
    query: { limit: '1000' },
  })
  return arrayOf(objectOf(body)?.['collaborators']).flatMap(collaboratorOf).sort(byId)
}

const addCollaborator = async (api: Api, { kind, id, rights }: Collaborator): Promise<void> => {
  const ids = kind === 'user' ? { user_ids: { user_id: id } } : { organization_ids: { organization_id: id } }
  await api.call({
    method: 'PUT',
    registry: 'identity-server',
    path: `${applicationPath(api)}/collaborators`,
    body: { collaborator: { ids, rights: [...rights] } },
  })
}

export const applicationOf = (api: Api): ApplicationPort => ({
  settings: () => settings(api),
  setSettings: (given) => setSettings(api, given),
  webhooks: () => webhooks(api),
  createWebhook: (webhook, paused) => createWebhook(api, webhook, paused),
  pubSubs: () => pubSubs(api),
  createPubSub: (pubSub) => createPubSub(api, pubSub),
  collaborators: () => collaborators(api),
  addCollaborator: (collaborator) => addCollaborator(api, collaborator),
})

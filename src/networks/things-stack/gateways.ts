import { NetworkError } from '../../domain/errors.ts'
import type {
  Carrier,
  GatewayConnection,
  GatewayOwner,
  GatewayRecord,
  GatewaysPort,
} from '../../domain/gateway.ts'
import type { Json } from '../../domain/json.ts'
import { Secret } from '../../domain/secret.ts'
import { type Api, maskQuery } from './api.ts'
import { isNotFound } from './errors.ts'
import { arrayOf, objectOf, textOf, valueAt } from './json-tree.ts'

/**
 * What describes a gateway and its place, and is the same on any network. Contacts and server addresses belong to the network and
 * its people; `target_cups_*` would send it on to somewhere else; a claim code is for one claim.
 */
const SETTINGS = [
  'name',
  'description',
  'attributes',
  'version_ids',
  'frequency_plan_ids',
  'antennas',
  'status_public',
  'location_public',
  'schedule_downlink_late',
  'enforce_duty_cycle',
  'downlink_path_constraint',
  'schedule_anytime_delay',
  'update_location_from_status',
  'auto_update',
  'update_channel',
  'require_authenticated_connection',
  'disable_packet_broker_forwarding',
  'lrfhss',
] as const
const LNS_KEY = 'lbs_lns_secret'
const REGISTRY = 'identity-server'
/** The most that a list request may ask for. */
const PAGE = 1000

/** What a server fills in by itself says nothing. */
const isEmpty = (value: Json | undefined): boolean =>
  value === undefined ||
  value === '' ||
  value === false ||
  value === '0s' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0)

const gatewayOf = (body: Json | undefined): GatewayRecord => {
  const fields = objectOf(body) ?? {}
  const eui = textOf(valueAt(body, 'ids.eui'))
  return {
    id: textOf(valueAt(body, 'ids.gateway_id')) ?? '',
    ...(eui === undefined ? {} : { eui: eui.toUpperCase() }),
    settings: Object.fromEntries(
      SETTINGS.flatMap((name) => {
        const value = fields[name]
        return isEmpty(value) || value === undefined ? [] : [[name, value] as const]
      }),
    ),
  }
}

const pathOf = (id: string): string => `/gateways/${encodeURIComponent(id)}`

const mayNot = (error: unknown): boolean =>
  isNotFound(error) || (error instanceof NetworkError && error.fault.status === 403)

const orUndefined = async <T>(
  ask: Promise<T>,
  isNone: (error: unknown) => boolean,
): Promise<T | undefined> => {
  try {
    return await ask
  } catch (error) {
    if (isNone(error)) return undefined
    throw error
  }
}

const list = async (api: Api): Promise<readonly GatewayRecord[]> => {
  const found: GatewayRecord[] = []
  for (let page = 1; ; page += 1) {
    const query = { ...maskQuery(SETTINGS), order: 'gateway_id', limit: String(PAGE), page: String(page) }
    const answer = await orUndefined(
      api.call({ method: 'GET', registry: REGISTRY, path: '/gateways', query }),
      mayNot,
    )
    const gateways = arrayOf(objectOf(answer?.body)?.['gateways'])
    found.push(...gateways.map(gatewayOf))
    if (gateways.length < PAGE) break
  }
  // A list leaves secrets out; who may not see them is told so by each gateway.
  return Promise.all(found.map((gateway) => withLnsKey(api, gateway)))
}

const withLnsKey = async (api: Api, gateway: GatewayRecord): Promise<GatewayRecord> => {
  const call = {
    method: 'GET',
    registry: REGISTRY,
    path: pathOf(gateway.id),
    query: maskQuery([LNS_KEY]),
  } as const
  const answer = await orUndefined(api.call(call), mayNot)
  const value = textOf(valueAt(answer?.body, `${LNS_KEY}.value`))
  const keyId = textOf(valueAt(answer?.body, `${LNS_KEY}.key_id`))
  if (value === undefined) return gateway
  return { ...gateway, lnsKey: { value: new Secret(value), ...(keyId === undefined ? {} : { keyId }) } }
}

const find = async (api: Api, id: string): Promise<Carrier | undefined> => {
  const call = { method: 'GET', registry: REGISTRY, path: pathOf(id), query: maskQuery(['ids']) } as const
  const answer = await orUndefined(api.call(call), mayNot)
  if (answer === undefined) return undefined
  const { eui } = gatewayOf(answer.body)
  return { id, ...(eui === undefined ? {} : { eui }) }
}

const bodyOf = ({ id, eui, settings, lnsKey }: GatewayRecord): Json => ({
  ids: { gateway_id: id, ...(eui === undefined ? {} : { eui }) },
  ...settings,
  ...(lnsKey === undefined
    ? {}
    : {
        [LNS_KEY]: {
          value: lnsKey.value.reveal(),
          ...(lnsKey.keyId === undefined ? {} : { key_id: lnsKey.keyId }),
        },
      }),
})

/** Devices on it are heard from the first connection on, at the Gateway Server that serves the application. */
const create = async (api: Api, gateway: GatewayRecord, owner: GatewayOwner): Promise<void> => {
  const [kind, name] = 'user' in owner ? ['users', owner.user] : ['organizations', owner.organization]
  const server = new URL(api.urls.network).hostname
  await api.call({
    method: 'POST',
    registry: REGISTRY,
    path: `/${kind}/${encodeURIComponent(name)}/gateways`,
    body: { gateway: { ...objectOf(bodyOf(gateway)), gateway_server_address: server } },
  })
}

const update = async (api: Api, gateway: GatewayRecord): Promise<void> => {
  await api.call({
    method: 'PUT',
    registry: REGISTRY,
    path: pathOf(gateway.id),
    body: {
      gateway: bodyOf(gateway),
      field_mask: {
        paths: [...Object.keys(gateway.settings), ...(gateway.lnsKey === undefined ? [] : [LNS_KEY])],
      },
    },
  })
}

const connection = async (api: Api, id: string): Promise<GatewayConnection | undefined> => {
  const path = `/gs/gateways/${encodeURIComponent(id)}/connection/stats`
  const answer = await orUndefined(api.call({ method: 'GET', registry: 'network-server', path }), isNotFound)
  if (answer === undefined) return undefined
  const told = (name: string): string | undefined => textOf(valueAt(answer.body, name))
  const [connectedAt, disconnectedAt, lastUplinkAt] = [
    told('connected_at'),
    told('disconnected_at'),
    told('last_uplink_received_at'),
  ]
  return {
    ...(connectedAt === undefined ? {} : { connectedAt }),
    ...(disconnectedAt === undefined ? {} : { disconnectedAt }),
    ...(lastUplinkAt === undefined ? {} : { lastUplinkAt }),
  }
}

/** The gateways that a key sees: those of a person or an organization. A key of an application sees none. */
export const gatewaysOf = (api: Api): GatewaysPort => ({
  list: () => list(api),
  find: (id) => find(api, id),
  create: (gateway, owner) => create(api, gateway, owner),
  update: (gateway) => update(api, gateway),
  connection: (id) => connection(api, id),
})

import { decode } from '../json/decode.ts'
import { pathsBelow, setPaths } from '../json/mask.ts'
import { isMessage, type Message, textAt } from '../json/types.ts'
import { validate, wrapInvalid } from '../json/validate.ts'
import type { Network } from '../network.ts'
import { blockedIds } from './blocked-ids.ts'
import {
  bodyMask,
  bodyObject,
  type Call,
  type Prepared,
  param,
  queryMask,
  type Route,
  requireAllowed,
} from './call.ts'
import { errors, fail } from './errors.ts'
import { pageReply, readPage, sortRecords } from './paging.ts'
import { gatewayRights, requireGateway, requireUser } from './rights.ts'

const service = '/ttn.lorawan.v3.GatewayRegistry'
const allPaths = new Set(pathsBelow('Gateway', ''))
const always = ['ids', 'created_at', 'updated_at']
const secrets = ['lbs_lns_secret', 'claim_authentication_code', 'target_cups_key']
const publicRoots = new Set([
  ...always,
  'name',
  'administrative_contact',
  'technical_contact',
  'frequency_plan_id',
  'frequency_plan_ids',
  'status_public',
  'gateway_server_address',
  'location_public',
  'antennas',
])
const orders = ['gateway_id', 'gateway_eui', 'name', 'created_at']

const view = (record: Message, mask: readonly string[]): Message => {
  const plans = record['frequency_plan_ids']
  const first = Array.isArray(plans) ? plans[0] : undefined
  const shown: Message = {}
  setPaths('Gateway', shown, { ...record, frequency_plan_id: first }, [...always, ...mask])
  return shown
}

const entity = (call: Call): string => `gateway:${param(call, 'gateway')}`

/** A gateway's record, or the 404 of one that is not there. */
export const gatewayOf = (network: Network, id: string): Message => {
  const record = network.gateways.get(id)
  if (record === undefined) throw fail(errors.gatewayNotFound, { gateway_id: id })
  return record
}

const bodyGateway = (call: Call): Message => {
  const gateway = decode('Gateway', bodyObject(call, 'gateway') ?? {}, 'gateway')
  const ids = isMessage(gateway['ids']) ? gateway['ids'] : {}
  const id = call.params['gateway']
  const legacy = gateway['frequency_plan_id']
  const plans = gateway['frequency_plan_ids'] ?? (legacy === undefined ? undefined : [legacy])
  delete gateway['frequency_plan_id']
  return {
    ...gateway,
    ids: id === undefined ? ids : { ...ids, gateway_id: id },
    ...(plans === undefined ? {} : { frequency_plan_ids: plans }),
  }
}

const requireFreeEui = (network: Network, id: string, eui: string | undefined): void => {
  if (eui === undefined) return
  const holder = network.gateways
    .entries()
    .find(([other, record]) => other !== id && textAt(record, 'ids.eui') === eui)
  if (holder === undefined) return
  throw fail(errors.gatewayEuiTaken, {
    administrative_contact: textAt(holder[1], 'administrative_contact.user_ids.user_id'),
    gateway_eui: eui,
    gateway_id: holder[0],
  })
}

/** Registers a gateway; used by the route and by the sample. */
export const createGateway = (network: Network, owner: string, gateway: Message): Message => {
  const id = textAt(gateway, 'ids.gateway_id') ?? ''
  if (network.gateways.has(id) || network.deletedGateways.has(id))
    throw fail(errors.idTaken, undefined, fail(errors.alreadyExists))
  requireFreeEui(network, id, textAt(gateway, 'ids.eui'))
  const now = network.clock.micros()
  const contact = { user_ids: { user_id: owner } }
  const record = decode('Gateway', {
    administrative_contact: contact,
    technical_contact: contact,
    version_ids: {},
    schedule_anytime_delay: '0s',
    ...gateway,
    created_at: now,
    updated_at: now,
  })
  network.gateways.set(id, record)
  network.gatewayOwners.set(id, owner)
  return record
}

const route = (method: Route['method'], path: string, rpc: string, prepare: Route['prepare']): Route => ({
  method,
  path,
  rpc: `${service}/${rpc}`,
  registry: 'is',
  prepare,
})

const create = route('POST', '/users/:user/gateways', 'Create', (call) => {
  const gateway = bodyGateway(call)
  const invalid = validate('Gateway', gateway)
  if (invalid !== undefined) throw wrapInvalid('CreateGatewayRequest', 'gateway', invalid)
  return {
    entity: `user:${param(call, 'user')}`,
    run: () => {
      const owner = param(call, 'user')
      requireUser(call.credentials(), owner)
      const id = textAt(gateway, 'ids.gateway_id') ?? ''
      if (blockedIds.has(id)) throw fail(errors.forbiddenId, { id })
      return { body: createGateway(call.network, owner, gateway) }
    },
  }
})

const listFor = (call: Call, owner: () => string | undefined): Prepared => {
  const mask = queryMask(call)
  requireAllowed(mask, allPaths)
  const page = readPage(call, 'ListGatewaysRequest', orders)
  return {
    run: () => {
      const user = owner()
      if (user === undefined) return { body: {} }
      const { network } = call
      const own = network.gateways.entries().filter(([id]) => network.gatewayOwners.get(id) === user)
      const shown = mask.filter((path) => !secrets.includes(path.split('.')[0] ?? ''))
      const sorted = sortRecords(
        own.map(([, record]) => record),
        page.order,
        'gateway_id',
      )
      return pageReply(
        'gateways',
        sorted.map((record) => view(record, shown)),
        page,
      )
    },
  }
}

const list = route('GET', '/gateways', 'List', (call) =>
  listFor(call, () => {
    const { key } = call.credentials()
    return key?.entity.kind === 'user' ? key.entity.id : undefined
  }),
)

const listOfUser = route('GET', '/users/:user/gateways', 'List', (call) =>
  listFor(call, () => {
    requireUser(call.credentials(), param(call, 'user'))
    return param(call, 'user')
  }),
)

const checkId = (request: string, call: Call): void => {
  const invalid = validate('GatewayIdentifiers', { gateway_id: param(call, 'gateway') })
  if (invalid !== undefined) throw wrapInvalid(request, 'gateway_ids', invalid)
}

const get = route('GET', '/gateways/:gateway', 'Get', (call) => {
  const mask = queryMask(call)
  requireAllowed(mask, allPaths)
  checkId('GetGatewayRequest', call)
  return {
    entity: entity(call),
    run: () => {
      const id = param(call, 'gateway')
      const caller = call.credentials()
      if (caller.key === undefined) throw fail(errors.unauthenticated)
      const roots = mask.map((path) => path.split('.')[0] ?? '')
      if (!roots.every((root) => publicRoots.has(root))) requireGateway(call.network, caller, id, 'INFO')
      if (roots.some((root) => secrets.includes(root)))
        requireGateway(call.network, caller, id, 'READ_SECRETS')
      return { body: view(gatewayOf(call.network, id), mask) }
    },
  }
})

const update = route('PUT', '/gateways/:gateway', 'Update', (call) => {
  const gateway = bodyGateway(call)
  const mask = bodyMask(call)
  requireAllowed(mask, allPaths)
  const invalid = validate('Gateway', gateway, mask.length === 0 ? [] : [...mask, 'ids'])
  if (invalid !== undefined) throw wrapInvalid('UpdateGatewayRequest', 'gateway', invalid)
  return {
    entity: entity(call),
    run: () => {
      const id = param(call, 'gateway')
      requireGateway(call.network, call.credentials(), id, 'SETTINGS_BASIC')
      const record = gatewayOf(call.network, id)
      if (mask.includes('ids.eui') || mask.includes('ids'))
        requireFreeEui(call.network, id, textAt(gateway, 'ids.eui'))
      setPaths('Gateway', record, gateway, mask)
      const next: Message = { ...record, updated_at: call.network.clock.micros() }
      call.network.gateways.set(id, next)
      return { body: view(next, mask) }
    },
  }
})

const remove = route('DELETE', '/gateways/:gateway', 'Delete', (call) => ({
  entity: entity(call),
  run: () => {
    const id = param(call, 'gateway')
    requireGateway(call.network, call.credentials(), id, 'DELETE')
    gatewayOf(call.network, id)
    call.network.gateways.delete(id)
    call.network.gatewayStats.delete(id)
    call.network.deletedGateways.add(id)
    return { body: {} }
  },
}))

const purge = route('DELETE', '/gateways/:gateway/purge', 'Purge', (call) => ({
  entity: entity(call),
  run: () => {
    if (!call.credentials().admin) throw fail(errors.adminsPurge('gateways'))
    const id = param(call, 'gateway')
    const known = call.network.gateways.delete(id)
    if (!call.network.deletedGateways.delete(id) && !known)
      throw fail(errors.gatewayNotFound, { gateway_id: id })
    return { body: {} }
  },
}))

const rights = route('GET', '/gateways/:gateway/rights', 'ListRights', (call) => ({
  entity: entity(call),
  run: () => {
    const caller = call.credentials()
    if (caller.admin) gatewayOf(call.network, param(call, 'gateway'))
    const held = [...gatewayRights(call.network, caller, param(call, 'gateway'))]
    return { body: held.length === 0 ? {} : { rights: held } }
  },
}))

const search: Route = {
  ...route('GET', '/search/gateways', 'Search', (call) => {
    const mask = queryMask(call)
    requireAllowed(mask, allPaths)
    const page = readPage(call, 'SearchGatewaysRequest', orders)
    return {
      run: () => {
        const { key } = call.credentials()
        if (key === undefined) throw fail(errors.unauthenticated)
        const part = (name: string): string => (call.query.get(name) ?? '').toLowerCase()
        const hits = call.network.gateways
          .entries()
          .map(([, record]) => record)
          .filter(
            (record) =>
              call.network.gatewayOwners.get(textAt(record, 'ids.gateway_id') ?? '') === key.entity.id &&
              (textAt(record, 'ids.eui') ?? '').toLowerCase().includes(part('eui_contains')) &&
              (textAt(record, 'ids.gateway_id') ?? '').includes(part('id_contains')) &&
              (textAt(record, 'name') ?? '').toLowerCase().includes(part('name_contains')),
          )
        return pageReply(
          'gateways',
          sortRecords(hits, page.order, 'gateway_id').map((record) => view(record, mask)),
          page,
        )
      },
    }
  }),
  rpc: '/ttn.lorawan.v3.EntityRegistrySearch/SearchGateways',
}

/** The gateway registry (API notes, section 13.2). */
export const gatewayRoutes: readonly Route[] = [
  create,
  listOfUser,
  list,
  search,
  rights,
  purge,
  get,
  update,
  remove,
]

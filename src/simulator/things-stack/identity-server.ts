import { decode } from '../json/decode.ts'
import { allowedPaths, setPaths } from '../json/mask.ts'
import { decodeTime } from '../json/scalars.ts'
import { child, type Message, textAt } from '../json/types.ts'
import { requestInvalid, wrapInvalid } from '../json/validate.ts'
import { deviceKey, type Network } from '../network.ts'
import { blockedIds } from './blocked-ids.ts'
import { bodyMask, type Call, param, queryMask, type Reply, type Route, requireAllowed } from './call.ts'
import {
  applicationEntity,
  bodyDevice,
  checkApplicationId,
  checkDevice,
  checkIds,
  deviceEntity,
  devicesOf,
  euiConflict,
  view,
} from './devices.ts'
import { decodeError, errors, fail } from './errors.ts'
import { identityServerBatchRoutes } from './identity-server-batch.ts'
import { deviceOrders, type Page, pageReply, readPage, sortRecords } from './paging.ts'
import { requireApplication } from './rights.ts'

const service = '/ttn.lorawan.v3.EndDeviceRegistry'
const stored = [
  'name',
  'description',
  'attributes',
  'version_ids',
  'service_profile_id',
  'locations',
  'picture',
  'activated_at',
  'last_seen_at',
  'claim_authentication_code',
  'network_server_address',
  'application_server_address',
  'join_server_address',
  'serial_number',
  'lora_alliance_profile_ids',
]

const requireExistingApplication = (network: Network, application: string): Message => {
  const record = network.applications.get(application)
  if (record === undefined) throw fail(errors.applicationNotFound, { application_id: application })
  return record
}

const deviceOf = (network: Network, application: string, device: string): Message => {
  const record = network.identityServer.get(deviceKey(application, device))
  if (record === undefined)
    throw fail(errors.endDeviceNotFound, { application_id: application, device_id: device })
  return record
}

const host = (address: string): string => address.replace(/^\w+:\/\//, '').replace(/:\d+$/, '')

const requireAddresses = (application: Message, device: Message): void => {
  for (const server of ['network', 'application', 'join']) {
    const expected = textAt(application, `${server}_server_address`)
    const address = textAt(device, `${server}_server_address`)
    if (expected === undefined || address === undefined || host(expected) === host(address)) continue
    throw fail(errors.addressMismatch(server), { address: host(address), expected: host(expected) })
  }
}

/**
 * A picture is stored as links to the server's own store. One that a request links to is downloaded from there, and no
 * other server's is to be had here (as a self-hosted The Things Stack, whose links name no host).
 */
const storedPicture = (application: string, device: Message): Message => {
  const picture = child(device, 'picture')
  if (picture === undefined) return {}
  if (child(picture, 'embedded') === undefined) throw fail(errors.pictureNotFetched)
  const id = textAt(device, 'ids.device_id') ?? ''
  return { picture: { sizes: { '0': `/assets/blob/end_device_pictures/${application}.${id}/original` } } }
}

const create: Route = {
  method: 'POST',
  path: '/applications/:application/devices',
  rpc: `${service}/Create`,
  registry: 'is',
  prepare: (call) => {
    const device = bodyDevice(call)
    checkDevice('CreateEndDeviceRequest', device, [])
    return {
      entity: applicationEntity(call),
      run: () => {
        const { network } = call
        const application = param(call, 'application')
        requireApplication(network, call.credentials(), application, 'DEVICES_WRITE')
        const id = textAt(device, 'ids.device_id') ?? ''
        if (blockedIds.has(id)) throw fail(errors.forbiddenId, { id })
        requireAddresses(requireExistingApplication(network, application), device)
        const key = deviceKey(application, id)
        if (network.identityServer.has(key)) throw fail(errors.idTaken, undefined, fail(errors.alreadyExists))
        const conflict = euiConflict(network.identityServer, device, errors.isEuisTaken)
        if (conflict !== undefined) throw conflict
        const now = network.clock.micros()
        const ids = { ...child(device, 'ids') }
        delete ids['dev_addr']
        const record: Message = {}
        const whole: Message = {
          version_ids: {},
          lora_alliance_profile_ids: {},
          ...device,
          ...storedPicture(application, device),
          ids,
          created_at: now,
          updated_at: now,
        }
        setPaths('EndDevice', record, whole, ['ids', 'created_at', 'updated_at', ...stored])
        network.identityServer.set(key, record)
        return { body: record }
      },
    }
  },
}

const get: Route = {
  method: 'GET',
  path: '/applications/:application/devices/:device',
  rpc: `${service}/Get`,
  registry: 'is',
  prepare: (call) => {
    const mask = queryMask(call)
    requireAllowed(mask, allowedPaths['is.read'])
    checkIds('GetEndDeviceRequest', call)
    return {
      entity: deviceEntity(call),
      run: () => {
        requireApplication(call.network, call.credentials(), param(call, 'application'), 'DEVICES_READ')
        return { body: view(deviceOf(call.network, param(call, 'application'), param(call, 'device')), mask) }
      },
    }
  },
}

const updatedSince = (call: Call): string | undefined => {
  const filters = call.body['filters']
  if (!Array.isArray(filters)) return undefined
  for (const filter of filters) {
    const since =
      typeof filter === 'object' && filter !== null && !Array.isArray(filter)
        ? filter['updated_since']
        : undefined
    if (since !== undefined && since !== null) {
      const read = decodeTime(since, (reason) => {
        throw decodeError(reason)
      })
      if (typeof read === 'string' && read > call.network.clock.now().toISOString()) {
        const cause = requestInvalid(
          'ListEndDevicesRequest_Filter',
          'updated_since',
          'value must be less than now',
        )
        throw wrapInvalid('ListEndDevicesRequest', 'filters[0]', cause)
      }
      return typeof read === 'string' ? read : undefined
    }
  }
  return undefined
}

/** In the order of their keys; of many devices those of other pages are not looked at. */
const pageById = (
  { identityServer }: Call['network'],
  application: string,
  { limit, page }: Page,
  mask: readonly string[],
): Reply => {
  const keys = identityServer.keys(`${application}/`)
  const records = keys
    .slice((page - 1) * limit, page * limit)
    .map((key) => view(identityServer.get(key) ?? {}, mask))
  return {
    body: records.length === 0 ? {} : { end_devices: records },
    headers: { 'x-total-count': String(keys.length) },
  }
}

const prepareList = (call: Call, mask: readonly string[]): ReturnType<Route['prepare']> => {
  requireAllowed(mask, allowedPaths['is.read'])
  checkApplicationId('ListEndDevicesRequest', param(call, 'application'))
  const page = readPage(call, 'ListEndDevicesRequest', deviceOrders)
  const since = updatedSince(call)
  return {
    entity: applicationEntity(call),
    run: () => {
      const application = param(call, 'application')
      requireApplication(call.network, call.credentials(), application, 'DEVICES_READ')
      if (since === undefined && ['', 'device_id'].includes(page.order))
        return pageById(call.network, application, page, mask)
      const all = devicesOf(call.network, application)
      const chosen =
        since === undefined ? all : all.filter((record) => (textAt(record, 'updated_at') ?? '') > since)
      const reply = pageReply(
        'end_devices',
        sortRecords(chosen, page.order, 'device_id').map((record) => view(record, mask)),
        page,
      )
      return { ...reply, headers: { 'x-total-count': String(all.length) } }
    },
  }
}

const list: Route = {
  method: 'GET',
  path: '/applications/:application/devices',
  rpc: `${service}/List`,
  registry: 'is',
  prepare: (call) => prepareList(call, queryMask(call)),
}

const filter: Route = {
  method: 'POST',
  path: '/applications/:application/devices/filter',
  rpc: `${service}/List`,
  registry: 'is',
  prepare: (call) => {
    for (const name of ['limit', 'page', 'order']) {
      const value = call.body[name]
      if (typeof value === 'number' || typeof value === 'string') call.query.set(name, String(value))
    }
    return prepareList(call, bodyMask(call))
  },
}

const update: Route = {
  method: 'PUT',
  path: '/applications/:application/devices/:device',
  rpc: `${service}/Update`,
  registry: 'is',
  prepare: (call) => {
    const device = bodyDevice(call)
    const mask = bodyMask(call)
    requireAllowed(mask, allowedPaths['is.write'])
    checkDevice('UpdateEndDeviceRequest', device, mask)
    return {
      entity: deviceEntity(call),
      run: () => {
        const { network } = call
        const application = param(call, 'application')
        requireApplication(network, call.credentials(), application, 'DEVICES_WRITE')
        const record = deviceOf(network, application, param(call, 'device'))
        const activated = record['activated_at']
        setPaths('EndDevice', record, device, mask)
        if (record['activated_at'] === undefined && activated !== undefined)
          record['activated_at'] = activated
        const next = decode('EndDevice', {
          version_ids: {},
          lora_alliance_profile_ids: {},
          ...record,
          updated_at: network.clock.micros(),
        })
        network.identityServer.set(deviceKey(application, param(call, 'device')), next)
        return { body: view(next, mask) }
      },
    }
  },
}

const remove: Route = {
  method: 'DELETE',
  path: '/applications/:application/devices/:device',
  rpc: `${service}/Delete`,
  registry: 'is',
  prepare: (call) => {
    checkIds('EndDeviceIdentifiers', call, '')
    return {
      entity: deviceEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'DEVICES_WRITE')
        deviceOf(call.network, application, param(call, 'device'))
        call.network.identityServer.delete(deviceKey(application, param(call, 'device')))
        return { body: {} }
      },
    }
  },
}

/** The device registry of the Identity Server, with search (API notes, sections 4 and 9.1). */
export const identityServerRoutes: readonly Route[] = [
  ...identityServerBatchRoutes,
  create,
  filter,
  list,
  get,
  update,
  remove,
]

import { allowedPaths } from '../json/mask.ts'
import { child, type Message, textAt } from '../json/types.ts'
import { deviceKey } from '../network.ts'
import { type Call, param, queryMask, type Route, requireAllowed } from './call.ts'
import { applicationEntity, batchIds, checkApplicationId, devicesOf, view } from './devices.ts'
import { deviceOrders, pageReply, readPage, sortRecords } from './paging.ts'
import { requireApplication } from './rights.ts'

const batch = '/ttn.lorawan.v3.EndDeviceBatchRegistry'

const batchGet: Route = {
  method: 'GET',
  path: '/applications/:application/devices/batch',
  rpc: `${batch}/Get`,
  registry: 'is',
  prepare: (call) => {
    const mask = queryMask(call)
    requireAllowed(mask, allowedPaths['is.read'])
    const ids = batchIds(call, 'BatchGetEndDevicesRequest')
    return {
      entity: applicationEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'DEVICES_READ')
        const found = [...new Set(ids)].sort().flatMap((id): Message[] => {
          const record = call.network.identityServer.get(deviceKey(application, id))
          return record === undefined ? [] : [record]
        })
        return { body: found.length === 0 ? {} : { end_devices: found.map((record) => view(record, mask)) } }
      },
    }
  },
}

const batchDelete: Route = {
  method: 'DELETE',
  path: '/applications/:application/devices/batch',
  rpc: `${batch}/Delete`,
  registry: 'is',
  prepare: (call) => {
    const ids = batchIds(call, 'BatchDeleteEndDevicesRequest')
    return {
      entity: applicationEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'DEVICES_WRITE')
        for (const id of ids) call.network.identityServer.delete(deviceKey(application, id))
        return { body: {} }
      },
    }
  },
}

const contains = (value: string | undefined, part: string | null): boolean =>
  part === null || part === '' || (value ?? '').toLowerCase().includes(part.toLowerCase())

const matchesSearch = ({ query }: Call, record: Message): boolean => {
  const attributes = [...query].flatMap(([name, value]) => {
    const key = /^attributes_contain\[(.+)\]$/.exec(name)?.[1]
    return key === undefined ? [] : [contains(textAt(child(record, 'attributes'), key), value)]
  })
  const texts = [
    textAt(record, 'ids.device_id'),
    textAt(record, 'name'),
    textAt(record, 'description'),
    textAt(record, 'ids.dev_eui'),
    textAt(record, 'ids.join_eui'),
  ]
  const anyText = query.get('query')
  return (
    contains(texts[0], query.get('id_contains')) &&
    contains(texts[1], query.get('name_contains')) &&
    contains(texts[2], query.get('description_contains')) &&
    contains(texts[3], query.get('dev_eui_contains')) &&
    contains(texts[4], query.get('join_eui_contains')) &&
    attributes.every(Boolean) &&
    (anyText === null || texts.some((text) => contains(text, anyText)))
  )
}

const search: Route = {
  method: 'GET',
  path: '/search/applications/:application/devices',
  rpc: '/ttn.lorawan.v3.EndDeviceRegistrySearch/SearchEndDevices',
  registry: 'is',
  prepare: (call) => {
    const mask = queryMask(call)
    requireAllowed(mask, allowedPaths['is.read'])
    checkApplicationId('SearchEndDevicesRequest', param(call, 'application'))
    const page = readPage(call, 'SearchEndDevicesRequest', deviceOrders)
    return {
      entity: applicationEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'DEVICES_READ')
        const byAttribute = [...call.query.keys()].some((name) => name.startsWith('attributes_contain['))
        const shownMask = byAttribute ? [...mask, 'attributes'] : mask
        const hits = devicesOf(call.network, application).filter((record) => matchesSearch(call, record))
        const shown = sortRecords(hits, page.order, 'device_id').map((record) => view(record, shownMask))
        const reply = pageReply('end_devices', shown, page)
        const items = reply.body['end_devices']
        // One answer never holds more than the default page, whatever the limit (API notes, section 4.4).
        return Array.isArray(items) ? { ...reply, body: { end_devices: items.slice(0, 100) } } : reply
      },
    }
  },
}

/** Batch reading and deleting, and search (API notes, sections 4.4 and 9.1). */
export const identityServerBatchRoutes: readonly Route[] = [batchGet, batchDelete, search]

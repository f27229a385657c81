import { allowedPaths } from '../json/mask.ts'
import type { Message } from '../json/types.ts'
import { deviceKey, type Network } from '../network.ts'
import type { RecordStore } from '../store.ts'
import { bodyMask, type Call, param, queryMask, type Registry, type Route, requireAllowed } from './call.ts'
import {
  applicationEntity,
  batchIds,
  bodyDevice,
  checkDevice,
  checkIds,
  deviceEntity,
  view,
} from './devices.ts'
import type { StackError } from './errors.ts'
import { requireApplication } from './rights.ts'

/** What one of the three other device registries does in its own way. */
export interface Component {
  readonly registry: Extract<Registry, 'js' | 'ns' | 'as'>
  /** `Js`, `Ns` or `As`, as in the method names. */
  readonly service: string
  store(network: Network): RecordStore
  requireReadRights(call: Call, application: string, mask: readonly string[]): void
  /** Writes and answers with the stored record. */
  set(call: Call, device: Message, mask: readonly string[]): Message
  missingOnGet(): StackError
  missingOnDelete(application: string, device: string): StackError
  /** More checks of a Set that come before the rights (a mask that names what the body must not hold). */
  checkSet?(device: Message, mask: readonly string[]): void
  /** Called after a device was removed. */
  removed?(network: Network, record: Message): void
}

const setRoutes = (component: Component): readonly Route[] => {
  const { registry, service } = component
  const prepare = (call: Call): ReturnType<Route['prepare']> => {
    const device = bodyDevice(call)
    const mask = bodyMask(call)
    requireAllowed(mask, allowedPaths[`${registry}.write`])
    component.checkSet?.(device, mask)
    checkDevice('SetEndDeviceRequest', device, mask)
    const ids = device['ids'] as Message
    const named: Call = { ...call, params: { ...call.params, device: String(ids['device_id'] ?? '') } }
    return {
      entity: deviceEntity(named),
      run: () => ({ body: view(component.set(named, device, mask), mask) }),
    }
  }
  const rpc = `/ttn.lorawan.v3.${service}EndDeviceRegistry/Set`
  return [
    { method: 'PUT', path: `/${registry}/applications/:application/devices/:device`, rpc, registry, prepare },
    { method: 'POST', path: `/${registry}/applications/:application/devices`, rpc, registry, prepare },
  ]
}

const getRoute = (component: Component): Route => ({
  method: 'GET',
  path: `/${component.registry}/applications/:application/devices/:device`,
  rpc: `/ttn.lorawan.v3.${component.service}EndDeviceRegistry/Get`,
  registry: component.registry,
  prepare: (call) => {
    const mask = queryMask(call)
    requireAllowed(mask, allowedPaths[`${component.registry}.read`])
    checkIds('GetEndDeviceRequest', call)
    return {
      entity: deviceEntity(call),
      run: () => {
        const application = param(call, 'application')
        component.requireReadRights(call, application, mask)
        const record = component.store(call.network).get(deviceKey(application, param(call, 'device')))
        if (record === undefined) throw component.missingOnGet()
        return { body: view(record, mask) }
      },
    }
  },
})

const removeDevice = (component: Component, network: Network, key: string): boolean => {
  const store = component.store(network)
  const record = store.get(key)
  if (record === undefined) return false
  component.removed?.(network, record)
  return store.delete(key)
}

const deleteRoutes = (component: Component): readonly Route[] => [
  {
    method: 'DELETE',
    path: `/${component.registry}/applications/:application/devices/batch`,
    rpc: `/ttn.lorawan.v3.${component.service}EndDeviceBatchRegistry/Delete`,
    registry: component.registry,
    prepare: (call) => {
      const ids = batchIds(call, 'BatchDeleteEndDevicesRequest')
      return {
        entity: applicationEntity(call),
        run: () => {
          const application = param(call, 'application')
          requireApplication(call.network, call.credentials(), application, 'DEVICES_WRITE')
          for (const id of ids) {
            removeDevice(component, call.network, deviceKey(application, id))
          }
          return { body: {} }
        },
      }
    },
  },
  {
    method: 'DELETE',
    path: `/${component.registry}/applications/:application/devices/:device`,
    rpc: `/ttn.lorawan.v3.${component.service}EndDeviceRegistry/Delete`,
    registry: component.registry,
    prepare: (call) => {
      checkIds('EndDeviceIdentifiers', call, '')
      return {
        entity: deviceEntity(call),
        run: () => {
          const application = param(call, 'application')
          const device = param(call, 'device')
          requireApplication(call.network, call.credentials(), application, 'DEVICES_WRITE')
          if (!removeDevice(component, call.network, deviceKey(application, device))) {
            throw component.missingOnDelete(application, device)
          }
          return { body: {} }
        },
      }
    },
  },
]

/** Get, Set, Delete and batch Delete of one component's device registry. */
export const componentRoutes = (component: Component): readonly Route[] => [
  ...deleteRoutes(component),
  getRoute(component),
  ...setRoutes(component),
]

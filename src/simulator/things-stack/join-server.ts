import { coversAny, setPaths } from '../json/mask.ts'
import { child, type Message, textAt } from '../json/types.ts'
import { validate } from '../json/validate.ts'
import { deviceKey } from '../network.ts'
import { type Call, param, type Route } from './call.ts'
import { type Component, componentRoutes } from './component-routes.ts'
import { changedId, euiConflict } from './devices.ts'
import { errors, fail } from './errors.ts'
import { requireApplication } from './rights.ts'

const zeroEui = '0000000000000000'
const zeroKey = '0'.repeat(32)
const keyPaths = ['root_keys.app_key.key', 'root_keys.nwk_key.key']

const isZeroKey = (device: Message, path: string): boolean => {
  const key = textAt(device, path)
  return key === undefined || key === zeroKey
}

const set = (call: Call, device: Message, mask: readonly string[]): Message => {
  const { network } = call
  const application = param(call, 'application')
  if (textAt(device, 'ids.join_eui') === undefined) throw fail(errors.noJoinEui)
  const devEui = textAt(device, 'ids.dev_eui')
  if (devEui === undefined || devEui === zeroEui) throw fail(errors.noDevEui)
  if (coversAny(mask, 'root_keys.app_key.key') && isZeroKey(device, 'root_keys.app_key.key')) {
    throw fail(errors.jsFieldValue, { field: 'root_keys.app_key.key' })
  }
  const caller = call.credentials()
  requireApplication(network, caller, application, 'DEVICES_WRITE')
  if (coversAny(mask, ...keyPaths, 'root_keys.root_key_id'))
    requireApplication(network, caller, application, 'DEVICES_WRITE_KEYS')

  const key = deviceKey(application, param(call, 'device'))
  const stored = network.joinServer.get(key)
  if (stored !== undefined && mask.length === 0) return stored
  const rootKeys = child(device, 'root_keys')
  if (
    rootKeys !== undefined &&
    coversAny(mask, 'root_keys.nwk_key.key') &&
    isZeroKey(device, 'root_keys.nwk_key.key')
  ) {
    delete rootKeys['nwk_key']
  }
  const now = network.clock.nanos()
  if (stored === undefined) {
    if (textAt(device, 'ids.dev_addr') !== undefined && textAt(device, 'ids.dev_addr') !== '00000000') {
      throw fail(errors.jsFieldValue, { field: 'ids.dev_addr' })
    }
    const record: Message = {}
    const whole: Message = { ...device, created_at: now, updated_at: now }
    const ids = { ...child(device, 'ids') }
    delete ids['dev_addr']
    setPaths('EndDevice', record, { ...whole, ids }, ['ids', 'created_at', 'updated_at', ...mask])
    const invalid = validate('EndDevice', record)
    if (invalid !== undefined) throw invalid
    const conflict = euiConflict(network.joinServer, record, errors.euisTaken)
    if (conflict !== undefined) throw conflict
    network.joinServer.set(key, record)
    return record
  }
  const changed = changedId(stored, device, mask)
  if (changed !== undefined) throw fail(errors.jsReadOnly, { field: changed })
  const ids = child(stored, 'ids')
  setPaths('EndDevice', stored, device, mask)
  const left = child(stored, 'root_keys')
  if (
    left !== undefined &&
    child(rootKeys, 'nwk_key') === undefined &&
    coversAny(mask, 'root_keys.nwk_key.key')
  ) {
    delete left['nwk_key']
  }
  const next: Message = { ...stored, ...(ids === undefined ? {} : { ids }), updated_at: now }
  const invalid = validate('EndDevice', next)
  if (invalid !== undefined) throw invalid
  network.joinServer.set(key, next)
  return next
}

const component: Component = {
  registry: 'js',
  service: 'Js',
  store: ({ joinServer }) => joinServer,
  requireReadRights: (call, application, mask) => {
    const caller = call.credentials()
    requireApplication(call.network, caller, application, 'DEVICES_READ')
    if (coversAny(mask, ...keyPaths))
      requireApplication(call.network, caller, application, 'DEVICES_READ_KEYS')
  },
  set,
  missingOnGet: () => fail(errors.jsDeviceNotFound),
  missingOnDelete: () => fail(errors.jsDeviceNotFound),
  removed: ({ sessionKeys }, record) => {
    const prefix = `${textAt(record, 'ids.join_eui') ?? ''}/${textAt(record, 'ids.dev_eui') ?? ''}/`
    for (const id of [...sessionKeys.keys()]) if (id.startsWith(prefix)) sessionKeys.delete(id)
  },
}

const open = (path: string, rpc: string, body: Message): Route => ({
  method: 'GET',
  path,
  rpc: `/ttn.lorawan.v3.Js/${rpc}`,
  registry: 'js',
  prepare: () => ({ run: () => ({ body }) }),
})

/** The device registry of the Join Server and what it says of itself (API notes, section 7). */
export const joinServerRoutes: readonly Route[] = [
  ...componentRoutes(component),
  open('/js/join_eui_prefixes', 'GetJoinEUIPrefixes', { prefixes: [{ join_eui: zeroEui }] }),
  open('/js/default_join_eui', 'GetDefaultJoinEUI', { join_eui: zeroEui }),
]

import { decode } from '../json/decode.ts'
import { allowedPaths, coversAny, setPaths } from '../json/mask.ts'
import { child, copy, type Message, textAt } from '../json/types.ts'
import { validate } from '../json/validate.ts'
import { deviceKey } from '../network.ts'
import { sendDue } from '../radio/network-initiated.ts'
import { bodyMask, type Call, param, type Route, requireAllowed } from './call.ts'
import { type Component, componentRoutes } from './component-routes.ts'
import { changedId, checkIds, deviceEntity, euiConflict, view } from './devices.ts'
import { errors, fail } from './errors.ts'
import { deriveMacState } from './mac-state.ts'
import { type Candidate, checkHiddenPaths, checkSettings, invalidField } from './network-server-rules.ts'
import { checkSession, completeSession, prepareKeys } from './network-server-session.ts'
import { requireApplication } from './rights.ts'

const networkKeys = ['f_nwk_s_int_key', 'nwk_s_enc_key', 's_nwk_s_int_key'].map((name) => `keys.${name}.key`)
const keyPaths = [
  'session',
  'pending_session',
  'mac_state.queued_join_accept',
  'pending_mac_state.queued_join_accept',
].flatMap((root) => networkKeys.map((key) => `${root}.${key}`))
const keyIds = ['session.keys.session_key_id', 'pending_session.keys.session_key_id']
const queues = ['session.queued_application_downlinks', 'pending_session.queued_application_downlinks']

/** What has the Network Server look whether a downlink is due, when it is set. */
const scheduling = ['mac_settings.schedule_downlinks', 'mac_state', 'last_dev_status_received_at']

/** Rights that reading a mask needs, without `RIGHT_APPLICATION_` (API notes, section 2.3). */
const readRights = (mask: readonly string[]): string[] => {
  if (mask.length === 0) return []
  return [
    'DEVICES_READ',
    ...(coversAny(mask, ...queues) ? ['TRAFFIC_READ'] : []),
    ...(coversAny(mask, ...keyPaths) ? ['DEVICES_READ_KEYS'] : []),
  ]
}

const extendMask = (device: Message, mask: readonly string[]): string[] => {
  const ids = child(device, 'ids') ?? {}
  const given = ['join_eui', 'dev_eui', 'dev_addr']
    .filter((name) => ids[name] !== undefined)
    .map((name) => `ids.${name}`)
  return [...mask, 'ids.application_ids', 'ids.device_id', ...given]
}

const followSession = (device: Message, mask: string[]): void => {
  const ids = child(device, 'ids')
  if (ids === undefined || ids['dev_addr'] !== undefined || !coversAny(mask, 'session.dev_addr')) return
  const address = textAt(device, 'session.dev_addr')
  if (address !== undefined) ids['dev_addr'] = address
  mask.push('ids.dev_addr')
}

const set = (call: Call, device: Message, masked: readonly string[]): Message => {
  const { network } = call
  const application = param(call, 'application')
  const writesKeys = coversAny(masked, ...keyPaths.filter((path) => !path.startsWith('mac_state')), ...keyIds)
  requireApplication(
    network,
    call.credentials(),
    application,
    'DEVICES_WRITE',
    ...(writesKeys ? ['DEVICES_WRITE_KEYS'] : []),
  )

  const key = deviceKey(application, param(call, 'device'))
  const stored = network.networkServer.get(key)
  const mask = extendMask(device, masked)
  const candidate: Candidate = { device, mask, stored }
  checkSettings(candidate)
  followSession(device, mask)
  prepareKeys(candidate)
  const merged: Message = stored === undefined ? {} : copy(stored)
  setPaths('EndDevice', merged, device, mask)
  checkSession(candidate, merged)
  const now = network.clock.nanos()
  completeSession(candidate, merged, now)
  if (stored !== undefined) {
    for (const field of ['multicast', 'supports_join']) {
      if (coversAny(mask, field) && merged[field] !== stored[field]) throw invalidField(field)
    }
    const changed = changedId(stored, device, mask)
    if (changed !== undefined) throw fail(errors.nsReadOnly, { field: changed })
  }
  const record = decode('EndDevice', {
    ...merged,
    created_at: stored?.['created_at'] ?? now,
    updated_at: now,
  })
  const invalid = validate('EndDevice', record)
  if (invalid !== undefined) throw invalid
  if (stored === undefined) {
    const conflict = euiConflict(network.networkServer, record, errors.euisTaken)
    if (conflict !== undefined) throw conflict
  }
  network.networkServer.set(key, record)
  if (coversAny(mask, ...scheduling)) sendDue(network, key)
  return record
}

const component: Component = {
  registry: 'ns',
  service: 'Ns',
  store: ({ networkServer }) => networkServer,
  requireReadRights: (call, application, mask) =>
    requireApplication(call.network, call.credentials(), application, ...readRights(mask)),
  set,
  checkSet: (device, mask) => checkHiddenPaths(device, mask, allowedPaths['ns.write']),
  missingOnGet: () => fail(errors.redisNotFound),
  missingOnDelete: () => fail(errors.nsDeviceNotFound),
}

const resetFields = [
  'battery_percentage',
  'downlink_margin',
  'last_dev_status_received_at',
  'mac_state',
  'pending_mac_state',
  'pending_session',
  'power_state',
]

const reset: Route = {
  method: 'PATCH',
  path: '/ns/applications/:application/devices/:device',
  rpc: '/ttn.lorawan.v3.NsEndDeviceRegistry/ResetFactoryDefaults',
  registry: 'ns',
  prepare: (call) => {
    const mask = bodyMask(call)
    requireAllowed(mask, allowedPaths['ns.read'])
    checkIds('ResetAndGetEndDeviceRequest', call)
    return {
      entity: deviceEntity(call),
      run: () => {
        const { network } = call
        const application = param(call, 'application')
        requireApplication(network, call.credentials(), application, 'DEVICES_WRITE', ...readRights(mask))
        const key = deviceKey(application, param(call, 'device'))
        const record = network.networkServer.get(key)
        if (record === undefined) throw fail(errors.nsDeviceNotFound)
        const session = child(record, 'session')
        for (const field of resetFields) delete record[field]
        delete record['session']
        const now = network.clock.nanos()
        if (record['supports_join'] !== true && session !== undefined) {
          const { dev_addr, keys, queued_application_downlinks } = session
          record['session'] = { dev_addr, keys, started_at: now, queued_application_downlinks }
          record['mac_state'] = deriveMacState(record)
        }
        const next = decode('EndDevice', { ...record, updated_at: now })
        network.networkServer.set(key, next)
        return { body: view(next, mask) }
      },
    }
  },
}

/** The device registry of the Network Server (API notes, section 6). */
export const networkServerRoutes: readonly Route[] = [reset, ...componentRoutes(component)]

import { decode } from '../json/decode.ts'
import { coversAny, setPaths } from '../json/mask.ts'
import { child, type Message, textAt } from '../json/types.ts'
import { validate, wrapInvalid } from '../json/validate.ts'
import { deviceKey, type Network } from '../network.ts'
import { bodyMask, bodyObject, type Call, param, queryMask, type Route, requireAllowed } from './call.ts'
import { type Component, componentRoutes } from './component-routes.ts'
import { applicationEntity, changedId, checkApplicationId, euiConflict } from './devices.ts'
import { errors, fail } from './errors.ts'
import { integrationRoutes } from './integrations.ts'
import { requireApplication } from './rights.ts'

const isZero = (text: string | undefined): boolean => text === undefined || /^0+$/.test(text)

const set = (call: Call, device: Message, mask: readonly string[]): Message => {
  const { network } = call
  const application = param(call, 'application')
  for (const path of ['session.dev_addr', 'session.keys.app_s_key.key']) {
    if (coversAny(mask, path) && isZero(textAt(device, path)))
      throw fail(errors.asFieldValue, { field: path })
  }
  const caller = call.credentials()
  requireApplication(network, caller, application, 'DEVICES_WRITE')
  if (coversAny(mask, 'session.keys.app_s_key.key', 'session.keys.session_key_id')) {
    requireApplication(network, caller, application, 'DEVICES_WRITE_KEYS')
  }
  const key = deviceKey(application, param(call, 'device'))
  const stored = network.applicationServer.get(key)
  if (stored !== undefined && mask.length === 0) return stored
  const now = network.clock.nanos()
  const record: Message = stored ?? { created_at: now }
  const given = child(device, 'ids') ?? {}
  const address = textAt(device, 'session.dev_addr')
  if (stored === undefined) {
    const claimed = textAt(device, 'ids.dev_addr')
    if (claimed !== undefined && (!coversAny(mask, 'session.dev_addr') || claimed !== address)) {
      throw fail(errors.asFieldValue, { field: 'ids.dev_addr' })
    }
    const ids = { ...given }
    if (isZero(textAt(device, 'ids.dev_eui'))) delete ids['dev_eui']
    delete ids['dev_addr']
    setPaths('EndDevice', record, { ...device, ids }, ['ids', ...mask])
  } else {
    const changed = changedId(stored, device, mask)
    if (changed !== undefined) throw fail(errors.asReadOnly, { field: changed })
    const ids = { ...child(stored, 'ids') }
    if (coversAny(mask, 'session.dev_addr') && address !== undefined) ids['dev_addr'] = address
    setPaths('EndDevice', record, { ...device, ids }, [
      ...mask.filter((path) => path !== 'ids' && !path.startsWith('ids.')),
      'ids',
    ])
  }
  const invalid = validate('EndDevice', record)
  if (invalid !== undefined) throw invalid
  if (stored === undefined) {
    const conflict = euiConflict(network.applicationServer, record, errors.euisTaken)
    if (conflict !== undefined) throw conflict
  }
  const next: Message = {}
  setPaths('EndDevice', next, { ...record, updated_at: now }, Object.keys({ ...record, updated_at: now }))
  network.applicationServer.set(key, next)
  return next
}

const component: Component = {
  registry: 'as',
  service: 'As',
  store: ({ applicationServer }) => applicationServer,
  requireReadRights: (call, application, mask) => {
    const caller = call.credentials()
    requireApplication(call.network, caller, application, 'DEVICES_READ')
    if (coversAny(mask, 'session.keys.app_s_key.key', 'pending_session.keys.app_s_key.key')) {
      requireApplication(call.network, caller, application, 'DEVICES_READ_KEYS')
    }
  },
  set,
  missingOnGet: () => fail(errors.redisNotFound),
  missingOnDelete: (application, device) =>
    fail(errors.asDeviceNotFound, { device_uid: `${application}.${device}` }),
}

const linkPaths = new Set([
  'api_key',
  'default_formatters',
  ...['up_formatter', 'up_formatter_parameter', 'down_formatter', 'down_formatter_parameter'].map(
    (name) => `default_formatters.${name}`,
  ),
  'network_server_address',
  'skip_payload_crypto',
  'tls',
])

const linkOf = (network: Network, application: string): Message => {
  const link = network.links.get(application)
  if (link === undefined) throw fail(errors.redisNotFound)
  return link
}

const known = (mask: readonly string[]): readonly string[] =>
  mask.filter((path) => path.startsWith('default_formatters') || path === 'skip_payload_crypto')

const linkRoute = (method: Route['method'], rpc: string, prepare: Route['prepare']): Route => ({
  method,
  path: '/as/applications/:application/link',
  rpc: `/ttn.lorawan.v3.As/${rpc}`,
  registry: 'as',
  prepare,
})

const linkRoutes: readonly Route[] = [
  linkRoute('GET', 'GetLink', (call) => {
    const mask = queryMask(call)
    requireAllowed(mask, linkPaths)
    checkApplicationId('GetApplicationLinkRequest', param(call, 'application'))
    return {
      entity: applicationEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'SETTINGS_BASIC')
        const shown: Message = {}
        setPaths('ApplicationLink', shown, linkOf(call.network, application), known(mask))
        return { body: shown }
      },
    }
  }),
  linkRoute('PUT', 'SetLink', (call) => {
    const link = decode('ApplicationLink', bodyObject(call, 'link') ?? {}, 'link')
    const mask = bodyMask(call)
    requireAllowed(mask, linkPaths)
    const invalid = validate('ApplicationLink', link, known(mask))
    if (invalid !== undefined) throw wrapInvalid('SetApplicationLinkRequest', 'link', invalid)
    return {
      entity: applicationEntity(call),
      run: () => {
        const application = param(call, 'application')
        requireApplication(call.network, call.credentials(), application, 'SETTINGS_BASIC')
        const record = call.network.links.get(application) ?? {}
        setPaths('ApplicationLink', record, link, known(mask))
        call.network.links.set(application, record)
        const shown: Message = {}
        setPaths('ApplicationLink', shown, record, known(mask))
        return { body: shown }
      },
    }
  }),
  linkRoute('DELETE', 'DeleteLink', (call) => ({
    entity: applicationEntity(call),
    run: () => {
      const application = param(call, 'application')
      requireApplication(call.network, call.credentials(), application, 'SETTINGS_BASIC')
      linkOf(call.network, application)
      call.network.links.delete(application)
      return { body: {} }
    },
  })),
]

/** The device registry of the Application Server, application links and integrations (API notes, section 8). */
export const applicationServerRoutes: readonly Route[] = [
  ...componentRoutes(component),
  ...linkRoutes,
  ...integrationRoutes,
]

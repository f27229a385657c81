import type { Network } from '../network.ts'
import type { ApiKey } from './api-keys.ts'
import { type ErrorDefinition, errors, fail } from './errors.ts'

const groups: Readonly<Record<string, string>> = {
  APPLICATION:
    'ALL DELETE DEVICES_READ DEVICES_READ_KEYS DEVICES_WRITE DEVICES_WRITE_KEYS INFO LINK SETTINGS_API_KEYS SETTINGS_BASIC SETTINGS_COLLABORATORS SETTINGS_PACKAGES TRAFFIC_DOWN_WRITE TRAFFIC_READ TRAFFIC_UP_WRITE',
  CLIENT: 'ALL DELETE INFO SETTINGS_BASIC SETTINGS_COLLABORATORS',
  GATEWAY:
    'ALL DELETE INFO LINK LOCATION_READ READ_SECRETS SETTINGS_API_KEYS SETTINGS_BASIC SETTINGS_COLLABORATORS STATUS_READ TRAFFIC_DOWN_WRITE TRAFFIC_READ WRITE_SECRETS',
  ORGANIZATION:
    'ADD_AS_COLLABORATOR ALL APPLICATIONS_CREATE APPLICATIONS_LIST CLIENTS_CREATE CLIENTS_LIST DELETE GATEWAYS_CREATE GATEWAYS_LIST INFO SETTINGS_API_KEYS SETTINGS_BASIC SETTINGS_MEMBERS',
  USER: 'ALL APPLICATIONS_CREATE APPLICATIONS_LIST AUTHORIZED_CLIENTS CLIENTS_CREATE CLIENTS_LIST DELETE GATEWAYS_CREATE GATEWAYS_LIST INFO NOTIFICATIONS_READ ORGANIZATIONS_CREATE ORGANIZATIONS_LIST SETTINGS_API_KEYS SETTINGS_BASIC',
}

/** Every right that the server knows. */
const allRights: readonly string[] = [
  'RIGHT_ALL',
  'RIGHT_SEND_INVITES',
  ...Object.entries(groups).flatMap(([group, names]) =>
    names.split(' ').map((name) => `RIGHT_${group}_${name}`),
  ),
]

/** What a right brings with it: `RIGHT_ALL` everything, `..._ALL` its group, LINK three more (API notes, 2.3). */
export const expandRights = (rights: readonly string[]): ReadonlySet<string> => {
  const expanded = new Set<string>(rights)
  if (expanded.has('RIGHT_ALL')) return new Set(allRights)
  for (const group of Object.keys(groups)) {
    if (!expanded.has(`RIGHT_${group}_ALL`)) continue
    for (const right of allRights) if (right.startsWith(`RIGHT_${group}_`)) expanded.add(right)
  }
  if (expanded.has('RIGHT_APPLICATION_LINK')) {
    for (const name of ['INFO', 'TRAFFIC_READ', 'TRAFFIC_DOWN_WRITE'])
      expanded.add(`RIGHT_APPLICATION_${name}`)
  }
  return expanded
}

/** Who calls. `key` is undefined without an `Authorization` header. */
export interface Credentials {
  readonly key: ApiKey | undefined
  readonly admin: boolean
}

const tokenPrefixes = new Set(['NNSXS', 'MFRWG', 'OJSWM'])

/**
 * Reads the `Authorization` header.
 * @throws StackError 400 `pkg/auth:token` for a malformed token, 401 for an unknown, wrong or expired one
 */
export const authenticate = (network: Network, authorization: string | undefined): Credentials => {
  if (authorization === undefined || authorization === '') return { key: undefined, admin: false }
  const [scheme = '', token = ''] = authorization.split(' ')
  if (scheme.toLowerCase() !== 'bearer') throw fail(errors.unsupportedAuthorization)
  const [prefix = '', id = '', secret = '', ...more] = token.split('.')
  if (!tokenPrefixes.has(prefix) || id === '' || secret === '' || more.length > 0) throw fail(errors.token)
  if (prefix !== 'NNSXS') throw fail(errors.tokenNotFound)
  const key = network.apiKeys.get(id)
  if (key === undefined) {
    throw fail(errors.apiKeyNotFound, undefined, fail(errors.storeApiKeyNotFound, { api_key_id: id }))
  }
  if (key.secret !== secret) throw fail(errors.invalidAuthorization)
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= network.clock.now().getTime())
    throw fail(errors.apiKeyExpired)
  return { key, admin: key.entity.kind === 'user' && network.users.get(key.entity.id)?.admin === true }
}

const ofGroup = (rights: ReadonlySet<string>, group: string): ReadonlySet<string> =>
  new Set([...rights].filter((right) => right.startsWith(`RIGHT_${group}_`)))

const none: ReadonlySet<string> = new Set()

/** The caller's rights on one application; empty also when it does not exist and the caller is no admin. */
export const applicationRights = (
  network: Network,
  { key, admin }: Credentials,
  application: string,
): ReadonlySet<string> => {
  if (key === undefined) return none
  if (admin) return ofGroup(expandRights(key.rights), 'APPLICATION')
  if (!network.applications.has(application)) return none
  const holds =
    key.entity.kind === 'application'
      ? key.entity.id === application
      : network.applicationOwners.get(application) === key.entity.id
  return holds ? ofGroup(expandRights(key.rights), 'APPLICATION') : none
}

/** The caller's rights on one gateway. */
export const gatewayRights = (
  network: Network,
  { key, admin }: Credentials,
  gateway: string,
): ReadonlySet<string> => {
  if (key === undefined) return none
  if (admin) return ofGroup(expandRights(key.rights), 'GATEWAY')
  const holds =
    key.entity.kind === 'gateway'
      ? key.entity.id === gateway
      : network.gatewayOwners.get(gateway) === key.entity.id
  return holds ? ofGroup(expandRights(key.rights), 'GATEWAY') : none
}

const requireRights = (
  held: ReadonlySet<string>,
  uid: string,
  needed: readonly string[],
  noRights: ErrorDefinition,
  insufficient: ErrorDefinition,
): void => {
  if (held.size === 0) throw fail(noRights, { uid })
  const missing = needed.filter((right) => !held.has(right))
  if (missing.length > 0) throw fail(insufficient, { missing, uid })
}

/**
 * Requires rights on an application, named without `RIGHT_APPLICATION_`; any one right when none is named.
 * @throws StackError 403 with the exact missing names (API notes, section 2.4)
 */
export const requireApplication = (
  network: Network,
  caller: Credentials,
  application: string,
  ...names: string[]
): void =>
  requireRights(
    applicationRights(network, caller, application),
    application,
    names.map((name) => `RIGHT_APPLICATION_${name}`),
    errors.noApplicationRights,
    errors.insufficientApplicationRights,
  )

/** Requires rights on a gateway, named without `RIGHT_GATEWAY_`. */
export const requireGateway = (
  network: Network,
  caller: Credentials,
  gateway: string,
  ...names: string[]
): void =>
  requireRights(
    gatewayRights(network, caller, gateway),
    gateway,
    names.map((name) => `RIGHT_GATEWAY_${name}`),
    errors.noGatewayRights,
    errors.insufficientGatewayRights,
  )

/** Requires that the caller is the user, or an admin. */
export const requireUser = ({ key, admin }: Credentials, user: string): void => {
  if (admin || (key?.entity.kind === 'user' && key.entity.id === user)) return
  throw fail(errors.noUserRights, { uid: user })
}

import { decode } from '../json/decode.ts'
import type { Message } from '../json/types.ts'
import { validate } from '../json/validate.ts'
import type { ApiKey, EntityKind } from './api-keys.ts'
import { createApiKey, printApiKey, tokenOf } from './api-keys.ts'
import { type Call, param, type Route } from './call.ts'
import { errors, fail } from './errors.ts'
import {
  applicationRights,
  expandRights,
  gatewayRights,
  requireApplication,
  requireGateway,
  requireUser,
} from './rights.ts'

const entityMessage = ({ kind, id }: ApiKey['entity']): Message => ({
  [`${kind}_ids`]: { [`${kind}_id`]: id },
})

const authInfo: Route = {
  method: 'GET',
  path: '/auth_info',
  rpc: '/ttn.lorawan.v3.EntityAccess/AuthInfo',
  registry: 'is',
  prepare: (call) => ({
    run: () => {
      const { key, admin } = call.credentials()
      if (key === undefined) return { body: {} }
      const rights = [...expandRights(key.rights)]
      const shown = { ...printApiKey(key), rights }
      return {
        body: {
          api_key: { api_key: shown, entity_ids: entityMessage(key.entity) },
          ...(admin ? { universal_rights: { rights }, is_admin: true } : {}),
        },
      }
    },
  }),
}

const readKey = (call: Call): Message => {
  const body: Message = { ...call.body }
  const key = decode('APIKey', body)
  const invalid = validate('APIKey', key, ['name', 'rights'])
  if (invalid !== undefined) throw invalid
  return key
}

interface Holder {
  readonly kind: EntityKind
  readonly plural: string
  readonly service: string
  /** Requires the right to manage keys. */
  manage(call: Call, id: string): void
  /** Rights that the caller holds and may hand on. */
  held(call: Call, id: string): ReadonlySet<string>
}

const holders: readonly Holder[] = [
  {
    kind: 'application',
    plural: 'applications',
    service: 'ApplicationAccess',
    manage: (call, id) => requireApplication(call.network, call.credentials(), id, 'SETTINGS_API_KEYS'),
    held: (call, id) => applicationRights(call.network, call.credentials(), id),
  },
  {
    kind: 'gateway',
    plural: 'gateways',
    service: 'GatewayAccess',
    manage: (call, id) => requireGateway(call.network, call.credentials(), id, 'SETTINGS_API_KEYS'),
    held: (call, id) => gatewayRights(call.network, call.credentials(), id),
  },
  {
    kind: 'user',
    plural: 'users',
    service: 'UserAccess',
    manage: (call, id) => {
      requireUser(call.credentials(), id)
      if (!call.network.users.has(id)) throw fail(errors.userNotFound, { user_id: id })
    },
    held: (call) => expandRights(call.credentials().key?.rights ?? []),
  },
]

const keysOf = (call: Call, kind: EntityKind, id: string): ApiKey[] =>
  [...call.network.apiKeys.values()].filter(({ entity }) => entity.kind === kind && entity.id === id)

const keyOf = (call: Call, kind: EntityKind, id: string): ApiKey => {
  const key = keysOf(call, kind, id).find((candidate) => candidate.id === param(call, 'key'))
  if (key === undefined) throw fail(errors.storeApiKeyNotFound, { api_key_id: param(call, 'key') })
  return key
}

/** An admin may hand on whatever its own key holds. */
const adminRights = (call: Call): ReadonlySet<string> => {
  const { key, admin } = call.credentials()
  return admin ? expandRights(key?.rights ?? []) : new Set()
}

const requireHeld = (holder: Holder, call: Call, id: string, rights: readonly string[]): void => {
  const held = new Set([...holder.held(call, id), ...adminRights(call)])
  const missing = rights.filter((right) => !held.has(right))
  if (missing.length === 0) return
  const insufficient =
    holder.kind === 'gateway' ? errors.insufficientGatewayRights : errors.insufficientApplicationRights
  throw fail(insufficient, { missing, uid: id })
}

const list = (value: Message[string]): string[] => (Array.isArray(value) ? value.map(String) : [])

const keyRoutes = (holder: Holder): readonly Route[] => {
  const base = `/${holder.plural}/:entity/api-keys`
  const route = (method: Route['method'], path: string, rpc: string, prepare: Route['prepare']): Route => ({
    method,
    path,
    rpc: `/ttn.lorawan.v3.${holder.service}/${rpc}`,
    registry: 'is',
    prepare,
  })
  const entity = (call: Call): string => `${holder.kind}:${param(call, 'entity')}`
  return [
    route('POST', base, 'CreateAPIKey', (call) => {
      const wanted = readKey(call)
      return {
        entity: entity(call),
        run: () => {
          const id = param(call, 'entity')
          holder.manage(call, id)
          const rights = list(wanted['rights'])
          requireHeld(holder, call, id, rights)
          const expires = wanted['expires_at']
          const key = createApiKey(
            call.network,
            { kind: holder.kind, id },
            String(wanted['name'] ?? ''),
            rights,
            typeof expires === 'string' ? expires : undefined,
          )
          const { id: keyId, ...rest } = printApiKey(key)
          return { body: { id: keyId, key: tokenOf(key), ...rest } }
        },
      }
    }),
    route('GET', base, 'ListAPIKeys', (call) => ({
      entity: entity(call),
      run: () => {
        const id = param(call, 'entity')
        holder.manage(call, id)
        const keys = keysOf(call, holder.kind, id).map(printApiKey)
        return {
          body: keys.length === 0 ? {} : { api_keys: keys },
          headers: { 'x-total-count': String(keys.length) },
        }
      },
    })),
    route('GET', `${base}/:key`, 'GetAPIKey', (call) => ({
      entity: entity(call),
      run: () => {
        holder.manage(call, param(call, 'entity'))
        return { body: printApiKey(keyOf(call, holder.kind, param(call, 'entity'))) }
      },
    })),
    route('DELETE', `${base}/:key`, 'DeleteAPIKey', (call) => ({
      entity: entity(call),
      run: () => {
        holder.manage(call, param(call, 'entity'))
        call.network.apiKeys.delete(keyOf(call, holder.kind, param(call, 'entity')).id)
        return { body: {} }
      },
    })),
  ]
}

/** `/auth_info` and the API keys of users, applications and gateways (API notes, sections 2.2 and 13.1). */
export const accessRoutes: readonly Route[] = [authInfo, ...holders.flatMap(keyRoutes)]

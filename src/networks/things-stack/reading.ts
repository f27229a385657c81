import type { DeviceIds, FieldPath, Fields, Registry } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { NetworkPort } from '../../domain/ports.ts'
import { type Api, maskQuery } from './api.ts'
import { ownError, registryName } from './errors.ts'
import { readMask, SESSION_MASK } from './fields.ts'
import { fieldsOf, idsOf, WrappedKey } from './records.ts'

interface Found {
  readonly registry: Registry
  readonly ids: DeviceIds
  readonly fields: Fields
}

const decode = (api: Api, registry: Registry, deviceId: string, body: Json | undefined): Found => {
  try {
    return { registry, ids: idsOf(body), fields: fieldsOf(registry, body) }
  } catch (error) {
    if (!(error instanceof WrappedKey)) throw error
    throw ownError(
      'WrappedKey',
      `the ${registryName(registry)} holds ${error.path} of ${deviceId} wrapped, and gives no key that could be carried`,
      api.asked({ method: 'GET', registry, path: api.devicesPath(registry, deviceId) }),
      'have the operator of the network unwrap it, or leave the device out of the plan',
    )
  }
}

/** Paths of a mask that a server refused because it does not know them: it cannot hold such fields either. */
const refusedMaskPaths = (error: unknown): readonly FieldPath[] => {
  if (!(error instanceof NetworkError) || error.code !== 'ForbiddenPath') return []
  const paths = error.fault.attributes?.['forbidden_paths']
  return Array.isArray(paths) ? paths.filter((path): path is string => typeof path === 'string') : []
}

type ReadRegistry = (registry: Registry, deviceId: string) => Promise<Found | undefined>

/** Asks for all fields; an older server that refuses some of them is asked for the others from then on. */
const createRegistryReader = (api: Api): ReadRegistry => {
  const masks = new Map<Registry, readonly FieldPath[]>()
  const readRegistry: ReadRegistry = async (registry, deviceId) => {
    const path = api.devicesPath(registry, deviceId)
    const mask = masks.get(registry) ?? readMask(registry)
    try {
      const answer = await api.callDevice({ method: 'GET', registry, path, query: maskQuery(mask) })
      return answer === undefined ? undefined : decode(api, registry, deviceId, answer.body)
    } catch (error) {
      const refused = refusedMaskPaths(error)
      const known = mask.filter((one) => !refused.includes(one))
      if (known.length === 0 || known.length === mask.length) throw error
      masks.set(registry, known)
      return readRegistry(registry, deviceId)
    }
  }
  return readRegistry
}

/** One pair of EUIs for all registries; where they contradict each other nothing can be told from the record. */
const commonIds = (api: Api, deviceId: string, found: readonly Found[]): DeviceIds => {
  const common: {
    deviceId: string
    devEui?: NonNullable<DeviceIds['devEui']>
    joinEui?: NonNullable<DeviceIds['joinEui']>
  } = {
    deviceId,
  }
  for (const { registry, ids } of found) {
    for (const name of ['deviceId', 'devEui', 'joinEui'] as const) {
      const [known, told] = [common[name], ids[name]]
      if (known === undefined || told === undefined || known === told) continue
      throw ownError(
        'IdsDiffer',
        `the ${registryName(registry)} knows ${deviceId} with ${name} ${told}, other registries with ${known}`,
        api.asked({ method: 'GET', registry, path: api.devicesPath(registry, deviceId) }),
        'find out which is right, delete the other record and register it again',
      )
    }
    if (ids.devEui !== undefined) common.devEui ??= ids.devEui
    if (ids.joinEui !== undefined) common.joinEui ??= ids.joinEui
  }
  return common
}

/**
 * Reads all registries that the network has at once, or those of them that are named; those that do not know the device are left out
 * of the record.
 */
export const createDeviceReader = (api: Api, registries: readonly Registry[]): NetworkPort['read'] => {
  const readRegistry = createRegistryReader(api)
  return async (deviceId, named = registries) => {
    const asked = registries.filter((registry) => named.includes(registry))
    const answers = await Promise.all(asked.map((registry) => readRegistry(registry, deviceId)))
    const found = answers.filter((one) => one !== undefined)
    return {
      ids: commonIds(api, deviceId, found),
      registries: Object.fromEntries(found.map(({ registry, fields }) => [registry, fields])),
    }
  }
}

/** What being heard shows; undefined where the Network Server does not know the device. */
export const readSession = async (api: Api, deviceId: string): Promise<Fields | undefined> => {
  const registry = 'network-server'
  const path = api.devicesPath(registry, deviceId)
  const answer = await api.callDevice({ method: 'GET', registry, path, query: maskQuery(SESSION_MASK) })
  return answer === undefined ? undefined : fieldsOf(registry, answer.body)
}

import type { DeviceIds, DeviceRecord, Fields, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import { type Api, maskQuery } from './api.ts'
import { ownError, registryName } from './errors.ts'
import { readMask, SESSION_MASK } from './fields.ts'
import { arrayOf, objectOf } from './json-tree.ts'
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

const readRegistry = async (api: Api, registry: Registry, deviceId: string): Promise<Found | undefined> => {
  const path = api.devicesPath(registry, deviceId)
  const answer = await api.callDevice({ method: 'GET', registry, path, query: maskQuery(readMask(registry)) })
  return answer === undefined ? undefined : decode(api, registry, deviceId, answer.body)
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

/** All registries at once; those that do not know the device are left out of the record. */
export const readDevice = async (api: Api, deviceId: string): Promise<DeviceRecord> => {
  const answers = await Promise.all(REGISTRIES.map((registry) => readRegistry(api, registry, deviceId)))
  const found = answers.filter((one) => one !== undefined)
  return {
    ids: commonIds(api, deviceId, found),
    registries: Object.fromEntries(found.map(({ registry, fields }) => [registry, fields])),
  }
}

/** What being heard shows; undefined where the Network Server does not know the device. */
export const readSession = async (api: Api, deviceId: string): Promise<Fields | undefined> => {
  const registry = 'network-server'
  const path = api.devicesPath(registry, deviceId)
  const answer = await api.callDevice({ method: 'GET', registry, path, query: maskQuery(SESSION_MASK) })
  return answer === undefined ? undefined : fieldsOf(registry, answer.body)
}

/** Undefined where the credential may not see the queue (`RIGHT_APPLICATION_TRAFFIC_READ`). */
export const countQueuedDownlinks = async (api: Api, deviceId: string): Promise<number | undefined> => {
  const registry = 'application-server'
  const path = `${api.devicesPath(registry, deviceId)}/down`
  try {
    const answer = await api.callDevice({ method: 'GET', registry, path })
    return arrayOf(objectOf(answer?.body)?.['downlinks']).length
  } catch (error) {
    if (error instanceof NetworkError && error.code === 'MissingRight') return undefined
    throw error
  }
}

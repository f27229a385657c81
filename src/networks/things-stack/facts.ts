import { NetworkError } from '../../domain/errors.ts'
import { type DevAddr, parseDevAddr } from '../../domain/identifiers.ts'
import type { Json } from '../../domain/json.ts'
import type { NetworkFacts } from '../../domain/ports.ts'
import type { Api } from './api.ts'
import { ownError } from './errors.ts'
import { arrayOf, type JsonObject, objectOf, textOf } from './json-tree.ts'
import { serverAddresses } from './servers.ts'

/** Facts of the network as a whole are public; a server that does not offer one leaves it out. */
const ask = async (api: Api, path: string): Promise<JsonObject> => {
  try {
    const answer = await api.call({ method: 'GET', registry: 'network-server', path })
    return objectOf(answer.body) ?? {}
  } catch (error) {
    const missing = error instanceof NetworkError && /^(RegistryNotServed|ApiUnsupported)$/.test(error.code)
    if (missing) return {}
    throw error
  }
}

const texts = (value: Json | undefined): readonly string[] =>
  arrayOf(value).filter((item): item is string => typeof item === 'string')

/**
 * NetID, blocks of device addresses, frequency plans and PHY versions of the Network Server's cluster. No public
 * request tells the version of the server, so it is left out.
 */
export const readFacts = async (api: Api): Promise<NetworkFacts> => {
  const [netId, prefixes, plans, versions] = await Promise.all([
    ask(api, '/ns/net_id'),
    ask(api, '/ns/dev_addr_prefixes'),
    ask(api, '/configuration/frequency-plans'),
    ask(api, '/configuration/phy-versions'),
  ])
  const id = textOf(netId['net_id'])
  return {
    ...(id === undefined ? {} : { netId: id }),
    devAddrPrefixes: texts(prefixes['dev_addr_prefixes']),
    frequencyPlans: arrayOf(plans['frequency_plans']).flatMap((plan) => {
      const [name, band] = [textOf(objectOf(plan)?.['id']), textOf(objectOf(plan)?.['band_id'])]
      return name === undefined ? [] : [{ id: name, ...(band === undefined ? {} : { band }) }]
    }),
    phyVersions: Object.fromEntries(
      arrayOf(versions['version_info']).flatMap((info) => {
        const band = textOf(objectOf(info)?.['band_id'])
        return band === undefined ? [] : [[band, [...texts(objectOf(info)?.['phy_versions'])].sort()]]
      }),
    ),
    serverAddresses: serverAddresses(api.urls),
  }
}

/** What the Network Server assumes for a device that sets nothing. */
export const readDefaultMacSettings = async (
  api: Api,
  frequencyPlan: string,
  phyVersion: string,
): Promise<JsonObject> => {
  const path = `/ns/default_mac_settings/${encodeURIComponent(frequencyPlan)}/${encodeURIComponent(phyVersion)}`
  const answer = await api.call({ method: 'GET', registry: 'network-server', path })
  return objectOf(answer.body) ?? {}
}

/** A DevAddr out of the Network Server's own block (`GenerateDevAddr`); it reserves nothing. */
export const readNewDevAddr = async (api: Api): Promise<DevAddr> => {
  const call = { method: 'GET', registry: 'network-server', path: '/ns/dev_addr' } as const
  const { body } = await api.call(call)
  const devAddr = parseDevAddr(textOf(objectOf(body)?.['dev_addr']) ?? '')
  if (devAddr !== undefined) return devAddr
  const asked = api.asked(call)
  throw ownError(
    'DevAddrMissing',
    `the Network Server at ${asked.host} gave no device address`,
    asked,
    'ask the operator which block of device addresses the Network Server has',
  )
}

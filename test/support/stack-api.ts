import { request } from 'undici'
import { storeOfV2 } from './v2.ts'

/** A network as `startSimulator` and `ferry simulate` describe it. */
export interface TestNetwork {
  readonly url: string
  /** A The Things Stack where it is not said. */
  readonly network?: 'things-stack' | 'ttn-v2'
  /** Where the Identity Server is on a host of its own. */
  readonly identityUrl?: string
  readonly apiKey: string
  readonly application: string
  readonly gatewayEui: string
}

/** Calls the API as a person with curl would, past the adapter that is under test. Throws for anything but 200. */
export const call = async (
  network: TestNetwork,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> => {
  const isIdentity = !/^\/(?:ns|js|as|simulator)\//.test(path)
  const host = isIdentity ? (network.identityUrl ?? network.url) : network.url
  const base = path.startsWith('/simulator') ? host : `${host}/api/v3`
  const answer = await request(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${network.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

/** What the registries of a simulated network hold, by `application/device`, read past every API rule. */
export interface Store {
  readonly identityServer: Record<string, Record<string, unknown>>
  readonly joinServer: Record<string, Record<string, unknown>>
  readonly networkServer: Record<string, Record<string, unknown>>
  readonly applicationServer: Record<string, Record<string, unknown>>
}

export const storeOf = async (network: TestNetwork): Promise<Store> =>
  network.network === 'ttn-v2'
    ? storeOfV2(network)
    : ((await call(network, 'GET', '/simulator/v1/store')) as unknown as Store)

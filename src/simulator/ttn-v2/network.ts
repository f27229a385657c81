import type { V2Device } from './device.ts'

export type V2Right = 'settings' | 'devices' | 'delete' | 'messages'

/** What an access key may do; it is one application's. */
interface V2AccessKey {
  readonly application: string
  readonly rights: readonly V2Right[]
}

export interface V2Application {
  readonly appId: string
  readonly payloadFormat: string
  readonly decoder: string
  readonly converter: string
  readonly validator: string
  readonly encoder: string
}

/** State of one simulated Stack V2: handler and network server, and what the account server would say of keys. */
export interface V2Network {
  readonly clock: () => Date
  readonly gatewayEui: string
  /** By the whole key, `issuer.secret`. */
  readonly accessKeys: Map<string, V2AccessKey>
  readonly applications: Map<string, V2Application>
  /** The handler's, by `application/device`. */
  readonly devices: Map<string, V2Device>
  /** The network server's: which device has a pair of EUIs. One that it lost is not in it. */
  readonly euis: Map<string, string>
  readonly handlerId: string
  /** Whether the handler reaches the network server. */
  readonly reach: { networkServer: boolean }
}

export const ISSUER = 'ttn-account-v2'

export const createV2Network = (gatewayEui: string, clock: () => Date): V2Network => ({
  clock,
  gatewayEui,
  accessKeys: new Map(),
  applications: new Map(),
  devices: new Map(),
  euis: new Map(),
  handlerId: 'local-handler',
  reach: { networkServer: true },
})

export const keyOf = (application: string, device: string): string => `${application}/${device}`
export const euisOf = ({ appEui, devEui }: Pick<V2Device, 'appEui' | 'devEui'>): string =>
  `${appEui}/${devEui}`

/** Remembers all that it holds; the answer puts it back. */
export const snapshotOfV2 = (network: V2Network): (() => void) => {
  const maps = [network.accessKeys, network.applications, network.devices, network.euis] as Map<
    string,
    unknown
  >[]
  const kept = maps.map((map) => [...map])
  const { networkServer } = network.reach
  return () => {
    for (const [index, map] of maps.entries()) {
      map.clear()
      for (const [key, value] of kept[index] ?? []) map.set(key, value)
    }
    network.reach.networkServer = networkServer
  }
}

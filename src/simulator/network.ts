import { type StackClock, stackClock } from './clock.ts'
import type { Transmission } from './radio/transmissions.ts'
import { RecordStore } from './store.ts'
import type { ApiKey } from './things-stack/api-keys.ts'

/** What the Network Server says of itself. */
export interface NetworkFacts {
  /** Six hexadecimal digits. */
  readonly netId: string
  /** DevAddr block, `27000000/8`. */
  readonly devAddrPrefix: string
}

interface User {
  readonly id: string
  readonly admin: boolean
}

/** State of one simulated The Things Stack: four device registries that know nothing of each other, and the rest. */
export interface Network {
  readonly name: string
  readonly facts: NetworkFacts
  readonly clock: StackClock
  readonly users: Map<string, User>
  readonly apiKeys: Map<string, ApiKey>
  /** Applications by id; deleted ones keep their id. */
  readonly applications: RecordStore
  readonly deletedApplications: Set<string>
  /** Owner (user id) of each application and gateway. */
  readonly applicationOwners: Map<string, string>
  readonly gatewayOwners: Map<string, string>
  readonly gateways: RecordStore
  readonly deletedGateways: Set<string>
  /** Gateway statistics by id, for gateways that have sent something. */
  readonly gatewayStats: RecordStore
  /** Device registries, keyed `application/device`. */
  readonly identityServer: RecordStore
  readonly joinServer: RecordStore
  readonly networkServer: RecordStore
  readonly applicationServer: RecordStore
  readonly links: RecordStore
  /** By `application/integration`. */
  readonly webhooks: RecordStore
  readonly pubSubs: RecordStore
  /** Rights of others than the owner, by `application/user`. */
  readonly collaborators: RecordStore
  /** AppSKeys that the Join Server remembers, by `joinEui/devEui/sessionKeyId`. */
  readonly sessionKeys: Map<string, string>
  /** All that its gateways have sent, in order. */
  readonly transmissions: Transmission[]
}

/** An empty network with the users `admin` and `operator`. */
export const createNetwork = (name: string, facts: NetworkFacts, clock: () => Date): Network => ({
  name,
  facts,
  clock: stackClock(clock),
  users: new Map([
    ['admin', { id: 'admin', admin: true }],
    ['operator', { id: 'operator', admin: false }],
  ]),
  apiKeys: new Map(),
  applications: new RecordStore(),
  deletedApplications: new Set(),
  applicationOwners: new Map(),
  gatewayOwners: new Map(),
  gateways: new RecordStore(),
  deletedGateways: new Set(),
  gatewayStats: new RecordStore(),
  identityServer: new RecordStore(),
  joinServer: new RecordStore(),
  networkServer: new RecordStore(),
  applicationServer: new RecordStore(),
  links: new RecordStore(),
  webhooks: new RecordStore(),
  pubSubs: new RecordStore(),
  collaborators: new RecordStore(),
  sessionKeys: new Map(),
  transmissions: [],
})

/** All stores of a network, for the stale fault. */
export const storesOf = (network: Network): readonly RecordStore[] => [
  network.applications,
  network.gateways,
  network.identityServer,
  network.joinServer,
  network.networkServer,
  network.applicationServer,
  network.links,
  network.webhooks,
  network.pubSubs,
  network.collaborators,
]

/** The key of a device in every registry. */
export const deviceKey = (application: string, device: string): string => `${application}/${device}`

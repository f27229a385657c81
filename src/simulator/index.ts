import type { ControlState } from './control.ts'
import type { Serves } from './dispatch.ts'
import { createFaults } from './faults.ts'
import { createNetwork, type Network } from './network.ts'
import { createRateLimiter, type Rate } from './rate-limit.ts'
import { buildSample, type SampleDevice } from './sample/sample.ts'
import { type Listening, listen } from './server.ts'
import { type PutBack, snapshotOf } from './snapshot.ts'
import { createApiKey, tokenOf } from './things-stack/api-keys.ts'
import { createApplication } from './things-stack/applications.ts'
import { createGateway } from './things-stack/gateways.ts'

export type { SampleDevice, SampleSession, SampleSessionKeys } from './sample/sample.ts'

/** A part of a network that has routes of its own. */
export type ServedRegistry = 'is' | 'js' | 'ns' | 'as' | 'gs' | 'edtc'

/** How the local networks are started. */
export interface SimulatorOptions {
  /** First port; 0 or absent: free ports. */
  readonly port?: number
  /** Leave the applications out. */
  readonly empty?: boolean
  /** Delay of each API answer, in milliseconds. */
  readonly latencyMs?: number
  /** Serve the target's Identity Server on a port of its own, as the Cloud does. */
  readonly split?: boolean
  /** Registries that a network does not serve: its router answers their routes with 404 and no details. */
  readonly without?: Readonly<Partial<Record<'source' | 'target', readonly ServedRegistry[]>>>
  /** Limit requests; see docs/simulator-contract.md. */
  readonly rate?: Rate
  /** Time of the networks; the system's when absent. */
  readonly clock?: () => Date
}

/** How to reach one of the two networks. `apiKey` has all rights of the user `admin`. */
export interface SimulatedNetwork {
  readonly name: 'source' | 'target'
  readonly network: 'things-stack'
  /** Base URL without `/api/v3`. */
  readonly url: string
  /** Only with `split`, of the target. */
  readonly identityUrl?: string
  readonly apiKey: string
  readonly application: string
  readonly gatewayEui: string
}

export interface RunningSimulator {
  readonly networks: readonly [SimulatedNetwork, SimulatedNetwork]
  /** The devices of the source's sample application, with their made-up keys; empty with `empty`. */
  readonly sampleDevices: readonly SampleDevice[]
  /** Remembers what all networks hold; the answer puts it back, without the faults and the log of requests. */
  snapshot(): PutBack
  close(): Promise<void>
}

const application = 'building-a'

const setUp = (
  name: 'source' | 'target',
  prefix: string,
  gatewayEui: string,
  empty: boolean,
  clock: () => Date,
): { readonly network: Network; readonly apiKey: string } => {
  const network = createNetwork(name, { netId: '000013', devAddrPrefix: prefix }, clock)
  const key = createApiKey(network, { kind: 'user', id: 'admin' }, 'simulator', ['RIGHT_ALL'])
  createGateway(network, 'admin', {
    ids: { gateway_id: `gw-${name}`, eui: gatewayEui },
    name: `Gateway of the ${name}`,
    frequency_plan_ids: ['EU_863_870_TTN'],
    gateway_server_address: '127.0.0.1',
  })
  if (!empty) {
    createApplication(network, 'admin', { ids: { application_id: application }, name: 'Building A' })
  }
  return { network, apiKey: tokenOf(key) }
}

/**
 * Starts the two local networks on 127.0.0.1 and runs until closed.
 * @throws when a port is taken
 */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<RunningSimulator> => {
  const clock = options.clock ?? ((): Date => new Date())
  const empty = options.empty === true
  const source = setUp('source', '27000000/8', 'AA555A0000000001', empty, clock)
  const target = setUp('target', '2A000000/8', 'AA555A0000000002', empty, clock)
  const sampleDevices = empty ? [] : buildSample(source.network, application, source.apiKey)

  const open: Listening[] = []
  const next = (): number =>
    options.port === undefined || options.port === 0 ? 0 : options.port + open.length
  const start = async (state: ControlState, serves: Serves): Promise<Listening> => {
    const listening = await listen({ state, serves, latencyMs: options.latencyMs ?? 0 }, next())
    open.push(listening)
    return listening
  }
  const close = async (): Promise<void> => {
    await Promise.all(open.map((listening) => listening.close()))
  }
  const stateOf = (network: Network): ControlState => ({
    network,
    limiter: createRateLimiter(options.rate),
    faults: createFaults(),
    requests: [],
    held: new Map(),
  })

  try {
    const split = options.split === true
    const without = { source: options.without?.source ?? [], target: options.without?.target ?? [] }
    const first = await start(stateOf(source.network), { part: 'all', without: without.source })
    const targetState = stateOf(target.network)
    const second = await start(targetState, { part: split ? 'cluster' : 'all', without: without.target })
    const identity = split
      ? await start(targetState, { part: 'identity', without: without.target })
      : undefined
    return {
      networks: [
        {
          name: 'source',
          network: 'things-stack',
          url: first.url,
          apiKey: source.apiKey,
          application,
          gatewayEui: 'AA555A0000000001',
        },
        {
          name: 'target',
          network: 'things-stack',
          url: second.url,
          ...(identity === undefined ? {} : { identityUrl: identity.url }),
          apiKey: target.apiKey,
          application,
          gatewayEui: 'AA555A0000000002',
        },
      ],
      sampleDevices,
      snapshot: () => {
        const all = [source, target].map(({ network }) => snapshotOf(network))
        return () => {
          for (const putBack of all) putBack()
        }
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

export {
  type AirFrame,
  antennaOf,
  createVirtualDevice,
  type HeardDownlink,
  type HeardTransmission,
  type HearingOutcome,
  type JoinOutcome,
  type MulticastSession,
  type RejoinTrigger,
  radioOf,
  type Send,
  type UplinkOutcome,
  type VirtualDevice,
  virtualDeviceOf,
} from './virtual-device.ts'

import type { ControlState, PortState } from './control.ts'
import type { Serves } from './dispatch.ts'
import { createFaults } from './faults.ts'
import { createNetwork, type Network } from './network.ts'
import { createRateLimiter, type Rate } from './rate-limit.ts'
import { buildSample, type SampleDevice } from './sample/sample.ts'
import { type AnsweredRequest, type Listening, listen, type Port, stackPort } from './server.ts'
import { type PutBack, snapshotOf } from './snapshot.ts'
import { createApiKey, tokenOf } from './things-stack/api-keys.ts'
import { createApplication } from './things-stack/applications.ts'
import { createGateway } from './things-stack/gateways.ts'
import { createV2Network, snapshotOfV2, type V2Network } from './ttn-v2/network.ts'
import { discoveryPort, handlerPort } from './ttn-v2/port.ts'
import { createV2RateLimiter } from './ttn-v2/rate.ts'
import { setUpV2 } from './ttn-v2/sample.ts'

export type { SampleDevice, SampleSession, SampleSessionKeys } from './sample/sample.ts'

/** A part of a network that has routes of its own. */
export type ServedRegistry = 'is' | 'js' | 'ns' | 'as' | 'gs' | 'edtc'

/** How the local networks are started. */
export interface SimulatorOptions {
  /** First port; 0 or absent: free ports. */
  readonly port?: number
  /** Leave the applications out. */
  readonly empty?: boolean
  /** So many devices with sessions in the source's application, in place of the sample. */
  readonly fleet?: number
  /** Delay of each API answer, in milliseconds. */
  readonly latencyMs?: number
  /** Serve the target's Identity Server on a port of its own, as the Cloud does. */
  readonly split?: boolean
  /** Registries that a network does not serve: its router answers their routes with 404 and no details. */
  readonly without?: Readonly<Partial<Record<'source' | 'target', readonly ServedRegistry[]>>>
  /** Limit requests; see docs/simulator-contract.md. */
  readonly rate?: Rate
  /** Told of each request to the API of one of the two, in the order of the answers. */
  readonly onAnswer?: (network: 'source' | 'target', request: AnsweredRequest) => void
  /** Time of the networks; the system's when absent. */
  readonly clock?: () => Date
  /** A The Things Network Stack V2 beside the two; its requests a second are V2's own 5 where nothing is said; `devices` adds so many. */
  readonly ttnV2?: { readonly requestsPerSecond?: number; readonly devices?: number }
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

/** How to reach the simulated Stack V2: its handler, and the discovery server that names it. */
export interface SimulatedV2 {
  readonly name: 'v2'
  readonly network: 'ttn-v2'
  readonly url: string
  readonly discoveryUrl: string
  readonly accessKey: string
  readonly application: string
  readonly gatewayEui: string
}

export interface RunningSimulator {
  readonly networks: readonly [SimulatedNetwork, SimulatedNetwork]
  /** Only where it was asked for. */
  readonly v2?: SimulatedV2
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

const newPortState = (): PortState => ({ faults: createFaults(), requests: [], held: new Map() })

const V2_GATEWAY = 'AA555A0000000003'
const V2_APPLICATION = 'building-v2'

const startV2 = async (
  network: V2Network,
  start: (port: Port) => Promise<Listening>,
  { ttnV2, empty = false }: SimulatorOptions,
  latencyMs: number,
): Promise<SimulatedV2> => {
  const accessKey = setUpV2(network, V2_APPLICATION, { empty, devices: ttnV2?.devices ?? 0 })
  const limiter = createV2RateLimiter(ttnV2?.requestsPerSecond)
  const { url } = await start(handlerPort(network, limiter, newPortState(), latencyMs))
  const discovery = await start(discoveryPort(network, url, newPortState()))
  return {
    name: 'v2',
    network: 'ttn-v2',
    url,
    discoveryUrl: discovery.url,
    accessKey,
    application: V2_APPLICATION,
    gatewayEui: V2_GATEWAY,
  }
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
  const sampleDevices = empty ? [] : buildSample(source.network, application, source.apiKey, options.fleet)

  const open: Listening[] = []
  const next = (): number =>
    options.port === undefined || options.port === 0 ? 0 : options.port + open.length
  const start = async (port: Port): Promise<Listening> => {
    const listening = await listen(port, next())
    open.push(listening)
    return listening
  }
  const latencyMs = options.latencyMs ?? 0
  const { onAnswer } = options
  const startStack = (state: ControlState, serves: Serves): Promise<Listening> =>
    start({
      ...stackPort(state, serves, latencyMs),
      ...(onAnswer === undefined
        ? {}
        : {
            onAnswer: (request) => onAnswer(state.network === source.network ? 'source' : 'target', request),
          }),
    })
  const close = async (): Promise<void> => {
    await Promise.all(open.map((listening) => listening.close()))
  }
  const stateOf = (network: Network): ControlState => ({
    network,
    limiter: createRateLimiter(options.rate),
    ...newPortState(),
  })

  try {
    const split = options.split === true
    const without = { source: options.without?.source ?? [], target: options.without?.target ?? [] }
    const first = await startStack(stateOf(source.network), { part: 'all', without: without.source })
    const targetState = stateOf(target.network)
    const second = await startStack(targetState, { part: split ? 'cluster' : 'all', without: without.target })
    const identity = split
      ? await startStack(targetState, { part: 'identity', without: without.target })
      : undefined
    const v2 = options.ttnV2 === undefined ? undefined : createV2Network(V2_GATEWAY, clock)
    const v2Ends = v2 === undefined ? undefined : await startV2(v2, start, options, latencyMs)
    return {
      ...(v2Ends === undefined ? {} : { v2: v2Ends }),
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
        if (v2 !== undefined) all.push(snapshotOfV2(v2))
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

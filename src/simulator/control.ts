import type { FaultList } from './faults.ts'
import { parseJson } from './json/go-json.ts'
import { isMessage, type Message } from './json/types.ts'
import type { Network } from './network.ts'
import { type Frame, type HeardFrame, hearFrame } from './radio/hear.ts'
import { sendAllDue } from './radio/network-initiated.ts'
import type { RateLimiter } from './rate-limit.ts'
import { printApiKey } from './things-stack/api-keys.ts'

interface LoggedRequest {
  readonly method: string
  readonly path: string
  readonly status: number
}

/** What every network's port keeps for whoever steers it. */
export interface PortState {
  readonly faults: FaultList
  readonly requests: LoggedRequest[]
  /** Waiting requests of the `hold` fault, by token. */
  readonly held: Map<string, (() => void)[]>
}

/** What the control API of one simulated The Things Stack works on. */
export interface ControlState extends PortState {
  readonly network: Network
  readonly limiter: RateLimiter
}

export interface ControlAnswer {
  readonly status: number
  readonly body: unknown
}

const store = ({ network }: ControlState): Message => ({
  identityServer: network.identityServer.dump(),
  joinServer: network.joinServer.dump(),
  networkServer: network.networkServer.dump(),
  applicationServer: network.applicationServer.dump(),
  applications: network.applications.dump(),
  applicationLinks: network.links.dump(),
  gateways: network.gateways.dump(),
  apiKeys: [...network.apiKeys.values()].map((key) => ({ ...printApiKey(key), entity: { ...key.entity } })),
})

const release = (state: PortState, token: string): number => {
  const waiting = state.held.get(token) ?? []
  state.held.delete(token)
  for (const go of waiting) go()
  return waiting.length
}

const readFrame = (body: Message): Frame | string => {
  const { gatewayEui, frequency, dataRate, phyPayload } = body
  if (typeof gatewayEui !== 'string' || typeof dataRate !== 'string' || typeof phyPayload !== 'string') {
    return 'gatewayEui, dataRate and phyPayload (base64) must be texts'
  }
  const number = Number(frequency)
  if (!Number.isFinite(number) || number <= 0) return 'frequency must be a number, in Hz or in MHz'
  const hertz = number < 10_000 ? Math.round(number * 1e6) : number
  return {
    gatewayEui: gatewayEui.toUpperCase(),
    frequency: hertz,
    dataRate,
    phyPayload: Buffer.from(phyPayload, 'base64'),
  }
}

/** A frame that a gateway heard, for a network to make of it what it can. */
export const controlFrame = (body: Message, hear: (frame: Frame) => HeardFrame): ControlAnswer => {
  const read = readFrame(body)
  if (typeof read === 'string') return { status: 400, body: { message: read } }
  const heard = hear(read)
  const downlinks = heard.downlinks.map(({ phyPayload, ...rest }) => ({
    phyPayload: phyPayload.toString('base64'),
    ...rest,
  }))
  return { status: 200, body: { ...heard, downlinks } }
}

const controlStack = (state: ControlState, route: string, body: Message): ControlAnswer | undefined => {
  switch (route) {
    case 'GET /store':
      return { status: 200, body: store(state) }
    case 'GET /transmissions':
      sendAllDue(state.network)
      return {
        status: 200,
        body: {
          transmissions: state.network.transmissions.map((sent) => ({
            ...sent,
            phyPayload: sent.phyPayload.toString('base64'),
          })),
        },
      }
    case 'DELETE /transmissions':
      state.network.transmissions.length = 0
      return { status: 200, body: {} }
    case 'POST /frames':
      return controlFrame(body, (heard) => hearFrame(state.network, heard))
    default:
      return undefined
  }
}

/**
 * Answers a request of the control API, `/simulator/v1/...` (docs/simulator-contract.md).
 * @param path what comes after `/simulator/v1`
 */
export const control = (state: ControlState, method: string, path: string, text: string): ControlAnswer =>
  controlPort(state, method, path, text, (route, body) => controlStack(state, route, body))

/** As `control`, for any network: `own` answers what is the network's alone, undefined for what it does not know. */
export const controlPort = (
  state: PortState,
  method: string,
  path: string,
  text: string,
  own: (route: string, body: Message) => ControlAnswer | undefined,
): ControlAnswer => {
  const parsed = parseJson(text)
  if (!parsed.ok || !isMessage(parsed.value))
    return { status: 400, body: { message: 'the body must be a JSON object' } }
  const body = parsed.value
  switch (`${method} ${path}`) {
    case 'GET /requests':
      return { status: 200, body: { requests: state.requests } }
    case 'DELETE /requests':
      state.requests.length = 0
      return { status: 200, body: {} }
    case 'POST /faults': {
      const wrong = state.faults.add(body)
      return wrong === undefined ? { status: 200, body: {} } : { status: 400, body: { message: wrong } }
    }
    case 'DELETE /faults':
      state.faults.clear()
      for (const token of [...state.held.keys()]) release(state, token)
      return { status: 200, body: {} }
    case 'POST /release':
      return { status: 200, body: { released: release(state, String(body['token'] ?? '')) } }
    default:
      return (
        own(`${method} ${path}`, body) ?? {
          status: 404,
          body: { message: `no control route ${method} ${path}` },
        }
      )
  }
}

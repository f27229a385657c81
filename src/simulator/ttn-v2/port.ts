import { type ControlAnswer, controlFrame, controlPort, type PortState } from '../control.ts'
import type { Message } from '../json/types.ts'
import type { Port } from '../server.ts'
import { printDevice } from './device.ts'
import { answerDiscovery } from './discovery.ts'
import { answerHandler } from './handler.ts'
import { euisOf, type V2Network } from './network.ts'
import { hearV2Frame } from './radio.ts'
import type { V2RateLimiter } from './rate.ts'

const store = (network: V2Network): Message => ({
  devices: Object.fromEntries(
    [...network.devices].map(([key, device]) => [
      key,
      {
        ...printDevice(device, { alone: true }),
        is_known: network.euis.get(euisOf(device)) === key,
      } as Message,
    ]),
  ),
  orphans: [...network.euis].filter(([, key]) => !network.devices.has(key)).map(([euis]) => euis),
})

/** What a test does to a V2: frames, a network server that is down, and one that has lost a device. */
const controlV2 = (network: V2Network, route: string, body: Message): ControlAnswer | undefined => {
  switch (route) {
    case 'GET /store':
      return { status: 200, body: store(network) }
    case 'POST /frames':
      return controlFrame(body, (frame) => hearV2Frame(network, frame))
    case 'POST /network-server':
      network.reach.networkServer = body['up'] === true
      return { status: 200, body: {} }
    case 'POST /lose': {
      const found = network.devices.get(String(body['device'] ?? ''))
      if (found === undefined) return { status: 400, body: { message: 'device must be application/device' } }
      network.euis.delete(euisOf(found))
      return { status: 200, body: {} }
    }
    default:
      return undefined
  }
}

/** The handler's HTTP API. */
export const handlerPort = (
  network: V2Network,
  limiter: V2RateLimiter,
  state: PortState,
  latencyMs: number,
): Port => ({
  state,
  latencyMs,
  prefix: '',
  registryOf: () => undefined,
  answer: (request) => answerHandler(network, limiter, request),
  control: (method, path, text) =>
    controlPort(state, method, path, text, (route, body) => controlV2(network, route, body)),
})

/** The discovery server's, which names the handler. */
export const discoveryPort = (network: V2Network, handlerUrl: string, state: PortState): Port => ({
  state,
  latencyMs: 0,
  prefix: '',
  registryOf: () => undefined,
  answer: ({ method, target }) => answerDiscovery(network, handlerUrl, method, target),
  control: (method, path, text) => controlPort(state, method, path, text, () => undefined),
})

import type { Network } from '../network.ts'
import { parseDataFrame, parseJoinRequest } from './frames.ts'
import { hearJoinRequest } from './join.ts'
import { gatewayByEui } from './transmissions.ts'
import { hearDataFrame } from './uplink.ts'

/** A frame as a gateway heard it. `frequency` in Hz. */
export interface Frame {
  readonly gatewayEui: string
  readonly frequency: number
  readonly dataRate: string
  readonly phyPayload: Buffer
}

/** A frame that the network sends. `frequency` in Hz, `delay` in seconds after the uplink. */
export interface Downlink {
  readonly phyPayload: Buffer
  readonly frequency: number
  readonly dataRate: string
  readonly delay: number
}

/** What the Application Server passed on: counter, port and decrypted payload (base64). */
export interface ApplicationUplink {
  readonly application: string
  readonly device: string
  readonly fCnt: number
  readonly fPort: number
  readonly frmPayload: string
}

/** Whether the network took a frame, why not, and what it answers. */
export interface HeardFrame {
  readonly accepted: boolean
  readonly reason?: string
  readonly downlinks: readonly Downlink[]
  readonly uplink?: ApplicationUplink
}

/** A frame that was not taken. */
export const refused = (reason: string): HeardFrame => ({ accepted: false, reason, downlinks: [] })

const countGateway = (network: Network, id: string): void => {
  const now = network.clock.nanos()
  const before = network.gatewayStats.get(id) ?? { connected_at: now, protocol: 'udp' }
  network.gatewayStats.set(id, {
    ...before,
    last_uplink_received_at: now,
    uplink_count: String(Number(before['uplink_count'] ?? 0) + 1),
  })
}

/**
 * Hears one frame through a gateway. It is taken when the gateway is registered, and a device of this network matches
 * by integrity code, counter, channel and nonce (API notes, sections 6.6, 7 and 14.1).
 */
export const hearFrame = (network: Network, frame: Frame): HeardFrame => {
  const gatewayId = gatewayByEui(network, frame.gatewayEui)
  if (gatewayId === undefined) return refused(`gateway ${frame.gatewayEui} is not registered on this network`)
  countGateway(network, gatewayId)
  const join = parseJoinRequest(frame.phyPayload)
  if (join !== undefined) return hearJoinRequest(network, { ...frame, gatewayId }, join)
  const data = parseDataFrame(frame.phyPayload)
  if (data === undefined || !data.up) return refused('the frame is neither a join-request nor a data uplink')
  return hearDataFrame(network, { ...frame, gatewayId }, data)
}

import { numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'

/**
 * What a gateway has sent: `frequency` in Hz, `time` when it was on the air. Class A is an answer in a receive window
 * or a join-accept; B and C come without an uplink.
 */
export interface Transmission {
  readonly gatewayId: string
  readonly class: 'A' | 'B' | 'C'
  readonly frequency: number
  readonly dataRate: string
  readonly phyPayload: Buffer
  readonly time: string
}

/** The gateway's id as the opaque token by which a Network Server finds the way back. */
export const uplinkToken = (gatewayId: string): string => Buffer.from(gatewayId).toString('base64')

/** The gateway that a token names. */
export const gatewayOfToken = (token: string): string => Buffer.from(token, 'base64').toString()

/** The registered gateway with this EUI. */
export const gatewayByEui = (network: Network, eui: string): string | undefined =>
  network.gateways.entries().find(([, record]) => textAt(record, 'ids.eui') === eui)?.[0]

/** Records what a gateway sends, and counts it. */
export const transmit = (network: Network, transmission: Transmission): void => {
  network.transmissions.push(transmission)
  const { gatewayId, time } = transmission
  const stats = network.gatewayStats.get(gatewayId)
  if (stats === undefined) return
  network.gatewayStats.set(gatewayId, {
    ...stats,
    last_downlink_received_at: time,
    downlink_count: String(numberAt(stats, 'downlink_count') + 1),
  })
}

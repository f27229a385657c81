import type { Network } from '../network.ts'

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

/** Whether the network took a frame, why not, and what it answers. */
export interface HeardFrame {
  readonly accepted: boolean
  readonly reason?: string
  readonly downlinks: readonly Downlink[]
}

/** Hears one frame. */
export const hearFrame = (_network: Network, _frame: Frame): HeardFrame => ({
  accepted: false,
  reason: 'not built',
  downlinks: [],
})

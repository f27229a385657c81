import type { AirFrame, NetworkAnswer, ReceivedFrame, Send } from './types.ts'

/** Sends frames to a simulated network through a gateway, `POST {url}/simulator/v1/frames`. */
export const radioOf =
  (network: { readonly url: string; readonly gatewayEui: string }): Send =>
  async ({ frequency, dataRate, phyPayload }) => {
    const response = await fetch(`${network.url}/simulator/v1/frames`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        gatewayEui: network.gatewayEui,
        frequency,
        dataRate,
        phyPayload: phyPayload.toString('base64'),
      }),
    })
    if (response.status !== 200) throw new Error(`the simulator refused a frame: ${await response.text()}`)
    const answer = (await response.json()) as Omit<NetworkAnswer, 'downlinks'> & {
      readonly downlinks: readonly (Omit<ReceivedFrame, 'phyPayload'> & { readonly phyPayload: string })[]
    }
    return {
      ...answer,
      downlinks: answer.downlinks.map((downlink) => ({
        ...downlink,
        phyPayload: Buffer.from(downlink.phyPayload, 'base64'),
      })),
    }
  }

/** An antenna near the gateways of a network: it reads what they have sent, and can forget it. */
export interface Antenna {
  /** All transmissions so far, in order, `GET {url}/simulator/v1/transmissions`. */
  transmissions(): Promise<readonly AirFrame[]>
  /** Forgets them, `DELETE {url}/simulator/v1/transmissions`. */
  forget(): Promise<void>
}

/** Hears what a simulated network sends. */
export const antennaOf = (network: { readonly url: string }): Antenna => {
  const call = async (method: string): Promise<unknown> => {
    const response = await fetch(`${network.url}/simulator/v1/transmissions`, { method })
    if (response.status !== 200) throw new Error(`the simulator refused: ${await response.text()}`)
    return response.json()
  }
  return {
    transmissions: async () => {
      const { transmissions } = (await call('GET')) as {
        readonly transmissions: readonly (Omit<AirFrame, 'phyPayload'> & { readonly phyPayload: string })[]
      }
      return transmissions.map((frame) => ({ ...frame, phyPayload: Buffer.from(frame.phyPayload, 'base64') }))
    },
    forget: async () => {
      await call('DELETE')
    },
  }
}

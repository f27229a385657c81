import type { NetworkAnswer, ReceivedFrame, Send } from './types.ts'

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

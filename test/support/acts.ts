import { expect } from 'vitest'
import type { NewCredentials } from '../../src/domain/credentials.ts'
import { createVirtualDevice, type VirtualDevice } from '../../src/simulator/virtual-device.ts'
import { credentialsOf } from './ends.ts'
import type { Act, Scene } from './interruptions.ts'

const send = async (scene: Scene, device: VirtualDevice): Promise<void> => {
  const { downlinks, missed } = await device.uplink(scene.air, { confirmed: true })
  expect(missed, 'downlinks that it could not take').toEqual([])
  for (const { fPort, payload } of downlinks)
    if (fPort !== undefined && fPort > 0) scene.heard.push(`${fPort} ${payload?.toString('hex')}`)
}

/** It sends; a confirmed uplink, so that whoever may answers. */
export const speaks =
  (id: string, times = 1): Act =>
  async (scene) => {
    for (let count = 0; count < times; count++) await send(scene, scene.device(id))
  }

/** It joins, and shows by an uplink that it heard the accept. */
export const joins =
  (id: string): Act =>
  async (scene) => {
    const device = scene.device(id)
    expect(await device.join(scene.air)).toMatchObject({ joined: true })
    await send(scene, device)
  }

/** An ABP device that counts from 0 again. */
export const resets =
  (id: string): Act =>
  async ({ device, air }) => {
    device(id).resetCounters()
    for (let count = 0; count < 2; count++) await device(id).uplink(air)
  }

/** A device as somebody programs it; one that does not join counts from 0. */
export const programmedWith = (made: NewCredentials | undefined): VirtualDevice => {
  if (made === undefined) throw new Error('there are no new credentials')
  const { devEui, joinEui, rootKeys, session } = made
  const device = createVirtualDevice({
    ...(devEui === undefined ? {} : { devEui }),
    ...(joinEui === undefined ? {} : { joinEui }),
    lorawanVersion: made.lorawanVersion as 'MAC_V1_0_3',
    frequencyPlan: made.frequencyPlan,
    rx1Delay: 1,
    dataRate: 'SF7BW125',
    channels: [868_100_000, 868_300_000, 868_500_000],
    ...(rootKeys === undefined
      ? {}
      : {
          rootKeys: {
            appKey: rootKeys.appKey.reveal(),
            ...(rootKeys.nwkKey === undefined ? {} : { nwkKey: rootKeys.nwkKey.reveal() }),
          },
        }),
    ...(session === undefined
      ? {}
      : {
          session: {
            devAddr: session.devAddr,
            keys: {
              appSKey: session.appSKey.reveal(),
              fNwkSIntKey: session.fNwkSIntKey.reveal(),
              sNwkSIntKey: (session.sNwkSIntKey ?? session.fNwkSIntKey).reveal(),
              nwkSEncKey: (session.nwkSEncKey ?? session.fNwkSIntKey).reveal(),
            },
            lastFCntUp: 0,
            lastNFCntDown: 0,
            lastAFCntDown: 0,
          },
        }),
  })
  if (session !== undefined) device.resetCounters()
  return device
}

/** Somebody programs it with what `ferry escrow credentials` gives; it joins where it can, and sends. */
export const isProgrammed =
  (id: string): Act =>
  async (scene) => {
    const made = (await credentialsOf(scene.migration)).find((item) => item.device === id)
    const device = programmedWith(made)
    if (made?.rootKeys !== undefined) expect(await device.join(scene.air)).toMatchObject({ joined: true })
    for (let count = 0; count < 2; count++) await send(scene, device)
  }

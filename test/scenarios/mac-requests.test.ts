import { describe, expect } from 'vitest'
import type { Send } from '../../src/simulator/virtual-device.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import {
  applied,
  aroundMute,
  at,
  expectServed,
  type Side,
  type Stage,
  scenario,
} from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  macSettings: { rx1_delay: 1, desired_rx1_delay: 4 },
}
const NEWEST: DeviceSpec = {
  ...METER,
  id: 'meter-11',
  number: 2,
  version: 'MAC_V1_1',
  aFCntDown: 3,
  lastDevNonce: 4,
  lastJoinNonce: 4,
}
const FLEET = [METER, NEWEST]
const KEEP = 'policy: { persistSession: true }'

const macState = async (stage: Stage, side: Side, id: string): Promise<unknown> =>
  at(await stage.held(side, 'ns', id), 'mac_state')
const delays = async (stage: Stage, side: Side, id: string): Promise<readonly unknown[]> => {
  const state = await macState(stage, side, id)
  return ['current_parameters', 'desired_parameters'].map((name) => at(state, name, 'rx1_delay'))
}
const requested = async (stage: Stage, side: Side, id: string): Promise<boolean> =>
  JSON.stringify(at(await macState(stage, side, id), 'pending_requests') ?? []).includes(
    'CID_RX_TIMING_SETUP',
  )

/** The source asks; the device obeys at once, and says so with its next uplink. */
const asked = async (stage: Stage): Promise<void> => {
  for (const { id } of FLEET) {
    const device = stage.device(id)
    expect(await device.uplink(stage.radio('source'))).toMatchObject({ accepted: true, missed: [] })
    expect(device.rx1Delay).toBe(4)
    expect(await requested(stage, 'source', id)).toBe(true)
    expect(await delays(stage, 'source', id)).toEqual([1, 4])
  }
}

/** The target knows the delay that the device listens after, and is heard. */
const settled = async (stage: Stage, delay = 4): Promise<void> => {
  for (const { id } of FLEET) {
    for (let left = 3; left > 0; left--) await expectServed(stage, id)
    expect(stage.device(id).rx1Delay).toBe(delay)
    expect(await delays(stage, 'target', id)).toEqual([delay, delay])
    expect(await requested(stage, 'target', id)).toBe(false)
  }
  await applied(stage, { migrated: FLEET.length })
}

describe('a pending RX1 timing request that is answered only after the move', () => {
  scenario({
    promise: 'ends with the right delay on the target [edge 51]',
    golden: 'pending-request',
    fleet: FLEET,
    plan: KEEP,
    before: asked,
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toContain('PendingMacRequests')
      await applied(stage, { waiting: 2 })
      for (const { id } of FLEET) {
        expect(await requested(stage, 'target', id)).toBe(true)
        expect(await delays(stage, 'target', id)).toEqual([1, 4])
      }
      await settled(stage)
    },
  })

  for (const heardBy of ['both networks', 'the target alone'] as const)
    scenario({
      promise: `does so where the answer comes while both are muted, and ${heardBy} heard it`,
      fleet: FLEET,
      plan: KEEP,
      before: asked,
      ends: async (stage) => {
        await stage.applyThrough({
          network: aroundMute('after', async (id) => {
            const send = heardBy === 'both networks' ? stage.air : stage.radio('target')
            expect(await stage.device(id).uplink(send)).toMatchObject({ accepted: true, downlinks: [] })
            expect(await delays(stage, 'target', id)).toEqual([4, 4])
          }),
        })
        await settled(stage)
      },
    })

  scenario({
    promise: 'is followed by the request of the target, where the plan wants another delay',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, rx1Delay: 7 }',
    before: asked,
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      for (const { id } of FLEET) expect(await delays(stage, 'target', id)).toEqual([1, 7])
      await settled(stage, 7)
    },
  })
})

describe('a pending session', () => {
  const deaf =
    (send: Send): Send =>
    async (frame) => ({ ...(await send(frame)), downlinks: [] })

  scenario({
    promise:
      'is left alone until the device has shown that it did not get the accept: the old one crosses [edge 32]',
    fleet: FLEET,
    plan: KEEP,
    before: async (stage) => {
      for (const { id } of FLEET) {
        expect(await stage.device(id).join(deaf(stage.radio('source')))).toMatchObject({ joined: false })
        expect(await stage.held('source', 'ns', id)).toHaveProperty('pending_session')
      }
    },
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toEqual(['PendingSession'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
      for (const { id } of FLEET) await expectServed(stage, id, 'source')
      await applied(stage, { waiting: 2 })
      await settled(stage)
    },
  })
})

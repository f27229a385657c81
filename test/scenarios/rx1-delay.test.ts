import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import { applied, at, expectServed, type Stage, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  macSettings: { rx1_delay: 1, desired_rx1_delay: 2 },
}
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 100,
  nFCntDown: 5,
  macSettings: { rx1_delay: 1, desired_rx1_delay: 1 },
}

const delays = async (stage: Stage, id: string): Promise<readonly unknown[]> => {
  const held = await stage.held('target', 'ns', id)
  return [
    at(held, 'mac_state', 'current_parameters', 'rx1_delay'),
    at(held, 'mac_state', 'desired_parameters', 'rx1_delay'),
    at(held, 'mac_settings', 'rx1_delay'),
    at(held, 'mac_settings', 'desired_rx1_delay'),
  ]
}

/** Two uplinks: with the first the device is asked, with the second it answers. */
const settle = async (stage: Stage, id: string): Promise<void> => {
  await expectServed(stage, id)
  await expectServed(stage, id)
}

describe('the RX1 delay of a running session', () => {
  scenario({
    promise: 'stays with keep: what is in use and what is asked for',
    golden: 'rx1-keep',
    fleet: [METER, VALVE],
    plan: 'policy: { persistSession: true, rx1Delay: keep }',
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      expect(await delays(stage, 'meter-1')).toEqual([1, 2, 1, 2].map(delay))
      expect(await delays(stage, 'valve-1')).toEqual([1, 1, 1, 1].map(delay))
      await settle(stage, 'meter-1')
      expect(stage.device('meter-1').rx1Delay).toBe(2)
    },
  })

  scenario({
    promise: "becomes the target's with target, once the device has answered; an ABP device stays as it is",
    golden: 'rx1-target',
    fleet: [METER, VALVE],
    plan: 'policy: { persistSession: true, rx1Delay: target }',
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      expect(await delays(stage, 'meter-1')).toEqual([delay(1), delay(5), delay(1), undefined])
      expect(await delays(stage, 'valve-1')).toEqual([1, 1, 1, 1].map(delay))
      await settle(stage, 'meter-1')
      expect(stage.device('meter-1').rx1Delay).toBe(5)
      expect((await delays(stage, 'meter-1'))[0]).toBe(delay(5))
      await settle(stage, 'valve-1')
      expect(stage.device('valve-1').rx1Delay).toBe(1)
    },
  })

  scenario({
    promise:
      'is asked for with a number, while the delay in use stays until the device has answered [edge 58]',
    golden: 'rx1-number',
    fleet: [METER, VALVE, { ...VALVE, id: 'valve-2', number: 3 }],
    plan: `policy: { persistSession: true, rx1Delay: 7 }
devices: { include: [{ all: true }], overrides: [{ ids: [valve-1], set: { obeysRxTimingSetup: true } }] }`,
    ends: async (stage, planned) => {
      expect(codes(planned, 'valve-2')).toContain('Rx1DelayNeedsObedience')
      await applied(stage, { waiting: 2, blocked: 1 })
      for (const id of ['meter-1', 'valve-1']) {
        expect(await delays(stage, id)).toEqual([delay(1), delay(7), delay(1), delay(7)])
        await settle(stage, id)
        expect(stage.device(id).rx1Delay).toBe(7)
      }
      expect(await stage.held('target', 'is', 'valve-2')).toBeUndefined()
    },
  })
})

/** As the Network Server writes delays. */
const delay = (seconds: number): unknown => seconds

import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import { applied, at, expectServed, expectSilent, scenario } from '../support/scenario.ts'

const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 1,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  aFCntDown: 11,
  macSettings: { rx1_delay: 1 },
}
const SHORT: DeviceSpec = {
  id: 'valve-16-bit',
  number: 2,
  mode: 'abp',
  fCntUp: 65_533,
  nFCntDown: 4,
  macSettings: { rx1_delay: 1, supports_32_bit_f_cnt: false },
}
const NEWER: DeviceSpec = { ...VALVE, id: 'valve-104', number: 3, version: 'MAC_V1_0_4' }

describe('a device with fixed keys', () => {
  scenario({
    promise: 'keeps address, keys and counters, and stays without downlinks on the source',
    golden: 'abp-kept',
    fleet: [VALVE, SHORT, NEWER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      expect(at(await stage.held('target', 'ns', 'valve-1'), 'session')).toMatchObject({
        last_f_cnt_up: 500,
        last_n_f_cnt_down: 11,
      })
      expect(at(await stage.held('target', 'as', 'valve-1'), 'session')).toMatchObject({
        last_a_f_cnt_down: 11,
      })
      expect(at(await stage.held('target', 'ns', 'valve-16-bit'), 'mac_settings')).toMatchObject({
        supports_32_bit_f_cnt: false,
      })
      for (const id of ['valve-1', 'valve-16-bit', 'valve-104']) await expectServed(stage, id)
      await applied(stage, { migrated: 3 })
      for (const id of ['valve-1', 'valve-16-bit', 'valve-104']) await expectSilent(stage, id)
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise:
      'starts again at 0 where the plan says that it will be reset, below LoRaWAN 1.0.4 only [edge 29]',
    golden: 'abp-reset',
    fleet: [VALVE, NEWER],
    plan: 'policy: { persistSession: true, resetFrameCounters: true }',
    ends: async (stage, planned) => {
      expect(codes(planned, 'valve-104')).toEqual(['ResetNotPossible'])
      expect(codes(planned, 'valve-1')).toContain('CountersReset')
      await applied(stage, { waiting: 1, blocked: 1 })
      expect(await stage.held('target', 'ns', 'valve-1')).toMatchObject({
        mac_settings: { resets_f_cnt: true },
        session: { last_f_cnt_up: 500 },
      })
      const device = stage.device('valve-1')
      device.resetCounters()
      expect(await device.uplink(stage.air, { confirmed: true })).toMatchObject({ accepted: true, fCnt: 0 })
      await applied(stage, { migrated: 1, blocked: 1 })
    },
  })

  scenario({
    promise: 'is blocked where it would neither keep its session nor be reset [edge 29]',
    golden: 'abp-undecided',
    fleet: [{ ...VALVE, aFCntDown: 8 }],
    plan: 'policy: { persistSession: false }',
    ends: async (stage, planned) => {
      expect(codes(planned, 'valve-1')).toEqual(['AbpNeedsDecision'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(await stage.held('target', 'is', 'valve-1')).toBeUndefined()
      await expectServed(stage, 'valve-1', 'source')
    },
  })
})

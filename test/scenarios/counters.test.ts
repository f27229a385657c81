import { describe, expect } from 'vitest'
import type { Send } from '../../src/simulator/virtual-device.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { METER_11, VALVE } from '../support/meters.ts'
import { codes } from '../support/migration.ts'
import { applied, at, expectServed, queue, type Side, type Stage, scenario } from '../support/scenario.ts'

const NEWER: DeviceSpec = { ...METER_11, number: 1 }
const KEEP = 'policy: { persistSession: true }'
const OLDER: DeviceSpec = {
  id: 'meter-103',
  number: 2,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  aFCntDown: 11,
}

/** Downlinks of one confirmed uplink, as `port counter`; the port is `mac` where it is none of an application. */
const heard = async (stage: Stage, id: string): Promise<readonly string[]> => {
  const outcome = await stage.device(id).uplink(stage.air, { confirmed: true })
  expect(outcome).toMatchObject({ accepted: true, missed: [] })
  return outcome.downlinks.map(
    ({ fPort, fCnt }) => `${fPort === undefined || fPort === 0 ? 'mac' : fPort} ${fCnt}`,
  )
}

const counters = async (stage: Stage, side: Side, id: string): Promise<readonly unknown[]> => [
  at(await stage.held(side, 'ns', id), 'session', 'last_f_cnt_up') ?? 0,
  at(await stage.held(side, 'ns', id), 'session', 'last_n_f_cnt_down') ?? 0,
  at(await stage.held(side, 'as', id), 'session', 'last_a_f_cnt_down') ?? 0,
]

const resets = async (stage: Stage, id: string): Promise<unknown> =>
  at(await stage.held('target', 'ns', id), 'mac_settings', 'resets_f_cnt')

const nowhere: Send = async () => ({ accepted: false, downlinks: [] })

describe('downlink counters', () => {
  scenario({
    promise: 'of LoRaWAN 1.1 go on apart: what the network sends, and what applications send [edge 17, 41]',
    golden: 'split-counters',
    fleet: [NEWER],
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(await counters(stage, 'target', 'meter-11')).toEqual([95, 14, 6])
      expect(await heard(stage, 'meter-11')).toEqual(['mac 15'])
      await queue(stage, 'target', 'meter-11', [
        { fPort: 10, payload: 'AQ==' },
        { fPort: 11, payload: 'Ag==' },
      ])
      expect(await heard(stage, 'meter-11')).toEqual(['10 7'])
      expect(await heard(stage, 'meter-11')).toEqual(['11 8'])
      expect(await heard(stage, 'meter-11')).toEqual(['mac 16'])
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'are one below LoRaWAN 1.1: the higher of the two goes on for both [edge 40]',
    fleet: [OLDER],
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(await counters(stage, 'target', 'meter-103')).toEqual([500, 11, 11])
      // Set-up commands of the fresh MAC state go first, alone.
      expect(await heard(stage, 'meter-103')).toEqual(['mac 12'])
      await queue(stage, 'target', 'meter-103', [{ fPort: 10, payload: 'AQ==' }])
      expect(await heard(stage, 'meter-103')).toEqual(['10 13'])
      expect(await heard(stage, 'meter-103')).toEqual(['mac 14'])
    },
  })

  scenario({
    promise: 'are raised by the margin that the plan names, and those of uplinks are not [edge 36]',
    golden: 'counter-margin',
    fleet: [NEWER, OLDER, { ...VALVE, nFCntDown: 0 }],
    plan: 'policy: { persistSession: true, downlinkCounterMargin: 40 }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      expect(await counters(stage, 'target', 'meter-11')).toEqual([95, 54, 46])
      expect(await counters(stage, 'target', 'meter-103')).toEqual([500, 51, 51])
      expect(await heard(stage, 'meter-11')).toEqual(['mac 55'])
      expect(await heard(stage, 'meter-103')).toEqual(['mac 52'])
      for (const id of ['meter-11', 'meter-103'])
        await queue(stage, 'target', id, [{ fPort: 10, payload: 'AQ==' }])
      expect(await heard(stage, 'meter-11')).toEqual(['10 47'])
      expect(await heard(stage, 'meter-103')).toEqual(['10 53'])
      await heard(stage, 'valve-1')
      // Nothing is raised twice.
      await applied(stage, { migrated: 3 })
      expect(await counters(stage, 'source', 'meter-103')).toEqual([500 + 2, 8, 11])
    },
  })
})

describe('counters at 0', () => {
  scenario({
    promise:
      'are carried where a device with fixed keys was never used: its first frame is taken [edge 28, 38]',
    golden: 'never-used',
    fleet: [{ ...VALVE, fCntUp: 0, nFCntDown: 0 }],
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const device = stage.device('valve-1')
      device.resetCounters()
      expect(await device.uplink(stage.air, { confirmed: true })).toMatchObject({
        accepted: true,
        fCnt: 0,
        missed: [],
      })
      await expectServed(stage, 'valve-1')
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise:
      'are carried where a device has joined and sent one frame: the second is taken, the first is not again',
    fleet: [{ id: 'meter-1', number: 4, mode: 'otaa' }],
    plan: KEEP,
    before: async (stage) => {
      const device = stage.device('meter-1')
      expect(await device.join(stage.radio('source'))).toMatchObject({ joined: true })
      expect(await device.uplink(stage.radio('source'))).toMatchObject({ accepted: true, fCnt: 0 })
    },
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).not.toContain('FirstFrameLost')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
    },
  })
})

describe('uplink counters', () => {
  scenario({
    promise: 'above 65 535 go on',
    fleet: [
      { ...OLDER, fCntUp: 70_000 },
      { ...VALVE, fCntUp: 65_535 },
      { ...NEWER, fCntUp: 131_071 },
    ],
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const id of ['meter-103', 'valve-1', 'meter-11']) {
        await expectServed(stage, id)
        await expectServed(stage, id)
      }
      expect((await counters(stage, 'target', 'valve-1'))[0]).toBe(65_537)
    },
  })

  const short = { rx1_delay: 1, supports_32_bit_f_cnt: false }
  scenario({
    promise:
      'of 16 bits roll over where the network may take them from 0, and end a device elsewhere: told before',
    golden: 'sixteen-bits',
    fleet: [
      { ...VALVE, id: 'valve-ends', number: 5, fCntUp: 65_530, macSettings: short },
      {
        ...VALVE,
        id: 'valve-goes-on',
        number: 6,
        fCntUp: 65_530,
        macSettings: { ...short, resets_f_cnt: true },
      },
      { ...VALVE, id: 'valve-far', number: 7, fCntUp: 500, macSettings: short },
    ],
    plan: KEEP,
    ends: async (stage, planned) => {
      const told = planned.devices.map(({ device, findings }) => [
        device,
        findings.find(({ code }) => code === 'SixteenBitCounters')?.severity,
      ])
      expect(Object.fromEntries(told)).toEqual({
        'valve-ends': 'warning',
        'valve-goes-on': 'note',
        'valve-far': 'note',
      })
      await applied(stage, { waiting: 3 })
      for (const id of ['valve-ends', 'valve-goes-on']) {
        for (let left = 5; left > 0; left--) await expectServed(stage, id)
      }
      await expectServed(stage, 'valve-far')
      expect(await stage.device('valve-goes-on').uplink(stage.air)).toMatchObject({ accepted: true, fCnt: 0 })
      expect(await stage.device('valve-ends').uplink(stage.air)).toMatchObject({ accepted: false, fCnt: 0 })
      await applied(stage, { migrated: 3 })
    },
  })

  const FAR = 16_385
  scenario({
    promise:
      'with a gap that the source refuses are refused by the target too; from LoRaWAN 1.0.4 on there is no gap',
    fleet: [
      { ...VALVE, id: 'valve-103', number: 8, fCntUp: 100 },
      { ...VALVE, id: 'valve-104', number: 9, fCntUp: 100, version: 'MAC_V1_0_4' },
    ],
    virtual: {
      'valve-103': { spec: { fCntUp: 100 + FAR } },
      'valve-104': { spec: { fCntUp: 100 + FAR } },
    },
    plan: KEEP,
    before: async (stage) => {
      expect(await stage.device('valve-103').uplink(stage.radio('source'))).toMatchObject({ accepted: false })
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      expect(await stage.device('valve-103').uplink(stage.air)).toMatchObject({ accepted: false })
      await expectServed(stage, 'valve-104')
      const outcome = await applied(stage, { waiting: 1, migrated: 1 })
      expect(outcome.result.devices).toContainEqual(
        expect.objectContaining({ device: 'valve-103', status: 'waiting' }),
      )
    },
  })
})

describe('a device with fixed keys that will be reset', () => {
  const RESET = 'policy: { persistSession: true, resetFrameCounters: true }'
  const LOW: DeviceSpec = { ...VALVE, fCntUp: 3 }

  scenario({
    promise:
      'is known by its session that began anew, also where it has counted beyond the floor; then it may not again',
    golden: 'reset-low-counter',
    fleet: [LOW],
    plan: RESET,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(await counters(stage, 'target', 'valve-1')).toEqual([3, 8, 8])
      const device = stage.device('valve-1')
      device.powerCycle()
      for (let fCnt = 0; fCnt <= 5; fCnt++)
        expect(await device.uplink(stage.air)).toMatchObject({ accepted: true, fCnt })
      expect(await resets(stage, 'valve-1')).toBe(true)
      await applied(stage, { migrated: 1 })
      expect(await resets(stage, 'valve-1')).toBeUndefined()
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await device.uplink(stage.air)
      device.powerCycle()
      expect(await device.uplink(stage.air)).toMatchObject({ accepted: false, fCnt: 0 })
    },
  })

  scenario({
    promise: 'and goes on without is heard, and may be reset later',
    fleet: [VALVE],
    plan: RESET,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'valve-1')
      await applied(stage, { waiting: 1 })
      expect(await resets(stage, 'valve-1')).toBe(true)
      await stage.device('valve-1').uplink(stage.air)
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(await resets(stage, 'valve-1')).toBe(true)
      const device = stage.device('valve-1')
      device.powerCycle()
      expect(await device.uplink(stage.air)).toMatchObject({ accepted: true, fCnt: 0 })
      await applied(stage, { migrated: 1 })
      expect(await resets(stage, 'valve-1')).toBeUndefined()
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'keeps the setting where the source had it: it resets itself now and then',
    fleet: [{ ...VALVE, macSettings: { rx1_delay: 1, resets_f_cnt: true } }],
    plan: RESET,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const device = stage.device('valve-1')
      device.powerCycle()
      await device.uplink(stage.air)
      await device.uplink(nowhere)
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect(await resets(stage, 'valve-1')).toBe(true)
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

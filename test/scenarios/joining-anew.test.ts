import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import { applied, at, expectNoJoin, expectServed, scenario } from '../support/scenario.ts'

const METERS: readonly DeviceSpec[] = [
  {
    id: 'meter-102',
    number: 1,
    mode: 'otaa',
    version: 'MAC_V1_0_2',
    phy: 'PHY_V1_0_2_REV_B',
    fCntUp: 900,
    nFCntDown: 3,
    usedDevNonces: [7, 11],
    lastJoinNonce: 4,
  },
  {
    id: 'meter-104',
    number: 2,
    mode: 'otaa',
    version: 'MAC_V1_0_4',
    fCntUp: 50,
    lastDevNonce: 12,
    lastJoinNonce: 12,
  },
  {
    id: 'meter-110',
    number: 3,
    mode: 'otaa',
    version: 'MAC_V1_1',
    fCntUp: 20,
    nFCntDown: 4,
    lastDevNonce: 9,
    lastJoinNonce: 5,
  },
]
const NEVER: DeviceSpec = { id: 'spare-1', number: 9, mode: 'otaa' }

describe('joining anew', () => {
  scenario({
    promise: 'leaves the session behind, carries the nonces, and counts as done when an uplink was heard',
    golden: 'joining-anew',
    fleet: METERS,
    plan: 'policy: { persistSession: false }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const { id } of METERS) {
        expect(await stage.held('target', 'ns', id)).not.toHaveProperty('session')
        expect(await stage.held('target', 'as', id)).not.toHaveProperty('session')
        expect((await stage.device(id).uplink(stage.air)).downlinks).toEqual([])
      }
      for (const { id } of METERS)
        expect(await stage.device(id).join(stage.air)).toMatchObject({ joined: true })
      const joining = await stage.verify()
      expect(joining.rows.map((row) => row.status)).toEqual(['joining', 'joining', 'joining'])
      for (const { id } of METERS) {
        await expectServed(stage, id)
        expect(stage.device(id).session?.devAddr).toMatch(/^2A/)
      }
      await applied(stage, { migrated: 3 })
      for (const { id } of METERS) await expectNoJoin(stage, id)
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'refuses on the target a DevNonce that was used on the source',
    fleet: METERS,
    plan: 'policy: { persistSession: false }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      const js = async (id: string) => stage.held('target', 'js', id)
      expect(await js('meter-102')).toMatchObject({ used_dev_nonces: [7, 11], last_join_nonce: 4 })
      expect(await js('meter-104')).toMatchObject({ last_dev_nonce: 12, last_join_nonce: 12 })
      expect(await js('meter-110')).toMatchObject({ last_dev_nonce: 9, last_join_nonce: 5 })
    },
  })

  scenario({
    promise: 'is what a device does that never joined, also where sessions are kept [edge 27]',
    golden: 'never-joined',
    fleet: [NEVER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage, planned) => {
      expect(codes(planned, 'spare-1')).toContain('NeverJoined')
      await applied(stage, { waiting: 1 })
      expect(await stage.device('spare-1').join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, 'spare-1')
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'happens while the source is deleted after the import, before the target speaks',
    golden: 'deleted-after-import',
    fleet: METERS,
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const registry of ['as', 'ns', 'js', 'is'] as const)
        expect(await stage.held('source', registry, 'meter-102')).toBeUndefined()
      for (const { id } of METERS)
        expect(await stage.device(id).join(stage.air)).toMatchObject({ joined: true })
      for (const { id } of METERS) await expectServed(stage, id)
      await applied(stage, { migrated: 3 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(actions((await stage.plan()).changeSet)).toEqual({
        'meter-102': 'done',
        'meter-104': 'done',
        'meter-110': 'done',
      })
    },
  })

  scenario({
    promise: 'asks for the RX1 delay that the source asked for, where that is kept',
    golden: 'joining-anew-rx1-keep',
    fleet: [{ ...(METERS[0] as DeviceSpec), macSettings: { rx1_delay: 1, desired_rx1_delay: 2 } }],
    plan: 'policy: { persistSession: false, rx1Delay: keep }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-102').join(stage.air)
      expect(stage.device('meter-102').rx1Delay).toBe(2)
      await expectServed(stage, 'meter-102')
    },
  })

  scenario({
    promise: 'takes the RX1 delay of the target where the plan says so, and a number where it says one',
    golden: 'joining-anew-rx1-target',
    fleet: [
      { ...(METERS[0] as DeviceSpec), macSettings: { rx1_delay: 1, desired_rx1_delay: 2 } },
      { ...(METERS[1] as DeviceSpec), macSettings: { rx1_delay: 1, desired_rx1_delay: 2 } },
    ],
    plan: `policy: { persistSession: false, rx1Delay: target }
devices: { include: [{ all: true }], overrides: [{ ids: [meter-104], policy: { rx1Delay: 7 } }] }`,
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      for (const [id, delay] of [
        ['meter-102', 5],
        ['meter-104', 7],
      ] as const) {
        await stage.device(id).join(stage.air)
        expect(stage.device(id).rx1Delay).toBe(delay)
        await expectServed(stage, id)
      }
      expect(at(await stage.held('target', 'ns', 'meter-102'), 'mac_settings')).not.toHaveProperty(
        'desired_rx1_delay',
      )
    },
  })
})

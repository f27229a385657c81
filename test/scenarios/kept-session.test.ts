import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, at, expectNoJoin, expectServed, scenario } from '../support/scenario.ts'

const OTAA: readonly DeviceSpec[] = [
  {
    id: 'meter-102',
    number: 1,
    mode: 'otaa',
    version: 'MAC_V1_0_2',
    phy: 'PHY_V1_0_2_REV_B',
    fCntUp: 70_000,
    nFCntDown: 12,
    aFCntDown: 15,
    usedDevNonces: [3, 9],
    lastJoinNonce: 4,
  },
  { id: 'meter-103', number: 2, mode: 'otaa', fCntUp: 1234, nFCntDown: 56, classC: true, name: 'Zähler 103' },
  {
    id: 'meter-104',
    number: 3,
    mode: 'otaa',
    version: 'MAC_V1_0_4',
    fCntUp: 311,
    nFCntDown: 20,
    lastDevNonce: 12,
    lastJoinNonce: 12,
  },
  {
    id: 'meter-110',
    number: 4,
    mode: 'otaa',
    version: 'MAC_V1_1',
    fCntUp: 95,
    nFCntDown: 14,
    aFCntDown: 6,
    lastDevNonce: 9,
    lastJoinNonce: 5,
  },
]

describe('a kept session', () => {
  scenario({
    promise:
      'goes on with its counters on the target, and the source is silent from before the target speaks',
    golden: 'kept-session',
    fleet: OTAA,
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 4 })
      for (const { id } of OTAA) await expectServed(stage, id)
      // Heard: the next run replaces the root keys on the source, and nothing is left.
      expect(actions((await stage.plan()).changeSet)).toEqual(
        Object.fromEntries(OTAA.map(({ id }) => [id, 'retire'])),
      )
      await applied(stage, { migrated: 4 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
      for (const { id } of OTAA) {
        await expectServed(stage, id)
        await expectNoJoin(stage, id)
        expect(at(await stage.held('source', 'ns', id), 'mac_settings', 'schedule_downlinks')).toBe(false)
      }
    },
  })
})

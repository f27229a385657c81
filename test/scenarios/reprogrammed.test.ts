import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import { programmed } from '../support/programmed.ts'
import { applied, at, expectServed, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  lastDevNonce: 7,
}
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1 },
}

const text = (record: unknown, ...path: readonly string[]): string => String(at(record, ...path))

describe('a device that will be re-programmed', () => {
  scenario({
    promise: 'joins the target with new root keys, and is served by the source with the old ones until then',
    golden: 'new-root-keys',
    fleet: [METER],
    plan: 'policy: { persistSession: true, rootKeys: generate, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1', 'source')
      const device = await programmed(stage, METER)
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect(await stage.held('source', 'is', 'meter-1')).toBeUndefined()
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'with fixed keys gets a DevAddr of the target and new keys',
    golden: 'abp-reprogrammed',
    fleet: [VALVE],
    plan: 'policy: { persistSession: true, abp: reprogram }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(text(await stage.held('target', 'ns', 'valve-1'), 'session', 'dev_addr')).toMatch(/^2A/)
      await expectServed(stage, 'valve-1', 'source')
      const device = await programmed(stage, VALVE)
      await device.uplink(stage.air)
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'is turned from fixed keys to joining',
    golden: 'abp-to-otaa',
    fleet: [VALVE],
    plan: `policy: { persistSession: true, abp: to-otaa }
devices:
  include: [{ all: true }]
  overrides:
    - { match: "valve-*", set: { joinEui: "70B3D57ED0009009" } }`,
    ends: async (stage, planned) => {
      expect(codes(planned, 'valve-1')).toEqual([])
      await applied(stage, { waiting: 1 })
      const device = await programmed(stage, VALVE)
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
    },
  })
})

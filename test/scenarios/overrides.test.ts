import { describe, expect } from 'vitest'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, at, expectServed, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-7',
  number: 7,
  mode: 'otaa',
  name: 'Old name',
  attributes: { floor: '3', room: 'b' },
  fCntUp: 10,
  nFCntDown: 2,
}
const VALVE: DeviceSpec = { ...METER, id: 'valve-8', number: 8, name: 'Valve' }
const TEST: DeviceSpec = { ...METER, id: 'test-9', number: 9 }

describe('an override', () => {
  scenario({
    promise: 'renames, sets and decides for single devices; excluded devices are left alone',
    golden: 'overrides',
    fleet: [METER, VALVE, TEST],
    renamed: { 'meter-7': 'meter-007' },
    plan: `policy: { persistSession: true }
devices:
  include: [{ all: true }]
  exclude: [{ match: "test-*" }]
  overrides:
    - ids: [meter-7]
      set: { deviceId: meter-007, name: Meter 7, description: On the roof, attributes: { floor: "4" } }
    - match: "valve-*"
      policy: { persistSession: false, preventRejoin: none }`,
    ends: async (stage) => {
      const untouched = (await stage.store('source')).networkServer['meters/test-9']
      await applied(stage, { waiting: 2 })
      const { identityServer, networkServer, joinServer } = await stage.store('target')
      expect(Object.keys(identityServer)).toEqual(['meters/meter-007', 'meters/valve-8'])
      expect(identityServer['meters/meter-007']).toMatchObject({
        name: 'Meter 7',
        description: 'On the roof',
        attributes: { floor: '4' },
        ids: { device_id: 'meter-007', dev_eui: keysOf(METER).devEui },
      })
      expect(at(identityServer['meters/meter-007'], 'attributes')).toEqual({ floor: '4' })
      expect(joinServer['meters/meter-007']).toMatchObject({
        root_keys: { app_key: { key: keysOf(METER).appKey } },
      })
      expect(networkServer['meters/valve-8']).not.toHaveProperty('session')
      expect(at(networkServer['meters/meter-007'], 'session', 'dev_addr')).toBe(keysOf(METER).devAddr)
      expect((await stage.store('source')).networkServer['meters/test-9']).toEqual(untouched)
      const meter = await stage.device('meter-7').uplink(stage.air, { confirmed: true })
      expect(meter.downlinks).toHaveLength(1)
      await stage.device('valve-8').join(stage.air)
      await expectServed(stage, 'valve-8')
      await applied(stage, { migrated: 2 })
      expect(actions((await stage.plan()).changeSet)).toEqual({
        'meter-7': 'done',
        'valve-8': 'done',
        'test-9': 'excluded',
      })
    },
  })

  scenario({
    promise: 'that comes later is an update of settings: the living session is left as it is',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-7')
      await applied(stage, { migrated: 1 })
      const before = await stage.held('target', 'ns', 'meter-7')
      await stage.writePlan(`policy: { persistSession: true }
devices: { include: [{ all: true }], overrides: [{ ids: [meter-7], set: { name: New name } }] }`)
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'meter-7': 'update' })
      await applied(stage, { updated: 1 })
      expect(await stage.held('target', 'is', 'meter-7')).toMatchObject({ name: 'New name' })
      expect(await stage.held('target', 'ns', 'meter-7')).toEqual(before)
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'that would give two devices one id blocks both [edge 3]',
    golden: 'same-target-id',
    fleet: [METER, VALVE],
    plan: `policy: { persistSession: true }
devices: { include: [{ all: true }], overrides: [{ ids: [valve-8], set: { deviceId: meter-7 } }] }`,
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-7': 'blocked', 'valve-8': 'blocked' })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

describe('an override of versions', () => {
  scenario({
    promise:
      'is what the rules look at: a PHY version that the target does not know is mended by it [edge 59]',
    fleet: [{ ...METER, phy: 'PHY_V1_0_2_REV_B', version: 'MAC_V1_0_2' }],
    plan: `policy: { persistSession: false }
devices: { include: [{ all: true }], overrides: [{ ids: [meter-7], set: { lorawanPhyVersion: PHY_V1_0_3_REV_A } }] }`,
    ends: async (stage) => {
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            path: 'phy-versions',
            do: {
              status: 200,
              body: { version_info: [{ band_id: 'EU_863_870', phy_versions: ['PHY_V1_0_3_REV_A'] }] },
            },
          },
        ],
      })
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'meter-7': 'create' })
    },
  })
})

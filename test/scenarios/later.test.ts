import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, at, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const VALVE: DeviceSpec = { id: 'valve-1', number: 1, mode: 'abp', fCntUp: 500, nFCntDown: 8 }
const METER: DeviceSpec = { id: 'meter-1', number: 2, mode: 'otaa', fCntUp: 500, nFCntDown: 8 }
describe('a plan that changes after devices crossed', () => {
  scenario({
    promise: 'may take resets_f_cnt back before a reset was heard',
    fleet: [VALVE],
    plan: 'policy: { persistSession: true, resetFrameCounters: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      // It goes on, so it was heard and not reset.
      await stage.device('valve-1').uplink(stage.air)
      await applied(stage, { waiting: 1 })
      await stage.writePlan('policy: { persistSession: true, resetFrameCounters: false }')
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'valve-1': 'update' })
      await applied(stage, { updated: 1 })
      expect(at(await stage.held('target', 'ns', 'valve-1'), 'mac_settings')).not.toHaveProperty(
        'resets_f_cnt',
        true,
      )
    },
  })
  scenario({
    promise: 'may delete sources that it was to keep before, at their time',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await stage.writePlan(
        'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 1h }',
      )
      stage.pass(2 * 3600_000)
      await applied(stage, { migrated: 1 })
      expect(await stage.held('source', 'is', 'meter-1')).toBeUndefined()
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
  scenario({
    promise: 'leaves a session alone that began on the target [edge 8, 49]',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect((await stage.device('meter-1').join(stage.air)).joined).toBe(true)
      await stage.device('meter-1').uplink(stage.air)
      const before = await stage.held('target', 'ns', 'meter-1')
      await applied(stage, { migrated: 1 })
      expect(await stage.held('target', 'ns', 'meter-1')).toEqual(before)
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
  scenario({
    promise: 'may leave a device out that crossed: it stays as it is',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.writePlan(
        'policy: { persistSession: true }\ndevices: { include: [{ all: true }], exclude: [{ ids: [meter-1] }] }',
      )
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
  scenario({
    promise: 'is not needed for settings that change on the source: they follow, the session is left alone',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const session = at(await stage.held('target', 'ns', 'meter-1'), 'session')
      await call(stage.source, 'PUT', '/applications/meters/devices/meter-1', {
        end_device: {
          ids: { device_id: 'meter-1', dev_eui: '70B3D57ED00F0002', join_eui: '70B3D57ED0009000' },
          name: 'New',
        },
        field_mask: { paths: ['name'] },
      })
      const { changeSet } = await stage.plan()
      expect(actions(changeSet)).toEqual({ 'meter-1': 'update' })
      await applied(stage, { updated: 1 })
      expect(await stage.held('target', 'is', 'meter-1')).toMatchObject({ name: 'New' })
      expect(at(await stage.held('target', 'ns', 'meter-1'), 'session')).toEqual(session)
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

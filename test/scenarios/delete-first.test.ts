import { describe, expect } from 'vitest'
import { METER, METER_11, VALVE } from '../support/meters.ts'
import { applied, at, expectServed, expectSilent, results, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const FLEET = [METER, METER_11, VALVE]

describe('delete-first, between two applications of one network', () => {
  scenario({
    promise:
      'a session goes on with its counters in the other application, and the first holds nothing of it',
    golden: 'delete-first',
    fleet: FLEET,
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) {
        for (const registry of ['is', 'js', 'ns', 'as'] as const)
          expect(await stage.held('source', registry, id)).toBeUndefined()
        await expectServed(stage, id)
      }
      expect(await stage.held('target', 'js', 'meter-1')).toMatchObject({
        used_dev_nonces: [3, 9],
        last_join_nonce: 4,
      })
      await applied(stage, { migrated: 3 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'a device that joins anew does so in the other application',
    golden: 'delete-first-joining-anew',
    fleet: FLEET.slice(0, 1),
    oneNetwork: true,
    plan: 'policy: { persistSession: false, handover: delete-first }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const device = stage.device('meter-1')
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect(at(await stage.held('target', 'ns', 'meter-1'), 'session', 'last_f_cnt_up') ?? 0).toBe(0)
    },
  })

  scenario({
    promise: 'without an identity nothing is touched',
    fleet: FLEET.slice(0, 1),
    oneNetwork: true,
    withoutIdentity: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    ends: async (stage) => {
      await expect(stage.apply()).rejects.toMatchObject({ code: 'IdentityMissing', kind: 'credentials' })
      await expectServed(stage, 'meter-1', 'source')
    },
  })

  scenario({
    promise:
      'an import that is refused gives the device back to the source, which serves it with its counters',
    fleet: FLEET.slice(0, 1),
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    ends: async (stage) => {
      const refuse = {
        method: 'PUT',
        path: '/ns/applications/meters-two/devices/meter-1',
        times: 1,
        do: { status: 400 },
      }
      await call(stage.source, 'POST', '/simulator/v1/faults', { faults: [refuse] })
      const outcome = await applied(stage, { failed: 1 })
      expect(results(outcome)).toEqual({ 'meter-1': 'InvalidField' })
      for (const registry of ['is', 'js', 'ns', 'as'] as const)
        expect(await stage.held('target', registry, 'meter-1')).toBeUndefined()
      expect(
        at(await stage.held('source', 'ns', 'meter-1'), 'mac_settings', 'schedule_downlinks'),
      ).toBeUndefined()
      await expectServed(stage, 'meter-1', 'source')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })
})

describe('delete-first, between two networks', () => {
  scenario({
    promise: 'the source is deleted before the target is created, and the session goes on [edge 91]',
    golden: 'delete-first-two-networks',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) {
        await expectServed(stage, id)
        await expectSilent(stage, id)
      }
      await applied(stage, { migrated: 3 })
    },
  })
})

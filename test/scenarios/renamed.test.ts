import { describe, expect, it } from 'vitest'
import { register } from '../support/fleet.ts'
import { METER, VALVE } from '../support/meters.ts'
import { actions, codes, startMigration } from '../support/migration.ts'
import { at } from '../support/scenario.ts'
import { storeOf } from '../support/stack-api.ts'

const KEEP = 'policy: { persistSession: true }'
const NEW = { id: 'meter-new', number: 8, mode: 'otaa' } as const

describe('ids by a rule', () => {
  const renamed = (rule: string): string => `${KEEP}
devices:
  include: [{ all: true }]
  overrides: [{ all: true, set: { deviceId: "${rule}" } }]`

  it('names each device, keeps its old id as an attribute, and finds nothing to do when it has crossed', async () => {
    const migration = await startMigration()
    try {
      for (const spec of [METER, VALVE]) await register(migration.source, spec)
      await migration.writePlan(renamed('north-{id}'))
      await migration.apply()
      const held = await storeOf(migration.target)
      const ids = Object.keys(held.identityServer).map((key) => key.split('/')[1])
      expect(ids.sort()).toEqual(['north-meter-1', 'north-valve-1'])
      expect(at(held.identityServer[`${migration.target.application}/north-meter-1`], 'attributes')).toEqual({
        'old-id': 'meter-1',
      })
      expect(actions((await migration.plan()).changeSet)).toEqual({ 'meter-1': 'wait', 'valve-1': 'wait' })
    } finally {
      await migration.close()
    }
  })

  it('names a relay, and those that it serves, as the target calls them [edge 63]', async () => {
    const relay = {
      serving: { uplink_forwarding_rules: [{ device_id: VALVE.id }, { device_id: 'stranger' }] },
    }
    const served = { served: { always: {}, serving_device_id: METER.id } }
    const migration = await startMigration()
    try {
      await register(migration.source, { ...METER, macSettings: { relay, desired_relay: relay } })
      await register(migration.source, { ...VALVE, macSettings: { ...VALVE.macSettings, relay: served } })
      await migration.writePlan(renamed('north-{id}'))
      await migration.apply()
      const { networkServer } = await storeOf(migration.target)
      const of = (id: string): unknown =>
        at(networkServer[`${migration.target.application}/${id}`], 'mac_settings', 'relay')
      expect(of('north-meter-1')).toEqual({
        serving: { uplink_forwarding_rules: [{ device_id: 'north-valve-1' }, { device_id: 'stranger' }] },
      })
      expect(of('north-valve-1')).toEqual({ served: { always: {}, serving_device_id: 'north-meter-1' } })
      expect(actions((await migration.plan()).changeSet)).toEqual({ 'meter-1': 'wait', 'valve-1': 'wait' })
    } finally {
      await migration.close()
    }
  })

  it('leaves alone those that it gives one id, and those that lack what it asks for, before any write [edge 3]', async () => {
    const SHARED = { identity: { attributes: { becomes: 'Same' } } }
    const fleet = [{ ...METER, ...SHARED }, { ...VALVE, ...SHARED }, NEW]
    const migration = await startMigration()
    try {
      for (const spec of fleet) await register(migration.source, spec)
      await migration.writePlan(renamed('{attributes.becomes}'))
      const before = await storeOf(migration.source)
      const { changeSet } = await migration.plan()
      expect(codes(changeSet, 'meter-1')).toContain('DuplicateTargetId')
      expect(codes(changeSet, 'valve-1')).toContain('DuplicateTargetId')
      expect(codes(changeSet, 'meter-new')).toContain('DeviceIdNotMade')
      await migration.apply()
      expect(await storeOf(migration.source)).toEqual(before)
      expect(Object.keys((await storeOf(migration.target)).identityServer)).toEqual([])
    } finally {
      await migration.close()
    }
  })
})

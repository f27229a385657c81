import { describe, expect } from 'vitest'
import { secretField } from '../../src/engine/device/records.ts'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { applied, at, expectNoJoin, expectServed, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  usedDevNonces: [3],
}

describe('a join that a downlink of the source brings about', () => {
  scenario({
    promise:
      'is answered by the target alone; the source serves the old session until then, and is muted after it',
    golden: 'triggered',
    fleet: [METER],
    plan: 'policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF" } }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectNoJoin(stage, 'meter-1')
      const device = stage.device('meter-1')
      // Set-up commands of the fresh MAC state go first, alone.
      const ports: (number | undefined)[] = []
      while (!ports.includes(42) && ports.length < 5)
        for (const { fPort } of (await device.uplink(stage.air)).downlinks) ports.push(fPort)
      expect(ports).toContain(42)
      await applied(stage, { waiting: 1 })
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect(at(await stage.held('source', 'ns', 'meter-1'), 'mac_settings', 'schedule_downlinks')).toBe(
        false,
      )
      await expectServed(stage, 'meter-1')
      expect((await stage.apply()).status).toBe('nothing-to-do')
      // Each record of the escrow holds the device's own keys, also the one that was made after the source lost them.
      const own = keysOf(METER).appKey
      for (const { record } of await stage.escrowEntries())
        expect(secretField(record, 'join-server', 'root_keys.app_key.key')?.reveal() === own).toBe(true)
    },
  })
})

import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import { applied, at, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  macSettings: { schedule_downlinks: false },
}

describe('a device that will be re-programmed and was muted before', () => {
  for (const [mutedSource, staysMuted] of [
    ['carry', true],
    ['unmute', false],
  ] as const)
    scenario({
      promise: `is ${staysMuted ? 'muted' : 'answered'} on the target with mutedSource: ${mutedSource}`,
      fleet: [METER],
      plan: `policy: { persistSession: true, rootKeys: generate, mutedSource: ${mutedSource} }`,
      ends: async (stage, planned) => {
        expect(codes(planned, 'meter-1')).toContain(staysMuted ? 'StaysMuted' : 'MutedBefore')
        await applied(stage, { waiting: 1 })
        const held = at(await stage.held('target', 'ns', 'meter-1'), 'mac_settings', 'schedule_downlinks')
        expect(held).toBe(staysMuted ? false : undefined)
        expect((await stage.apply()).status).toBe('nothing-to-do')
      },
    })
})

import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { Killed, killedAt } from '../support/ports-that-fail.ts'
import { applied, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 500, nFCntDown: 8 }

describe('a run that is killed when it has just heard a device', () => {
  scenario({
    promise: 'leaves nothing that each later run would find to do',
    fleet: [METER],
    plan: 'policy: { persistSession: true }\nrollout: { maxConcurrency: 1 }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      const killed = killedAt((record) => record.t === 'outcome' && record.step === 'hear')
      await expect(stage.applyThrough(killed)).rejects.toThrow(Killed)
      await applied(stage, { migrated: 1 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

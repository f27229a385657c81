import { describe, expect } from 'vitest'
import type { JournalPort, JournalRecord } from '../../src/index.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { Killed } from '../support/ports-that-fail.ts'
import { applied, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 500, nFCntDown: 8 }

const isHearing = (record: JournalRecord): boolean => record.t === 'outcome' && record.step === 'hear'

/** A journal whose process is killed when the step "hear" is to be told as done. */
const killedAtHearing = (journal: JournalPort): JournalPort => {
  let dead = false
  return {
    ...journal,
    append: async (records) => {
      dead ||= records.some(isHearing)
      if (dead) throw new Killed()
      await journal.append(records)
    },
  }
}

describe('a run that is killed when it has just heard a device', () => {
  scenario({
    promise: 'leaves nothing that each later run would find to do',
    fleet: [METER],
    plan: 'policy: { persistSession: true }\nrollout: { maxConcurrency: 1 }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      await expect(stage.applyThrough({ journal: killedAtHearing })).rejects.toThrow(Killed)
      await applied(stage, { migrated: 1 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

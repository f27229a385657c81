import { describe, expect } from 'vitest'
import type { JournalRecord } from '../../src/index.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { Killed, killedAt } from '../support/ports-that-fail.ts'
import { applied, at, expectServed, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 1,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1 },
}

/** The target's Network Server takes the import, and refuses what is written to it after that. */
const refuseLater = (stage: Stage): Promise<unknown> =>
  call(stage.target, 'POST', '/simulator/v1/faults', {
    faults: [{ method: 'PUT', path: '/ns/applications/meters-two/', nth: 2, times: 99, do: { status: 400 } }],
  })

describe('an import that is refused in the run after one that was killed', () => {
  scenario({
    promise: 'leaves nothing of what the killed run had written on the target',
    fleet: [VALVE],
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }\nrollout: { maxConcurrency: 1 }',
    ends: async (stage) => {
      await refuseLater(stage)
      const killed = killedAt((record) => record.t === 'intent' && record.step === 'final-start-time')
      await expect(stage.applyThrough(killed)).rejects.toThrow(Killed)
      await stage.device('valve-1').uplink(stage.air)
      await applied(stage, { failed: 1 })
      for (const registry of ['is', 'ns', 'as'] as const)
        expect(await stage.held('target', registry, 'valve-1'), registry).toBeUndefined()
      await call(stage.target, 'DELETE', '/simulator/v1/faults')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'valve-1')
    },
  })

  scenario({
    promise: 'keeps what the silent target has counted, also when it is killed once that target is deleted',
    fleet: [VALVE],
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }\nrollout: { maxConcurrency: 1 }',
    ends: async (stage) => {
      await refuseLater(stage)
      const imported = killedAt((record) => record.t === 'intent' && record.step === 'final-start-time')
      await expect(stage.applyThrough(imported)).rejects.toThrow(Killed)
      await stage.device('valve-1').uplink(stage.air)
      const counted = at(await stage.held('target', 'ns', 'valve-1'), 'session', 'last_f_cnt_up')
      const given = killedAt((record) => record.t === 'outcome' && record.step === 'restore-identity')
      await expect(stage.applyThrough(given)).rejects.toThrow(Killed)
      await applied(stage, { failed: 1 })
      expect(counted).toBe(501)
      expect(at(await stage.held('source', 'ns', 'valve-1'), 'session', 'last_f_cnt_up')).toBe(counted)
    },
  })

  for (const [when, isIt] of [
    ['while its source is started', (record) => record.t === 'outcome' && record.step === 'start-source'],
    ['once its source was started', (record) => record.t === 'undone'],
  ] as readonly (readonly [string, (record: JournalRecord) => boolean])[])
    scenario({
      promise: `gives the device back once: killed ${when}, its source goes on serving it`,
      fleet: [VALVE],
      oneNetwork: true,
      plan: 'policy: { persistSession: true, handover: delete-first }\nrollout: { maxConcurrency: 1 }',
      ends: async (stage) => {
        await refuseLater(stage)
        await expect(stage.applyThrough(killedAt(isIt))).rejects.toThrow(Killed)
        await expectServed(stage, 'valve-1', 'source')
        await applied(stage, { failed: 1 })
        await expectServed(stage, 'valve-1', 'source')
      },
    })
})

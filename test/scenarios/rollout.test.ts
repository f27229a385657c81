import { describe, expect } from 'vitest'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, eventNames, expectServed, otherApplication, scenario } from '../support/scenario.ts'

const meter = (number: number): DeviceSpec => ({
  id: `meter-${number}`,
  number,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
})
const FLEET = [1, 2, 3, 4, 5].map(meter)

describe('a rollout', () => {
  scenario({
    promise: 'with canaries lets nobody else begin before each canary was heard',
    golden: 'canary',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }\nrollout: { canary: 2 }',
    ends: async (stage) => {
      const first = await applied(stage, { waiting: 2, skipped: 3 })
      expect(first.result.stopped).toBe('canary')
      expect(eventNames(stage.events).filter((name) => name === 'wave.started')).toHaveLength(1)
      await expectServed(stage, 'meter-1')
      const second = await applied(stage, { waiting: 1, migrated: 1, skipped: 3 })
      expect(second.result.stopped).toBe('canary')
      for (const id of ['meter-3', 'meter-4', 'meter-5']) {
        expect(await stage.held('target', 'is', id)).toBeUndefined()
        await expectServed(stage, id, 'source')
      }
      await expectServed(stage, 'meter-2')
      const third = await applied(stage, { migrated: 2, waiting: 3 })
      expect(third.result.stopped).toBeUndefined()
      for (const { id } of FLEET) await expectServed(stage, id)
      await applied(stage, { migrated: 5 })
    },
  })

  scenario({
    promise: 'stops at too many failures: devices that did not begin are as they were',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }\nrollout: { maxFailures: 1, maxConcurrency: 1 }',
    before: async (stage) => {
      const others = await otherApplication(stage.target, 'others')
      for (const number of [2, 3, 4]) await register(others, { ...meter(number), id: `theirs-${number}` })
    },
    ends: async (stage) => {
      const source = await stage.store('source')
      const outcome = await applied(stage, { waiting: 1, failed: 2, skipped: 2 })
      expect(outcome.result.stopped).toBe('failures')
      for (const id of ['meter-2', 'meter-3', 'meter-4', 'meter-5'])
        expect((await stage.store('source')).networkServer[`meters/${id}`]).toEqual(
          source.networkServer[`meters/${id}`],
        )
      expect(actions((await stage.plan()).changeSet)).toMatchObject({
        'meter-2': 'create',
        'meter-5': 'create',
      })
    },
  })

  scenario({
    promise: 'of none and then some: devices that come later cross with the same plan',
    fleet: FLEET.slice(0, 1),
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await register(stage.source, meter(6))
      await applied(stage, { waiting: 2 })
      expect(await stage.held('target', 'ns', 'meter-6')).toBeDefined()
    },
  })
})

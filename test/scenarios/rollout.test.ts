import { describe, expect } from 'vitest'
import type { NetworkPort } from '../../src/index.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, eventNames, expectServed, otherApplication, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const meter = (number: number): DeviceSpec => ({
  id: `meter-${number}`,
  number,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
})
const FLEET = [1, 2, 3, 4, 5].map(meter)

/** So many hours after now the window below is shut. */
const HOURS_OUTSIDE = 12

/** Open from two hours before a time to two after it, every day. */
const windowAround = (at: Date): string => {
  const hour = (shift: number): string => String((at.getUTCHours() + shift + 24) % 24).padStart(2, '0')
  return `${hour(-2)}:00-${hour(3)}:00 UTC`
}

describe('a rollout', () => {
  scenario({
    promise: 'with canaries lets nobody else begin before each canary was heard',
    golden: 'canary',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }\nrollout: { canary: 2 }',
    ends: async (stage) => {
      const first = await applied(stage, { waiting: 2, skipped: 3 })
      expect(first.result.stopped).toMatchObject({ by: 'gate', gate: { wave: 'canary', heard: 0, of: 2 } })
      expect(eventNames(stage.events).filter((name) => name === 'wave.started')).toHaveLength(1)
      await expectServed(stage, 'meter-1')
      const second = await applied(stage, { waiting: 1, migrated: 1, skipped: 3 })
      expect(second.result.stopped).toMatchObject({ by: 'gate', gate: { heard: 1, of: 2, needed: 2 } })
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
    promise:
      'in waves goes on once enough of the last wave were heard, and silent devices are still waited for',
    fleet: FLEET.map((spec, index) => ({ ...spec, attributes: { floor: String(index % 2) } })),
    plan: `policy: { persistSession: true }
rollout: { waves: [{ attributes: { floor: "1" } }, 50%, { match: "nobody-*" }], minHeard: 50% }`,
    ends: async (stage) => {
      const first = await applied(stage, { waiting: 2, skipped: 3 })
      expect(first.result.stopped).toEqual({
        by: 'gate',
        gate: { wave: 'wave 1', heard: 0, of: 2, needed: 1 },
      })
      await expectServed(stage, 'meter-2')
      const second = await applied(stage, { waiting: 3, migrated: 1, skipped: 1 })
      expect(second.result.stopped).toMatchObject({ by: 'gate', gate: { wave: 'wave 2', heard: 0, of: 2 } })
      expect(await stage.held('target', 'is', 'meter-5')).toBeUndefined()
      await expectServed(stage, 'meter-1')
      const third = await applied(stage, { waiting: 3, migrated: 2 })
      expect(third.result.stopped).toBeUndefined()
      for (const { id } of FLEET) await expectServed(stage, id)
      await applied(stage, { migrated: 5 })
      const back = await stage.rollBack({ wave: '1' })
      if (back.status !== 'done') throw new Error(back.status)
      expect(back.devices.map(({ device }) => device).sort()).toEqual(['meter-2', 'meter-4'])
      await expectServed(stage, 'meter-2', 'source')
    },
  })

  scenario({
    promise: 'begins nothing outside of its change window, and carries on what was begun',
    fleet: FLEET,
    plan: `policy: { persistSession: true, deleteSource: after-heard }
verify: { retireAfter: 0s }
rollout: { canary: 2, window: "${windowAround(new Date())}" }`,
    ends: async (stage) => {
      await applied(stage, { waiting: 2, skipped: 3 })
      for (const id of ['meter-1', 'meter-2']) await expectServed(stage, id)
      stage.pass(HOURS_OUTSIDE * 3_600_000)
      const source = await stage.store('source')
      const shut = await applied(stage, { skipped: 5 })
      expect(shut.result.stopped).toMatchObject({ by: 'window' })
      expect((await stage.store('source')).identityServer, 'none is deleted').toEqual(source.identityServer)
      expect(await stage.held('target', 'is', 'meter-3')).toBeUndefined()
      stage.pass((24 - HOURS_OUTSIDE) * 3_600_000)
      await applied(stage, { migrated: 2, waiting: 3 })
      expect(await stage.held('source', 'is', 'meter-1')).toBeUndefined()
    },
  })

  scenario({
    promise: 'whose window closes in mid-wave ends what is under way, and begins no other',
    fleet: FLEET,
    plan: `policy: { persistSession: true }
rollout: { maxConcurrency: 1, window: "${windowAround(new Date())}" }`,
    ends: async (stage) => {
      let begun = 0
      const network = (port: NetworkPort, side: 'source' | 'target'): NetworkPort => ({
        ...port,
        write: async (write) => {
          // As the second device begins, the clock passes the end of the window.
          if (side === 'target' && write.create === true && ++begun === 2)
            stage.pass(HOURS_OUTSIDE * 3_600_000)
          await port.write(write)
        },
      })
      const result = await stage.applyThrough({ network })
      expect(result.counts).toMatchObject({ waiting: 2, skipped: 3, failed: 0 })
      expect(result.stopped).toMatchObject({ by: 'window' })
      for (const id of ['meter-1', 'meter-2']) await expectServed(stage, id)
      for (const id of ['meter-3', 'meter-4', 'meter-5']) await expectServed(stage, id, 'source')
    },
  })

  scenario({
    promise: 'is not held up by one slow device: the others cross meanwhile',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }\nrollout: { maxConcurrency: 2 }',
    ends: async (stage) => {
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [{ registry: 'ns', method: 'PUT', path: 'meter-1$', do: { hang: 1_500 }, times: 1 }],
      })
      await applied(stage, { waiting: 5 })
      const ended = stage.events.filter(({ event }) => event === 'device.done')
      expect(ended.map((event) => 'device' in event && event.device)).toEqual([
        'meter-2',
        'meter-3',
        'meter-4',
        'meter-5',
        'meter-1',
      ])
      for (const { id } of FLEET) await expectServed(stage, id)
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
      expect(outcome.result.stopped).toEqual({ by: 'failures' })
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

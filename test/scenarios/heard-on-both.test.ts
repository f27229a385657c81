import { describe, expect } from 'vitest'
import { appliedEnd } from '../../src/cli/applied.ts'
import { exitCodeOf } from '../../src/cli/exit-codes.ts'
import type { NetworkPort } from '../../src/index.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, expectServed, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const FLEET: readonly DeviceSpec[] = [
  { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5, lastJoinNonce: 2 },
  { id: 'meter-2', number: 2, mode: 'otaa', fCntUp: 200, nFCntDown: 7, lastJoinNonce: 2 },
]

/** Somebody sets on the source whether it may send to a device. */
const setScheduling = async ({ source }: Stage, id: string, value: boolean): Promise<void> => {
  await call(source, 'PUT', `/ns/applications/${source.application}/devices/${id}`, {
    end_device: { ids: { device_id: id }, mac_settings: { schedule_downlinks: value } },
    field_mask: { paths: ['mac_settings.schedule_downlinks'] },
  })
}

const ON_BOTH = { status: 'deferred', error: { code: 'HeardOnBoth' } }

describe('a device that both networks hear', () => {
  scenario({
    promise: 'and serve is told, and its source is not retired until one of them is silent',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 1h }',
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      for (const { id } of FLEET) await expectServed(stage, id)
      await applied(stage, { waiting: 2 })
      await setScheduling(stage, 'meter-1', true)
      await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true })
      stage.pass(2 * 3_600_000)

      const planned = await stage.plan()
      expect(actions(planned.changeSet)).toEqual({ 'meter-1': 'wait', 'meter-2': 'retire' })
      expect(planned.changeSet.devices[0]?.findings).toContainEqual(
        expect.objectContaining({ code: 'HeardOnBoth', severity: 'warning' }),
      )
      const first = await applied(stage, { deferred: 1, migrated: 1 })
      expect(first.result.devices[0]).toMatchObject(ON_BOTH)
      expect(exitCodeOf(appliedEnd(first.result.counts))).toBe(7)
      for (const registry of ['is', 'js', 'ns', 'as'] as const)
        expect(await stage.held('source', registry, 'meter-1'), registry).toBeDefined()
      expect(await stage.held('source', 'is', 'meter-2')).toBeUndefined()
      const second = await stage.apply()
      expect(second).toMatchObject({
        status: 'nothing-to-do',
        result: { counts: { deferred: 1, migrated: 1 } },
      })

      await setScheduling(stage, 'meter-1', false)
      await applied(stage, { migrated: 2 })
      expect(await stage.held('source', 'is', 'meter-1')).toBeUndefined()
    },
  })

  scenario({
    promise: 'since the preview is looked at again before its source is deleted',
    fleet: FLEET.slice(0, 1),
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
      let isUnmuted = false
      const network = (port: NetworkPort, side: 'source' | 'target'): NetworkPort => ({
        ...port,
        readSession: async (id) => {
          if (side === 'target' && !isUnmuted) {
            isUnmuted = true
            await setScheduling(stage, 'meter-1', true)
            await stage.device('meter-1').uplink(stage.radio('source'))
          }
          return port.readSession(id)
        },
      })
      const result = await stage.applyThrough({ network })
      expect(isUnmuted).toBe(true)
      expect(result.devices[0]).toMatchObject(ON_BOTH)
      expect(await stage.held('source', 'ns', 'meter-1')).toBeDefined()
      await setScheduling(stage, 'meter-1', false)
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'by a source that is muted is served by one alone, and its source is retired',
    fleet: FLEET.slice(0, 1),
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      for (let times = 0; times < 3; times += 1) await expectServed(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
      expect(await stage.held('source', 'is', 'meter-1')).toBeUndefined()
    },
  })
})

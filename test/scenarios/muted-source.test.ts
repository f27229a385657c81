import { describe, expect } from 'vitest'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import {
  applied,
  at,
  expectNoJoin,
  expectServed,
  expectSilent,
  type Side,
  type Stage,
  scenario,
} from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const MUTED = { rx1_delay: 1, schedule_downlinks: false }
const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  macSettings: MUTED,
}
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 50,
  nFCntDown: 3,
  macSettings: MUTED,
}
const FLEET = [METER, VALVE]

const scheduling = async (stage: Stage, side: Side, id: string): Promise<unknown> =>
  at(await stage.held(side, 'ns', id), 'mac_settings', 'schedule_downlinks')

/** What another tool registered on the target, from what it exported. */
const onTarget =
  (macSettings: DeviceSpec['macSettings'] & {}) =>
  async (stage: Stage): Promise<void> => {
    const host = new URL(stage.target.url).hostname
    const identity = { network_server_address: host, application_server_address: host }
    for (const spec of FLEET)
      await register(stage.target, {
        ...spec,
        macSettings,
        identity: { ...identity, ...(spec.mode === 'otaa' ? { join_server_address: host } : {}) },
      })
  }

describe('a device whose source was muted before, and that the target does not hold', () => {
  scenario({
    promise: 'is left alone, as it is, where the plan does not say otherwise [edge 65]',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }',
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toEqual(['SourceMuted'])
      const source = await stage.store('source')
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(await stage.store('source')).toEqual(source)
      expect((await stage.store('target')).identityServer).toEqual({})
    },
  })

  scenario({
    promise: 'moves muted where the plan carries that, and no run unmutes it; it is heard all the same',
    golden: 'muted-carried',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, mutedSource: carry }',
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toContain('StaysMuted')
      await applied(stage, { waiting: 2 })
      const silent = async (): Promise<void> => {
        for (const { id } of FLEET)
          for (const side of ['source', 'target'] as const) {
            expect(await scheduling(stage, side, id)).toBe(false)
            await expectSilent(stage, id, side)
          }
      }
      await silent()
      await applied(stage, { migrated: 2 })
      await silent()
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await silent()
      await expectNoJoin(stage, 'meter-1')
      await expectNoJoin(stage, 'meter-1', 'target')
    },
  })

  scenario({
    promise: 'is served by the target where the plan unmutes it, and stays muted on the source [edge 65]',
    golden: 'muted-unmuted',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, mutedSource: unmute }',
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toContain('MutedBefore')
      await applied(stage, { waiting: 2 })
      for (const { id } of FLEET) await expectServed(stage, id)
      await applied(stage, { migrated: 2 })
      for (const { id } of FLEET) {
        await expectServed(stage, id)
        await expectSilent(stage, id)
        expect(await scheduling(stage, 'source', id)).toBe(false)
      }
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

describe('a device that another tool moved, which muted its source', () => {
  scenario({
    promise:
      'and exported it muted is answered by no network: told, and served by the target once the plan says so',
    golden: 'muted-on-both',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }',
    before: onTarget(MUTED),
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toEqual(['MovedWithoutState'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await stage.writePlan('policy: { persistSession: true, mutedSource: carry }')
      const carried = (await stage.plan()).changeSet
      for (const { id } of FLEET) expect(codes(carried, id)).toEqual(['StaysMuted', 'NotMovedByUs'])
      await applied(stage, { adopted: 2 })
      for (const { id } of FLEET) expect(await scheduling(stage, 'target', id)).toBe(false)
      await stage.writePlan('policy: { persistSession: true, mutedSource: unmute }')
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'meter-1': 'update', 'valve-1': 'update' })
      const source = await stage.store('source')
      await applied(stage, { updated: 2 })
      expect(await stage.store('source')).toEqual(source)
      for (const { id } of FLEET) {
        expect(await scheduling(stage, 'target', id)).toBeUndefined()
        await expectServed(stage, id)
        await expectSilent(stage, id)
      }
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'is left muted on the target where somebody started the source since',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, mutedSource: unmute }',
    before: onTarget(MUTED),
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-1': 'update', 'valve-1': 'update' })
      for (const { id } of FLEET) {
        const ids = at(await stage.held('source', 'ns', id), 'ids')
        await call(stage.source, 'PUT', `/ns/applications/meters/devices/${id}`, {
          end_device: { ids },
          field_mask: { paths: ['mac_settings.schedule_downlinks'] },
        })
      }
      await applied(stage, { adopted: 2 })
      for (const { id } of FLEET) {
        expect(await scheduling(stage, 'target', id)).toBe(false)
        await expectServed(stage, id, 'source')
      }
    },
  })

  scenario({
    promise: 'and whose target serves it is not touched: adopted where the plan says that it may be muted',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }',
    before: onTarget({ rx1_delay: 1 }),
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toEqual(['MovedWithoutState'])
      for (const mutedSource of ['carry', 'unmute']) {
        await stage.writePlan(`policy: { persistSession: true, mutedSource: ${mutedSource} }`)
        const { changeSet } = await stage.plan()
        for (const { id } of FLEET) expect(codes(changeSet, id)).not.toContain('StaysMuted')
      }
      const [source, target] = [await stage.store('source'), await stage.store('target')]
      await applied(stage, { adopted: 2 })
      expect(await stage.store('source')).toEqual(source)
      expect(await stage.store('target')).toEqual(target)
      for (const { id } of FLEET) await expectServed(stage, id)
    },
  })
})

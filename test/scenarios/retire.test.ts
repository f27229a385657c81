import { describe, expect } from 'vitest'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, at, expectNoJoin, expectServed, type Stage, scenario } from '../support/scenario.ts'

const DAY = 24 * 3600 * 1000
const FLEET: readonly DeviceSpec[] = [
  { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5, lastJoinNonce: 2 },
  {
    id: 'meter-11',
    number: 2,
    mode: 'otaa',
    version: 'MAC_V1_1',
    fCntUp: 40,
    nFCntDown: 3,
    lastJoinNonce: 2,
  },
  { id: 'valve-1', number: 3, mode: 'abp', fCntUp: 500, nFCntDown: 8 },
]
const IDS = FLEET.map(({ id }) => id)

const onSource = async (stage: Stage, id: string): Promise<readonly string[]> => {
  const held: string[] = []
  for (const registry of ['is', 'js', 'as', 'ns'] as const)
    if ((await stage.held('source', registry, id)) !== undefined) held.push(registry)
  return held
}

describe('a source that served its device', () => {
  scenario({
    promise: 'is deleted on AS, NS, JS and IS when the device was heard and the time has passed, not before',
    golden: 'deleted-after-heard',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 7d }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      stage.pass(8 * DAY)
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(await onSource(stage, 'meter-1')).toEqual(['is', 'js', 'as', 'ns'])
      for (const id of IDS) await expectServed(stage, id)
      await applied(stage, { waiting: 3 })
      expect(await onSource(stage, 'meter-1')).toEqual(['is', 'js', 'as', 'ns'])
      stage.pass(6 * DAY)
      expect(actions((await stage.plan()).changeSet)).toEqual({
        'meter-1': 'wait',
        'meter-11': 'wait',
        'valve-1': 'wait',
      })
      stage.pass(2 * DAY)
      await applied(stage, { migrated: 3 })
      for (const id of IDS) {
        expect(await onSource(stage, id)).toEqual([])
        await expectServed(stage, id)
      }
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'keeps everything but its root keys where it is never deleted, each of them replaced',
    golden: 'source-kept',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, deleteSource: never, preventRejoin: replace-root-keys }',
    ends: async (stage) => {
      const before = await stage.store('source')
      await applied(stage, { waiting: 3 })
      for (const id of IDS) await stage.device(id).uplink(stage.radio('target'), { confirmed: true })
      await applied(stage, { migrated: 3 })
      const after = await stage.store('source')
      expect(after.identityServer).toEqual(before.identityServer)
      expect(after.applicationServer).toEqual(before.applicationServer)
      for (const spec of FLEET.slice(0, 2)) {
        const keys = at(after.joinServer[`meters/${spec.id}`], 'root_keys')
        expect(at(keys, 'app_key', 'key')).toMatch(/^[0-9A-F]{32}$/)
        expect(at(keys, 'app_key', 'key')).not.toBe(keysOf(spec).appKey)
        if (spec.version === 'MAC_V1_1') expect(at(keys, 'nwk_key', 'key')).not.toBe(keysOf(spec).nwkKey)
        else expect(keys).not.toHaveProperty('nwk_key')
        await expectNoJoin(stage, spec.id)
      }
    },
  })

  scenario({
    promise: 'keeps its root keys too where re-joining is not prevented, and stays silent all the same',
    golden: 'rejoin-not-prevented',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, preventRejoin: none }',
    ends: async (stage) => {
      const { joinServer } = await stage.store('source')
      await applied(stage, { waiting: 3 })
      for (const id of IDS) await expectServed(stage, id)
      await applied(stage, { migrated: 3 })
      expect((await stage.store('source')).joinServer).toEqual(joinServer)
      await expectNoJoin(stage, 'meter-1')
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'is deleted before the target speaks with after-import, and the session goes on all the same',
    golden: 'kept-deleted-after-import',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, deleteSource: after-import }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const id of IDS) {
        expect(await onSource(stage, id)).toEqual([])
        await expectServed(stage, id)
      }
      await applied(stage, { migrated: 3 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

import { describe, expect } from 'vitest'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import {
  applied,
  at,
  expectServed,
  otherApplication,
  results,
  type Stage,
  scenario,
} from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}
/** The same EUIs and keys, and no session: nobody serves it. */
const { fCntUp: _up, nFCntDown: _down, ...UNUSED } = METER
const COMPLETE = 'policy: { persistSession: true, adopt: partial }'
const REGISTRIES = ['is', 'js', 'ns', 'as'] as const

const held = async (stage: Stage, side: 'source' | 'target', id: string): Promise<readonly string[]> => {
  const found = await Promise.all(REGISTRIES.map((registry) => stage.held(side, registry, id)))
  return REGISTRIES.filter((_, index) => found[index] !== undefined)
}

const refuse = (stage: Stage, path: string): Promise<unknown> =>
  call(stage.target, 'POST', '/simulator/v1/faults', {
    faults: [{ method: 'PUT', path, times: 1, do: { status: 400 } }],
  })

describe('a device that the source registered in part', () => {
  const HALVES: readonly DeviceSpec[] = [
    { id: 'without-as', number: 2, mode: 'otaa', lastJoinNonce: 3, without: ['as'] },
    { id: 'without-ns', number: 3, mode: 'otaa', lastJoinNonce: 3, without: ['ns'] },
    { id: 'only-keys', number: 4, mode: 'otaa', lastJoinNonce: 3, without: ['ns', 'as'] },
    { id: 'without-js', number: 5, mode: 'otaa', without: ['js'] },
    { id: 'unsaid', number: 6, mode: 'otaa', without: ['ns'] },
    { id: 'with-session', number: 7, mode: 'otaa', fCntUp: 9, without: ['as'] },
  ]
  const SET =
    '{ frequencyPlan: EU_863_870_TTN, lorawanVersion: MAC_V1_0_3, lorawanPhyVersion: PHY_V1_0_3_REV_A }'

  scenario({
    promise: 'is completed where its keys and the plan suffice to join anew; what can not be is told',
    golden: 'partial-on-source',
    fleet: HALVES,
    plan: `${COMPLETE}
devices: { include: [{ all: true }], overrides: [{ ids: [without-ns, only-keys], set: ${SET} }] }`,
    ends: async (stage, planned) => {
      for (const id of ['without-as', 'without-ns', 'only-keys'])
        expect(codes(planned, id)).toContain('PartialAdopted')
      for (const id of ['without-js', 'unsaid']) expect(codes(planned, id)).toEqual(['HalfRegistered'])
      expect(codes(planned, 'with-session')).toEqual(['SessionIncomplete'])
      const source = await stage.store('source')
      await applied(stage, { waiting: 3, blocked: 3 })
      for (const id of ['without-js', 'unsaid', 'with-session']) {
        expect(await held(stage, 'target', id)).toEqual([])
        for (const registry of ['networkServer', 'joinServer', 'applicationServer'] as const)
          expect((await stage.store('source'))[registry][`meters/${id}`]).toEqual(
            source[registry][`meters/${id}`],
          )
      }
      for (const id of ['without-as', 'without-ns', 'only-keys']) {
        expect(await held(stage, 'target', id)).toEqual(['is', 'js', 'ns', 'as'])
        expect(await stage.device(id).join(stage.air)).toMatchObject({ joined: true })
        await expectServed(stage, id)
      }
      // What the source lacked it lacks still.
      expect(await held(stage, 'source', 'without-as')).toEqual(['is', 'js', 'ns'])
      expect(await held(stage, 'source', 'without-ns')).toEqual(['is', 'js', 'as'])
      await applied(stage, { migrated: 3, blocked: 3 })
      for (const id of ['without-as', 'without-ns', 'only-keys'])
        expect(at(await stage.held('source', 'js', id), 'root_keys', 'app_key', 'key')).not.toBe(
          keysOf(HALVES.find((spec) => spec.id === id) as DeviceSpec).appKey,
        )
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'with a session is completed where it joins anew',
    fleet: HALVES.slice(5),
    plan: 'policy: { persistSession: false, adopt: partial }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(await stage.device('with-session').join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, 'with-session')
      await applied(stage, { migrated: 1 })
    },
  })
})

describe('a device that others registered on the target in part', () => {
  scenario({
    promise: 'with the same keys is completed, and what they registered is never taken back',
    golden: 'partial-completed',
    fleet: [METER],
    plan: COMPLETE,
    before: (stage) => register(stage.target, { ...METER, without: ['ns', 'as'] }),
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).toContain('PartialAdopted')
      await refuse(stage, '/ns/applications/meters/devices/meter-1')
      expect(results(await applied(stage, { failed: 1 }))).toEqual({ 'meter-1': 'InvalidField' })
      expect(await held(stage, 'target', 'meter-1')).toEqual(['is', 'js'])
      await expectServed(stage, 'meter-1', 'source')
      await applied(stage, { waiting: 1 })
      expect(await held(stage, 'target', 'meter-1')).toEqual(['is', 'js', 'ns', 'as'])
      await expectServed(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
    },
  })

  for (const [what, spec, code] of [
    ['with other keys', { strangeKeys: true, without: ['ns', 'as'] }, 'ForeignKeys'],
    ['and that it serves with a session', { without: ['as'] }, 'PartialOnTarget'],
  ] as const)
    scenario({
      promise: `${what} is left alone`,
      onBoth: true,
      fleet: [METER],
      plan: COMPLETE,
      before: (stage) => register(stage.target, { ...METER, ...spec }),
      ends: async (stage, planned) => {
        expect(codes(planned, 'meter-1')).toContain(code)
        const [source, target] = [await stage.store('source'), await stage.store('target')]
        expect((await stage.apply()).status).toBe('nothing-to-do')
        expect(await stage.store('source')).toEqual(source)
        expect(await stage.store('target')).toEqual(target)
        expect(
          await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true }),
        ).toMatchObject({
          downlinks: [{ ack: true }],
        })
      },
    })
})

describe('an orphan on the target, which its Identity Server does not know', () => {
  for (const registry of ['js', 'ns', 'as'] as const)
    scenario({
      promise: `in another application's ${registry} is found at that step, with its holder; the target is taken back`,
      fleet: [METER],
      plan: 'policy: { persistSession: true }',
      before: async (stage) => {
        const others = await otherApplication(stage.target, 'others')
        await register(others, {
          ...UNUSED,
          id: 'theirs',
          without: (['js', 'ns', 'as'] as const).filter((other) => other !== registry),
        })
        await call(others, 'DELETE', '/applications/others/devices/theirs')
      },
      ends: async (stage) => {
        const [source, target] = [await stage.store('source'), await stage.store('target')]
        const outcome = await applied(stage, { failed: 1 })
        const [device] = outcome.result.devices
        expect(device?.error).toMatchObject({
          code: 'EuisTaken',
          message: expect.stringMatching(/theirs.*others/),
        })
        expect(await held(stage, 'target', 'meter-1')).toEqual([])
        expect(await stage.store('target')).toEqual(target)
        expect((await stage.store('source')).networkServer).toEqual(source.networkServer)
        await expectServed(stage, 'meter-1', 'source')
        await call(stage.target, 'DELETE', `/${registry}/applications/others/devices/theirs`)
        await applied(stage, { waiting: 1 })
        await expectServed(stage, 'meter-1')
      },
    })

  scenario({
    promise: 'under the id of the device is told, and completed where the plan says so',
    golden: 'orphan-same-id',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    before: async (stage) => {
      await register(stage.target, { ...METER, without: ['ns', 'as'] })
      await call(stage.target, 'DELETE', '/applications/meters/devices/meter-1')
      expect(await held(stage, 'target', 'meter-1')).toEqual(['js'])
    },
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).toContain('PartialOnTarget')
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await stage.writePlan(COMPLETE)
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
    },
  })
})

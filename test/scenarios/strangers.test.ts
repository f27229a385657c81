import { describe, expect } from 'vitest'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import {
  applied,
  expectServed,
  otherApplication,
  results,
  type Scenario,
  type Stage,
  scenario,
} from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}
const VALVE: DeviceSpec = { id: 'valve-1', number: 2, mode: 'abp', fCntUp: 50, nFCntDown: 5 }
const PLAN = 'policy: { persistSession: true }'

/** A stranger on the target blocks the device: neither network is written to, and the source goes on serving it. */
const blocks = (
  promise: string,
  golden: string,
  code: string,
  before: NonNullable<Scenario['before']>,
  spec: DeviceSpec = METER,
): void =>
  scenario({
    promise,
    golden,
    fleet: [spec],
    plan: PLAN,
    before,
    ends: async (stage, planned) => {
      expect(codes(planned, spec.id)).toContain(code)
      const [source, target] = [await stage.store('source'), await stage.store('target')]
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(await stage.store('source')).toEqual(source)
      expect(await stage.store('target')).toEqual(target)
    },
  })

const onTarget =
  (spec: DeviceSpec) =>
  (stage: Stage): Promise<void> =>
    register(stage.target, spec)

describe('a device of others on the target is never touched', () => {
  blocks(
    'where it has the id and other EUIs',
    'foreign-id',
    'ForeignDevice',
    onTarget({ ...METER, number: 77 }),
  )
  blocks(
    'where it has the EUIs and another id',
    'foreign-euis',
    'EuisTaken',
    onTarget({ ...METER, id: 'theirs' }),
  )
  blocks(
    'where it has id and EUIs and other root keys',
    'foreign-keys',
    'ForeignKeys',
    onTarget({ ...METER, strangeKeys: true }),
  )
  blocks(
    'where an ABP device has other session keys',
    'foreign-session-keys',
    'ForeignKeys',
    onTarget({ ...VALVE, strangeKeys: true }),
    VALVE,
  )
  blocks(
    'where it is registered in part',
    'partial-on-target',
    'PartialOnTarget',
    onTarget({ ...METER, without: ['ns', 'as'] }),
  )

  scenario({
    promise:
      'where its EUIs are in another application: its holder is named before anything is tried [edge 5]',
    golden: 'held-elsewhere',
    seesAll: true,
    fleet: [METER, { ...METER, id: 'meter-2', number: 3 }],
    plan: PLAN,
    before: async (stage) => {
      await register(await otherApplication(stage.target, 'others'), { ...METER, id: 'theirs' })
    },
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked', 'meter-2': 'create' })
      expect(codes(planned, 'meter-1')).toContain('EuisTaken')
      await applied(stage, { blocked: 1, waiting: 1 })
    },
  })

  scenario({
    promise:
      'where its EUIs are in an application that the key may not see: found before the source is touched',
    golden: 'taken-elsewhere',
    fleet: [METER, { ...METER, id: 'meter-2', number: 3 }],
    plan: `${PLAN}\nrollout: { maxFailures: 1 }`,
    before: async (stage) => {
      const others = await otherApplication(stage.target, 'others')
      await register(others, { ...METER, id: 'theirs' })
    },
    ends: async (stage) => {
      const source = (await stage.store('source')).networkServer['meters/meter-1']
      const theirs = (await stage.store('target')).joinServer['others/theirs']
      const outcome = await applied(stage, { failed: 1, waiting: 1 })
      expect(results(outcome)).toEqual({ 'meter-1': 'EuisTaken', 'meter-2': 'waiting' })
      const { networkServer, joinServer, identityServer } = await stage.store('target')
      expect(Object.keys(identityServer).sort()).toEqual(['meters/meter-2', 'others/theirs'])
      expect(Object.keys(networkServer).sort()).toEqual(['meters/meter-2', 'others/theirs'])
      expect(joinServer['others/theirs']).toEqual(theirs)
      expect((await stage.store('source')).networkServer['meters/meter-1']).toEqual(source)
      await expectServed(stage, 'meter-2')
    },
  })
})

describe('a device that the target holds already', () => {
  scenario({
    promise: 'with the same keys and settings is adopted: recorded, and nothing is sent [edge 6]',
    golden: 'adopted',
    onBoth: true,
    fleet: [METER],
    plan: PLAN,
    before: (stage) =>
      register(stage.target, {
        ...METER,
        fCntUp: 400,
        identity: serverAddresses,
      }),
    ends: async (stage) => {
      const [source, target] = [await stage.store('source'), await stage.store('target')]
      await applied(stage, { adopted: 1 })
      expect(await stage.store('source')).toEqual(source)
      expect(await stage.store('target')).toEqual(target)
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'meter-1': 'done' })
    },
  })

  scenario({
    promise: 'with the same keys and other settings is updated, its session left alone [edge 8]',
    golden: 'updated',
    onBoth: true,
    fleet: [{ ...METER, name: 'Meter 1', classC: true }],
    plan: PLAN,
    before: (stage) => register(stage.target, { ...METER, fCntUp: 400, identity: serverAddresses }),
    ends: async (stage) => {
      const before = await stage.held('target', 'ns', 'meter-1')
      await applied(stage, { updated: 1 })
      const after = await stage.held('target', 'ns', 'meter-1')
      expect(after).toMatchObject({ supports_class_c: true, session: before?.['session'] as object })
      expect(await stage.held('target', 'is', 'meter-1')).toMatchObject({ name: 'Meter 1' })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

const serverAddresses = {
  network_server_address: '127.0.0.1',
  application_server_address: '127.0.0.1',
  join_server_address: '127.0.0.1',
}

describe('a device of the source that can not cross', () => {
  for (const without of [['ns'], ['as'], ['js'], ['js', 'ns', 'as']] as const)
    scenario({
      promise: `because it is not on ${without.join(', ')} is blocked, and the others cross`,
      ...(without.length === 3 ? { golden: 'half-registered' } : {}),
      fleet: [METER, { ...METER, id: 'half-1', number: 4, without }],
      plan: PLAN,
      ends: async (stage, planned) => {
        expect(codes(planned, 'half-1')).toEqual(['HalfRegistered'])
        const source = (await stage.store('source')).identityServer['meters/half-1']
        await applied(stage, { waiting: 1, blocked: 1 })
        expect((await stage.store('source')).identityServer['meters/half-1']).toEqual(source)
        expect(await stage.held('target', 'is', 'half-1')).toBeUndefined()
        await expectServed(stage, 'meter-1')
      },
    })

  scenario({
    promise: 'because somebody muted it before is blocked, and stays muted as it was',
    golden: 'muted-source',
    fleet: [{ ...METER, macSettings: { schedule_downlinks: false } }],
    plan: PLAN,
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).toEqual(['SourceMuted'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'because a join was accepted and not confirmed is blocked until its next uplink [edge 31]',
    golden: 'pending-session',
    fleet: [METER],
    plan: PLAN,
    before: async (stage) => {
      await stage.device('meter-1').join(stage.radio('source'))
    },
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).toEqual(['PendingSession'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await expectServed(stage, 'meter-1', 'source')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise:
      'because its kept DevAddr is of the block of others is blocked where gateways are not known to move',
    golden: 'address-not-covered',
    fleet: [METER],
    plan: `${PLAN}\ncoverage: { gateways: unknown }`,
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).toEqual(['DevAddrNotCovered'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

describe('an application without devices', () => {
  scenario({
    promise: 'is nothing to do, and no state file is made [edge 77]',
    golden: 'empty',
    fleet: [],
    plan: PLAN,
    ends: async (stage, planned) => {
      expect(planned.devices).toEqual([])
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await expect(stage.stateText()).rejects.toThrow('ENOENT')
    },
  })
})

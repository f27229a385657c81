import { describe, expect } from 'vitest'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import { applied, expectServed, remove, type Side, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}
const VALVE: DeviceSpec = { id: 'valve-1', number: 2, mode: 'abp', fCntUp: 100, nFCntDown: 5 }
const KEEPING = 'policy: { persistSession: true, preventRejoin: none }'

/** An apply that is killed at the n-th write on a network. */
const killedAt = async (stage: Stage, side: Side, nth: number): Promise<void> => {
  let writes = 0
  await expect(
    stage.applyThrough({
      network: (network, which) =>
        which !== side
          ? network
          : {
              ...network,
              write: async (write) => {
                writes += 1
                if (writes >= nth) throw new Error('killed')
                await network.write(write)
              },
            },
    }),
  ).rejects.toThrow('killed')
}

describe('a device that somebody deleted on the target', () => {
  scenario({
    promise: 'after it was let go with its session is blocked: what the session counted there is lost',
    golden: 'vanished-session',
    fleet: [METER, VALVE],
    plan: KEEPING,
    before: async (stage) => {
      await applied(stage, { waiting: 2 })
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1, waiting: 1 })
      for (const id of ['meter-1', 'valve-1']) await remove(stage, 'target', id)
    },
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked', 'valve-1': 'blocked' })
      expect(codes(planned, 'meter-1')).toContain('VanishedFromTarget')
      await stage.writePlan(
        'devices: { include: [{ all: true }], overrides: [{ ids: [meter-1], policy: { persistSession: false } }, { ids: [valve-1], policy: { resetFrameCounters: true } }] }\n' +
          KEEPING,
      )
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'meter-1': 'create', 'valve-1': 'create' })
      await applied(stage, { waiting: 2 })
      expect(await stage.device('meter-1').join(stage.air)).toBeDefined()
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1, waiting: 1 })
    },
  })

  scenario({
    promise:
      'after it joined there is created again with a JoinNonce above any that it can have seen [edge 45]',
    fleet: [{ ...METER, version: 'MAC_V1_0_4' }],
    plan: 'policy: { persistSession: false, preventRejoin: none }',
    ends: async (stage) => {
      const device = stage.device('meter-1')
      await applied(stage, { waiting: 1 })
      for (let join = 0; join < 3; join++) expect((await device.join(stage.air)).joined).toBe(true)
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await remove(stage, 'target', 'meter-1')
      expect(codes((await stage.plan()).changeSet, 'meter-1')).toContain('VanishedFromTarget')
      await applied(stage, { waiting: 1 })
      expect((await device.join(stage.air)).joined).toBe(true)
    },
  })

  for (const [when, side, nth] of [
    ['while its source was not stopped yet', 'source', 1],
    ['while its source was silent and it was muted', 'target', 5],
  ] as const)
    scenario({
      promise: `${when} is created again by the next run [edge 9]`,
      fleet: [METER],
      plan: KEEPING,
      ends: async (stage) => {
        await killedAt(stage, side, nth)
        expect(await stage.held('target', 'ns', 'meter-1')).toBeDefined()
        await remove(stage, 'target', 'meter-1')
        await applied(stage, { waiting: 1 })
        await expectServed(stage, 'meter-1')
        await applied(stage, { migrated: 1 })
      },
    })

  scenario({
    promise: 'in part, while it was muted, is completed by the next run',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await killedAt(stage, 'target', 5)
      await call(stage.target, 'DELETE', '/as/applications/meters/devices/meter-1')
      await applied(stage, { waiting: 1 })
      expect(await stage.held('target', 'as', 'meter-1')).toBeDefined()
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'after the root keys of its source were replaced is blocked: its own are in the escrow',
    golden: 'vanished-keys-replaced',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    onBoth: true,
    before: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await remove(stage, 'target', 'meter-1')
    },
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked' })
      expect(codes(planned, 'meter-1')).toContain('VanishedFromTarget')
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

describe('a device that somebody deleted on the source', () => {
  scenario({
    promise: 'after it was let go is done once the target has heard it: nothing is left to retire',
    fleet: [METER],
    plan: 'policy: { persistSession: true, deleteSource: after-heard }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await remove(stage, 'source', 'meter-1')
      await expectServed(stage, 'meter-1')
      await applied(stage, { waiting: 1 }, { allow: { 'source-shrunk': 1 } })
      await expectServed(stage, 'meter-1')
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'meter-1': 'done' })
    },
  })

  scenario({
    promise: 'while it was crossing is blocked, and the guard refuses an application that lost its devices',
    golden: 'source-gone',
    fleet: [METER],
    plan: KEEPING,
    onBoth: true,
    before: async (stage) => {
      await killedAt(stage, 'target', 5)
      await remove(stage, 'source', 'meter-1')
    },
    ends: async (stage, planned) => {
      expect(codes(planned, 'meter-1')).toEqual(['SourceGone'])
      await expect(stage.apply()).rejects.toMatchObject({ kind: 'blocked', code: 'GuardRefused' })
      expect((await stage.apply({ allow: { 'source-shrunk': 1 } })).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'before the source was stopped is blocked too, and other devices cross [edge 79]',
    fleet: [METER, { ...METER, id: 'meter-2', number: 5 }],
    plan: `${KEEPING}\nrollout: { maxConcurrency: 1, maxFailures: 5 }`,
    onBoth: true,
    ends: async (stage) => {
      await killedAt(stage, 'source', 1)
      await remove(stage, 'source', 'meter-1')
      const { changeSet } = await stage.plan()
      expect(actions(changeSet)).toEqual({ 'meter-1': 'blocked', 'meter-2': 'create' })
      expect(codes(changeSet, 'meter-1')).toEqual(['SourceGone'])
      await applied(stage, { waiting: 1, blocked: 1 }, { allow: { 'source-shrunk': 1 } })
      await expectServed(stage, 'meter-2')
      await register(stage.source, METER)
    },
  })
})

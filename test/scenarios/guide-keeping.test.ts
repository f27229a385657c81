import { expect } from 'vitest'
import { guide } from '../support/guide.ts'
import {
  expectAllJoin,
  expectAllServed,
  expectAllSilent,
  expectCarried,
  expectDeleted,
  expectGroupsMoved,
  expectHearing,
  expectStopped,
  JOINING_ANEW,
  KEEPING,
} from '../support/guide-ends.ts'
import {
  EVERY,
  FIRST_RUN,
  FIXED,
  GROUP_IDS,
  GROUPS,
  JOINING,
  KINDS,
  LAST_RUN,
  SENDING,
} from '../support/kinds.ts'
import { actions, codes } from '../support/migration.ts'
import { applied, at, type Stage } from '../support/scenario.ts'

const KEPT = SENDING.filter((id) => id !== 'never-joined')

/** Some uplinks on the source, so that device and network have agreed on more than they began with. */
const live = async (stage: Stage): Promise<void> => {
  for (const id of KEPT)
    for (let uplinks = 0; uplinks < 3; uplinks++)
      expect(await stage.device(id).uplink(stage.radio('source')), id).toMatchObject({
        accepted: true,
        missed: [],
      })
}

/** The device that never joined joins the target; all others go on there with their sessions. */
const expectServedOn = async (stage: Stage): Promise<void> => {
  expect(await stage.device('never-joined').join(stage.air)).toMatchObject({ joined: true })
  await expectAllServed(stage, SENDING)
  await expectHearing(stage, ['class-b', 'class-c'])
}

const expectNothingLeft = async (stage: Stage): Promise<void> => {
  expect((await stage.apply()).status).toBe('nothing-to-do')
}

/** Deleted on the source, held and served by the target, answered by the target alone. */
const expectMovedAndDeleted = async (stage: Stage): Promise<void> => {
  const before = await stage.store('source')
  await applied(stage, FIRST_RUN)
  await expectDeleted(stage, EVERY)
  await expectCarried(stage, before, EVERY, KEEPING)
  await expectServedOn(stage)
  await applied(stage, LAST_RUN)
  await expectAllSilent(stage, SENDING)
  await expectGroupsMoved(stage)
  await expectNothingLeft(stage)
}

guide({
  cells: ['A1c', 'A3c', 'A5c', 'A8c'],
  promise: 'every kind goes on with its session on the target, and the stopped source answers none',
  golden: 'guide-keeping',
  fleet: KINDS,
  plan: 'policy: { persistSession: true }\ncoverage: { gateways: moving-now }',
  before: live,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, EVERY, KEEPING)
    await expectServedOn(stage)
    await applied(stage, LAST_RUN)
    await expectStopped(stage, before, SENDING)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    await expectNothingLeft(stage)
  },
})

guide({
  cells: ['A2c', 'A4c'],
  promise: 'every kind is deleted on the source before it is on the target, where its session goes on',
  golden: 'guide-keeping-delete-first',
  fleet: KINDS,
  plan: 'policy: { persistSession: true, handover: delete-first }',
  before: live,
  ends: expectMovedAndDeleted,
})

guide({
  cells: ['A4c'],
  promise:
    'within one deployment nothing but delete-first is accepted, and every kind goes on with its session',
  golden: 'guide-keeping-one-deployment',
  fleet: KINDS,
  oneNetwork: true,
  refuses: [
    { plan: 'policy: { persistSession: true }', code: 'SameDeployment' },
    { plan: 'policy: { persistSession: true, deleteSource: after-import }', code: 'SameDeployment' },
  ],
  plan: 'policy: { persistSession: true, handover: delete-first }',
  before: live,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectDeleted(stage, EVERY)
    await expectCarried(stage, before, EVERY, KEEPING)
    await expectServedOn(stage)
    await applied(stage, LAST_RUN)
    await expectGroupsMoved(stage)
    await expectNothingLeft(stage)
  },
})

guide({
  cells: ['A4c'],
  promise: 'every kind is deleted on the source before the target answers it',
  golden: 'guide-keeping-after-import',
  fleet: KINDS,
  plan: 'policy: { persistSession: true, deleteSource: after-import }',
  before: live,
  ends: expectMovedAndDeleted,
})

guide({
  cells: ['A2c'],
  promise: 'one device is tried alone, and then all others go the same way',
  golden: 'guide-keeping-one-first',
  fleet: KINDS,
  plan: 'policy: { persistSession: true }\ndevices: { include: [{ ids: [otaa-103] }] }',
  before: live,
  ends: async (stage, planned) => {
    expect(actions(planned)['otaa-103']).toBe('create')
    const before = await stage.store('source')
    await applied(stage, { waiting: 1 })
    await expectCarried(stage, before, ['otaa-103'], KEEPING)
    await expectAllServed(stage, ['otaa-103'])
    const others = EVERY.filter((id) => id !== 'otaa-103')
    expect(Object.keys((await stage.store('target')).identityServer)).toEqual(['meters/otaa-103'])
    await applied(stage, { migrated: 1 })
    await expectAllSilent(stage, ['otaa-103'])
    await stage.writePlan('policy: { persistSession: true }')
    const rest = await stage.store('source')
    await applied(stage, { waiting: SENDING.length - 1, migrated: GROUPS.length + 1 })
    await expectCarried(stage, rest, others, KEEPING)
    await expectServedOn(stage)
    await applied(stage, LAST_RUN)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    await expectNothingLeft(stage)
  },
})

guide({
  cells: ['A6c'],
  promise: 'devices with fixed keys keep their RX1 delay, where all others are asked for that of the target',
  golden: 'guide-keeping-rx1-target',
  fleet: KINDS,
  plan: 'policy: { persistSession: true, rx1Delay: target }',
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, EVERY, { ...KEEPING, rx1Delay: 'target' })
    await expectServedOn(stage)
    // Setting up channels goes first where it needs a frame of its own.
    for (let uplinks = 0; uplinks < 4; uplinks++) await expectAllServed(stage, SENDING)
    for (const id of FIXED) expect(stage.device(id).rx1Delay, id).toBe(1)
    for (const id of JOINING) expect(stage.device(id).rx1Delay, id).toBe(5)
    await applied(stage, LAST_RUN)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
  },
})

guide({
  cells: ['A6c'],
  promise: 'devices with fixed keys are asked for another RX1 delay only where they are said to obey',
  golden: 'guide-keeping-rx1-number',
  fleet: KINDS,
  plan: 'policy: { persistSession: true, rx1Delay: 7 }',
  blocks: Object.fromEntries(FIXED.map((id) => [id, 'Rx1DelayNeedsObedience'])),
  ends: async (stage) => {
    await stage.writePlan(`policy: { persistSession: true, rx1Delay: 7 }
devices: { include: [{ all: true }], overrides: [{ match: "abp-*", set: { obeysRxTimingSetup: true } }] }`)
    await applied(stage, FIRST_RUN)
    await expectServedOn(stage)
    for (let uplinks = 0; uplinks < 4; uplinks++) await expectAllServed(stage, SENDING)
    for (const id of SENDING) expect(stage.device(id).rx1Delay, id).toBe(7)
    await applied(stage, LAST_RUN)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
  },
})

guide({
  cells: ['A7c'],
  promise:
    'every kind that keeps its DevAddr waits until its gateways move too; groups need those of the target anyway',
  golden: 'guide-keeping-coverage-unknown',
  fleet: KINDS,
  plan: 'policy: { persistSession: true }\ncoverage: { gateways: unknown }',
  blocks: Object.fromEntries(KEPT.map((id) => [id, 'DevAddrNotCovered'])),
  ends: async (stage) => {
    await stage.writePlan('policy: { persistSession: true }\ncoverage: { gateways: packet-broker }')
    for (const id of KEPT) expect(codes((await stage.plan()).changeSet, id)).toEqual(['DevAddrNotCovered'])
    await expectAllServed(stage, KEPT, 'source')
    await stage.writePlan('policy: { persistSession: true }\ncoverage: { gateways: moving-now }')
    await applied(stage, FIRST_RUN)
    await expectServedOn(stage)
    await applied(stage, LAST_RUN)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
  },
})

guide({
  cells: ['A9c'],
  promise:
    'a plan has to say whether sessions are kept; those that can join do so anew beside those that keep theirs',
  golden: 'guide-keeping-fixed-alone',
  fleet: KINDS,
  refuses: [{ plan: 'policy: {}', code: 'MissingField' }],
  plan: `policy: { persistSession: false }
devices: { include: [{ all: true }], overrides: [{ match: "abp-*", policy: { persistSession: true } }] }`,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    await expectCarried(stage, before, [...FIXED, ...GROUP_IDS], KEEPING)
    await expectAllJoin(stage, JOINING)
    await expectAllServed(stage, FIXED)
    await applied(stage, LAST_RUN)
    await expectStopped(stage, before, SENDING)
    await expectGroupsMoved(stage)
    expect(at(await stage.held('target', 'ns', 'abp-16-bit'), 'mac_settings')).toMatchObject({
      supports_32_bit_f_cnt: false,
    })
  },
})

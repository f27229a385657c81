import { expect } from 'vitest'
import { antennaOf } from '../../src/simulator/index.ts'
import { keysOf } from '../support/fleet.ts'
import { guide } from '../support/guide.ts'
import {
  expectAllJoin,
  expectAllServed,
  expectAllSilent,
  expectCarried,
  expectDeleted,
  expectGroupsMoved,
  expectProgrammed,
  expectResets,
  expectStopped,
  JOINING_ANEW,
  KEEPING,
  RESETTING,
  specOf,
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
import { codes } from '../support/migration.ts'
import { applied, at, expectNoJoin, type Stage } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

/** From LoRaWAN 1.0.4 on counters may not be reset. */
const RESET = FIXED.filter((id) => id !== 'abp-104')

const blocked = (ids: readonly string[], code: string): Record<string, string> =>
  Object.fromEntries(ids.map((id) => [id, code]))

const devices = (...overrides: readonly string[]): string =>
  `devices: { include: [{ all: true }], overrides: [${overrides.join(', ')}] }`

const KEEP_FIXED = '{ match: "abp-*", policy: { persistSession: true } }'
const RESET_FIXED = `{ ids: [${RESET.join(', ')}], policy: { resetFrameCounters: true } }`
const REPROGRAM_104 = '{ ids: [abp-104], policy: { abp: reprogram } }'

const mute = (stage: Stage, id: string): Promise<unknown> =>
  call(stage.source, 'PUT', `/ns/applications/meters/devices/${id}`, {
    end_device: { ids: { device_id: id }, mac_settings: { schedule_downlinks: false } },
    field_mask: { paths: ['mac_settings.schedule_downlinks'] },
  })

const resetsOf = async (stage: Stage, ids: readonly string[]): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    await Promise.all(
      ids.map(async (id) => [id, at(await stage.held('target', 'ns', id), 'mac_settings', 'resets_f_cnt')]),
    ),
  )

guide({
  cells: ['A1d', 'A2d', 'A3d', 'A4d', 'A5d', 'A6d', 'A8d'],
  promise:
    'every kind that can join does so on the target; fixed keys are reset, or programmed from LoRaWAN 1.0.4 on',
  golden: 'guide-joining',
  fleet: KINDS,
  plan: `policy: { persistSession: false }
${devices(RESET_FIXED, REPROGRAM_104)}
coverage: { gateways: moving-now }`,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    await expectCarried(stage, before, RESET, RESETTING)
    await expectCarried(stage, before, GROUP_IDS, KEEPING)
    await expectAllJoin(stage, JOINING)
    expect(await resetsOf(stage, RESET)).toEqual(Object.fromEntries(RESET.map((id) => [id, true])))
    await expectResets(stage, RESET)
    await expectAllServed(stage, ['abp-104'], 'source')
    await expectProgrammed(stage, ['abp-104'])
    await applied(stage, LAST_RUN)
    // What the source had set for good is a setting like others.
    expect(await resetsOf(stage, RESET)).toEqual({
      ...Object.fromEntries(RESET.map((id) => [id, undefined])),
      'abp-resets': true,
    })
    await expectAllServed(stage, [...JOINING, ...RESET])
    await expectStopped(stage, before, [...JOINING, ...RESET])
    await expectAllSilent(stage, [...JOINING, ...RESET])
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

guide({
  cells: ['A1d'],
  promise:
    'devices with fixed keys are left alone until it is said what becomes of them, and all others join',
  golden: 'guide-joining-undecided',
  fleet: KINDS,
  plan: 'policy: { persistSession: false }',
  blocks: blocked(FIXED, 'AbpNeedsDecision'),
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, { waiting: JOINING.length, migrated: GROUPS.length, blocked: FIXED.length })
    await expectAllJoin(stage, JOINING)
    await applied(stage, { migrated: JOINING.length + GROUPS.length, blocked: FIXED.length })
    await expectStopped(stage, before, JOINING)
    await expectAllSilent(stage, JOINING)
    for (const id of FIXED) expect(await stage.held('target', 'is', id)).toBeUndefined()
    await expectAllServed(stage, FIXED, 'source')
    await expectGroupsMoved(stage)
  },
})

guide({
  cells: ['A2d'],
  promise: 'devices that somebody muted on the source are left alone until the plan says why, and then join',
  golden: 'guide-joining-muted-before',
  fleet: KINDS,
  plan: `policy: { persistSession: false }\n${devices(KEEP_FIXED)}`,
  before: async (stage) => {
    for (const id of EVERY) await mute(stage, id)
  },
  blocks: blocked(EVERY, 'SourceMuted'),
  ends: async (stage) => {
    await stage.writePlan(`policy: { persistSession: false, mutedSource: unmute }\n${devices(KEEP_FIXED)}`)
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    await expectCarried(stage, before, [...FIXED, ...GROUP_IDS], KEEPING)
    await expectAllJoin(stage, JOINING)
    await expectAllServed(stage, FIXED)
    await applied(stage, LAST_RUN)
    await expectStopped(stage, before, SENDING)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
  },
})

guide({
  cells: ['A4d', 'A8d'],
  promise:
    'every kind is deleted on the source once it is on the target, and joins when somebody switches it off and on',
  golden: 'guide-joining-after-import',
  fleet: KINDS,
  refuses: [
    {
      plan: 'policy: { persistSession: false, preventRejoin: none, rejoin: { trigger: source-downlink, fPort: 42 } }',
      code: 'ConflictingPolicy',
    },
  ],
  plan: `policy: { persistSession: false, deleteSource: after-import, rejoin: { trigger: manual } }
${devices(KEEP_FIXED)}`,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectDeleted(stage, EVERY)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    await expectCarried(stage, before, [...FIXED, ...GROUP_IDS], KEEPING)
    for (const id of JOINING) {
      stage.device(id).powerCycle()
      expect(stage.device(id).wantsJoin, id).toBe(true)
    }
    await expectAllJoin(stage, JOINING)
    await expectAllServed(stage, FIXED)
    await applied(stage, LAST_RUN)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

guide({
  cells: ['A4d'],
  promise: 'every kind is deleted on the source before it is on the target, and joins there or is reset',
  golden: 'guide-joining-delete-first',
  fleet: KINDS,
  oneNetwork: true,
  refuses: [{ plan: 'policy: { persistSession: false }', code: 'SameDeployment' }],
  plan: `policy: { persistSession: false, handover: delete-first }
${devices(RESET_FIXED, '{ ids: [abp-104], policy: { persistSession: true } }')}`,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectDeleted(stage, EVERY)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    await expectCarried(stage, before, RESET, RESETTING)
    await expectCarried(stage, before, ['abp-104', ...GROUP_IDS], KEEPING)
    await expectAllJoin(stage, JOINING, /^27/)
    await expectResets(stage, RESET)
    await expectAllServed(stage, ['abp-104'])
    await applied(stage, LAST_RUN)
    expect((await resetsOf(stage, RESET))['abp-103']).toBeUndefined()
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

guide({
  cells: ['A6d'],
  promise:
    'fixed keys get an address and keys of the target; the source serves the old ones until the new ones were heard',
  golden: 'guide-joining-reprogrammed',
  fleet: KINDS,
  refuses: [
    {
      plan: 'policy: { persistSession: false, abp: reprogram, deleteSource: after-import }',
      code: 'ReprogramKeepsSource',
    },
    {
      plan: 'policy: { persistSession: false, abp: reprogram, resetFrameCounters: true }',
      code: 'ConflictingPolicy',
    },
  ],
  plan: `policy: { persistSession: false, abp: reprogram, deleteSource: after-heard }
verify: { retireAfter: 0s }`,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    await expectAllJoin(stage, JOINING)
    await expectAllServed(stage, FIXED, 'source')
    await expectProgrammed(stage, FIXED)
    await applied(stage, LAST_RUN)
    await expectDeleted(stage, EVERY)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

guide({
  cells: ['A6d', 'A1d'],
  promise: 'fixed keys become root keys, and those devices join with all others',
  golden: 'guide-joining-to-otaa',
  fleet: KINDS,
  refuses: [{ plan: 'policy: { persistSession: false, abp: to-otaa }', code: 'JoinEuiMissing' }],
  plan: `policy: { persistSession: false, abp: to-otaa, deleteSource: after-heard }
${devices('{ match: "abp-*", set: { joinEui: "70B3D57ED0009009" } }')}
verify: { retireAfter: 0s }`,
  ends: async (stage) => {
    await applied(stage, FIRST_RUN)
    await expectAllJoin(stage, JOINING)
    await expectAllServed(stage, FIXED, 'source')
    await expectProgrammed(stage, FIXED)
    for (const id of FIXED)
      expect(at(await stage.held('target', 'js', id), 'ids')).toMatchObject({
        dev_eui: keysOf(specOf(id)).devEui,
        join_eui: '70B3D57ED0009009',
      })
    await applied(stage, LAST_RUN)
    await expectDeleted(stage, EVERY)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

guide({
  cells: ['A6d'],
  promise: 'counters are reset for devices with fixed keys below LoRaWAN 1.0.4 alone',
  golden: 'guide-joining-reset',
  fleet: KINDS,
  plan: 'policy: { persistSession: false, resetFrameCounters: true }',
  blocks: blocked([...JOINING, 'abp-104'], 'ResetNotPossible'),
  ends: async (stage) => {
    const before = await stage.store('source')
    const left = { blocked: JOINING.length + 1 }
    const members = ['class-b', 'class-c']
    for (const group of GROUP_IDS)
      expect(codes((await stage.plan()).changeSet, group)).toEqual(['GroupLeavesMembers'])
    await applied(stage, { waiting: RESET.length, migrated: GROUPS.length, ...left })
    await expectCarried(stage, before, RESET, RESETTING)
    await expectResets(stage, RESET)
    await applied(stage, { migrated: RESET.length + GROUPS.length, ...left })
    await expectStopped(stage, before, RESET)
    await expectAllSilent(stage, RESET)
    await expectAllServed(stage, [...members, 'abp-104'], 'source')
    await expectGroupsMoved(stage)
  },
})

guide({
  cells: ['A7d'],
  promise:
    'no gateway moves for devices with an address of the target; those that keep theirs wait for their gateways',
  golden: 'guide-joining-packet-broker',
  fleet: KINDS,
  plan: `policy: { persistSession: false }
${devices(RESET_FIXED, REPROGRAM_104)}
coverage: { gateways: packet-broker }`,
  blocks: blocked(RESET, 'DevAddrNotCovered'),
  ends: async (stage) => {
    const before = await stage.store('source')
    const left = { blocked: RESET.length }
    await applied(stage, { ...FIRST_RUN, waiting: SENDING.length - RESET.length, ...left })
    await expectAllJoin(stage, JOINING)
    await expectProgrammed(stage, ['abp-104'])
    await applied(stage, { migrated: KINDS.length - RESET.length, ...left })
    await expectAllServed(stage, RESET, 'source')
    const rest = await stage.store('source')
    await stage.writePlan(`policy: { persistSession: false }
${devices(RESET_FIXED, REPROGRAM_104)}
coverage: { gateways: moving-now }`)
    await applied(stage, { migrated: KINDS.length - RESET.length, waiting: RESET.length })
    await expectCarried(stage, rest, RESET, RESETTING)
    await expectResets(stage, RESET)
    await applied(stage, LAST_RUN)
    await expectStopped(stage, before, JOINING)
    await expectStopped(stage, rest, RESET)
    await expectAllSilent(stage, [...JOINING, ...RESET])
    await expectGroupsMoved(stage)
  },
})

/** Uplinks until the device has heard the downlink; one of class C may hear it in between. */
const hearTrigger = async (stage: Stage, id: string): Promise<void> => {
  const device = stage.device(id)
  const ports: (number | undefined)[] = []
  for (let uplinks = 0; uplinks < 6 && !ports.includes(42); uplinks++) {
    const { downlinks } = await device.uplink(stage.air)
    const { downlinks: heard } = device.hear(await antennaOf(stage.source).transmissions())
    ports.push(...[...downlinks, ...heard].map(({ fPort }) => fPort))
  }
  expect(ports, id).toContain(42)
}

guide({
  cells: ['A8d'],
  promise: 'a downlink of the source makes every kind join the target, and the source serves each until then',
  golden: 'guide-joining-triggered',
  fleet: KINDS,
  refuses: [
    {
      plan: 'policy: { persistSession: false, handover: delete-first, rejoin: { trigger: source-downlink, fPort: 42 } }',
      code: 'ConflictingPolicy',
    },
    {
      plan: 'policy: { persistSession: false, rejoin: { trigger: source-downlink } }',
      code: 'MissingField',
    },
  ],
  plan: `policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF" } }
${devices(KEEP_FIXED)}`,
  ends: async (stage) => {
    const before = await stage.store('source')
    await applied(stage, FIRST_RUN)
    await expectCarried(stage, before, JOINING, JOINING_ANEW)
    for (const id of JOINING) await expectNoJoin(stage, id)
    for (const id of JOINING.filter((each) => each !== 'never-joined')) await hearTrigger(stage, id)
    await applied(stage, FIRST_RUN)
    await expectAllJoin(stage, JOINING)
    await expectAllServed(stage, FIXED)
    await applied(stage, LAST_RUN)
    await expectStopped(stage, before, FIXED)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

guide({
  cells: ['A9d'],
  promise:
    'every kind that joins gets new root keys and EUIs, and is served by the source until it joins with them',
  golden: 'guide-joining-new-keys',
  fleet: KINDS,
  refuses: [
    {
      plan: `policy: { persistSession: false }
devices:
  include: [{ all: true }]
  overrides:
    - { ids: [otaa-102], set: { devEui: "70B3D57ED00F00F1" } }
    - { ids: [otaa-103], set: { devEui: "70B3D57ED00F00F1" } }`,
      code: 'DuplicateDevEui',
    },
  ],
  plan: `policy: { persistSession: false, rootKeys: generate, deleteSource: after-heard }
${devices(
  KEEP_FIXED,
  `{ ids: [${JOINING.join(', ')}], set: { joinEui: "70B3D57ED0009009" } }`,
  '{ ids: [otaa-102], set: { devEui: "70B3D57ED00F00F1" } }',
)}
verify: { retireAfter: 0s }`,
  ends: async (stage) => {
    await applied(stage, FIRST_RUN)
    await expectAllServed(
      stage,
      JOINING.filter((id) => id !== 'never-joined'),
      'source',
    )
    await expectProgrammed(stage, JOINING)
    expect(at(await stage.held('target', 'js', 'otaa-102'), 'ids')).toMatchObject({
      dev_eui: '70B3D57ED00F00F1',
      join_eui: '70B3D57ED0009009',
    })
    await expectAllServed(stage, FIXED)
    await applied(stage, LAST_RUN)
    await expectDeleted(stage, EVERY)
    await expectAllSilent(stage, SENDING)
    await expectGroupsMoved(stage)
    expect((await stage.apply()).status).toBe('nothing-to-do')
  },
})

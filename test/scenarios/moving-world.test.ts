import { describe, expect, it } from 'vitest'
import { walk } from '../../src/engine/run/walk.ts'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { openScene, type Scene, type Story, sample } from '../support/interruptions.ts'
import { counting, movingBefore } from '../support/ports-that-fail.ts'
import { promisesBroken } from '../support/promises.ts'
import { call, type TestNetwork } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}

interface Move {
  readonly what: string
  readonly move: (scene: Scene) => Promise<void>
  /** Whoever did that has to do more before a network answers the device again. */
  readonly needsPerson?: true
}

const ids = (spec: DeviceSpec): object => ({
  device_id: spec.id,
  dev_eui: keysOf(spec).devEui,
  join_eui: keysOf(spec).joinEui,
})

/** Whatever the network answers: by then it may not hold the device any more. */
const tried = async (
  network: TestNetwork,
  ...request: readonly [method: string, path: string, body?: object]
) =>
  void (await call(
    network,
    ...(request as Parameters<typeof call> extends [unknown, ...infer R] ? R : never),
  ).catch(() => undefined))

const MOVES: readonly Move[] = [
  {
    what: 'sends, and is answered',
    move: async ({ device, air }) => {
      for (let count = 0; count < 3; count++) {
        const { missed } = await device('meter-1').uplink(air, { confirmed: true })
        expect(missed, 'answers that it could not take').toEqual([])
      }
    },
  },
  {
    what: 'joins anew',
    move: async ({ device, air }) => {
      await device('meter-1').join(air)
      await device('meter-1').uplink(air)
    },
  },
  {
    what: 'is deleted on the source',
    needsPerson: true,
    move: async ({ migration: { source } }) => {
      for (const registry of ['/as', '/ns', '/js', ''])
        await tried(source, 'DELETE', `${registry}/applications/${source.application}/devices/meter-1`)
    },
  },
  {
    // As whoever changed it has to give it to the device, too.
    what: 'gets another AppKey on the source',
    needsPerson: true,
    move: ({ migration: { source } }) =>
      tried(source, 'PUT', `/js/applications/${source.application}/devices/meter-1`, {
        end_device: { ids: ids(METER), root_keys: { app_key: { key: 'F7'.repeat(16) } } },
        field_mask: { paths: ['root_keys.app_key.key'] },
      }),
  },
  {
    what: 'is registered on the target by others, under another id',
    needsPerson: true,
    move: ({ migration: { target } }) =>
      register(target, { ...METER, id: 'stranger' }).catch(() => undefined),
  },
  {
    what: 'is muted on the source by others',
    needsPerson: true,
    move: ({ migration: { source } }) =>
      tried(source, 'PUT', `/ns/applications/${source.application}/devices/meter-1`, {
        end_device: { ids: ids(METER), mac_settings: { schedule_downlinks: false } },
        field_mask: { paths: ['mac_settings.schedule_downlinks'] },
      }),
  },
]

const YEAR = 366 * 24 * 3_600_000

const CLOCKS: readonly Move[] = [
  { what: 'the clock goes back by a year', move: async ({ migration }) => migration.pass(-YEAR) },
  { what: 'the clock jumps ahead by a year', move: async ({ migration }) => migration.pass(YEAR) },
]

const STORIES: Readonly<Record<string, Story>> = {
  'whose session is kept': { fleet: [METER], plan: 'policy: { persistSession: true }' },
  'that is to join anew': {
    fleet: [METER],
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
  },
}

/** Keys that others changed are theirs to answer for; the escrow has those that were there before. */
const promisesHold = async ({ migration }: Scene, at: string): Promise<void> => {
  const broken = await promisesBroken(migration, METER)
  expect(
    broken.filter((text) => !isOfOthers(text)),
    at,
  ).toEqual([])
}

/** Before anything was done with it, a device that others delete or re-key is theirs to lose. */
const isOfOthers = (broken: string): boolean => broken.includes('neither a network nor the escrow')

/** Somebody looked at the preview, and lets the run go on without the device that is gone. */
const ALLOWED = { allow: { 'source-shrunk': 1 } }

const disturb = async (story: Story, { move, needsPerson }: Move, n: number, at: string): Promise<void> => {
  const scene = await openScene(story)
  const { migration } = scene
  try {
    await migration.applyThrough(movingBefore(n, () => move(scene)))
    await promisesHold(scene, at)
    // What is left is done, or waits for a person: no run undoes what another did, for ever.
    for (let run = 0; run < 3; run++) await migration.apply(ALLOWED)
    await promisesHold(scene, `${at}, more runs`)
    const last = await migration.stateText()
    await migration.apply(ALLOWED)
    expect(counted(await migration.stateText()), `${at}: lines of the state that one more run adds`).toBe(
      counted(last),
    )
    if (needsPerson !== true) await expectReachable(scene, at)
  } finally {
    await migration.close()
  }
}

const counted = (state: string): number =>
  state.split('\n').filter((line) => /"t":"(intent|begin|undone)"/.test(line)).length

/** One network takes what it sends; or a join, after which one does. */
const expectReachable = async ({ device, air }: Scene, at: string): Promise<void> => {
  const meter = device('meter-1')
  const sent = meter.session === undefined ? undefined : await meter.uplink(air, { confirmed: true })
  if (sent?.downlinks.some(({ ack }) => ack) === true) return
  const { joined } = await meter.join(air)
  expect(joined, `${at}: it is heard nowhere, and may not join`).toBe(true)
  expect((await meter.uplink(air, { confirmed: true })).downlinks.length, at).toBe(1)
}

describe.each(Object.entries(STORIES))('while a device crosses %s', (_name, story) => {
  it.each([...MOVES, ...CLOCKS])(
    'and $what, at any step: never two networks, and it comes to an end',
    async (one) => {
      const scene = await openScene(story)
      const { wrap, events } = counting()
      await scene.migration.applyThrough(wrap)
      await scene.migration.close()
      const failures: string[] = []
      const points = sample(
        events.map((_event, index) => index + 1),
        4,
      )
      await walk(points, 4, async (n) => {
        const at = `before event ${n} (${events[n - 1]})`
        await disturb(story, one, n, at).catch((error: unknown) => {
          failures.push(`${at}: ${error instanceof Error ? error.message : String(error)}`)
        })
      })
      expect(failures).toEqual([])
    },
    600_000,
  )
})

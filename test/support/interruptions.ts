import { describe, expect, it } from 'vitest'
import { walk } from '../../src/engine/run/walk.ts'
import {
  type NetworkAnswer,
  radioOf,
  type Send,
  type VirtualDevice,
} from '../../src/simulator/virtual-device.ts'
import { credentialsOf, differences, endOf, sessionStarts } from './ends.ts'
import { type DeviceSpec, register } from './fleet.ts'
import { type Migration, type MigrationOptions, startMigration, type Wrap } from './migration.ts'
import { counting, type EventKind, Killed, killedBefore, losing } from './ports-that-fail.ts'
import { brokenPromises } from './promises.ts'
import { virtualOf } from './scenario.ts'
import { type Store, storeOf } from './stack-api.ts'
import { type Flavour, startStateServer } from './state-server.ts'

/** A migration with its devices in the air. */
export interface Scene {
  readonly migration: Migration
  readonly device: (id: string) => VirtualDevice
  /** Heard by gateways of both networks; more than one answer breaks the promise. */
  readonly air: Send
  /** What applications sent to the devices and these heard: `port payload`. */
  readonly heard: string[]
}

export type Act = (scene: Scene, apply: number) => Promise<void>

/** A way across that is carried out, and interrupted at every point. */
export interface Story {
  readonly fleet: readonly DeviceSpec[]
  /** YAML after the harness's head. */
  readonly plan: string
  readonly options?: MigrationOptions
  /** State and escrow lie at a server of this kind, and a run that is killed takes all that its machine had with it. */
  readonly lostRunner?: Flavour
  /** What is there before the first apply, besides the fleet on the source. */
  readonly before?: Act
  /** What happens before each apply after the first. */
  readonly next?: readonly Act[]
  /** What happens between a run that was killed and the next; counters are not compared then. */
  readonly meanwhile?: Act
  /** Applies (0 first) after which there is more to do at once, for a cause lasts. */
  readonly unsettled?: readonly number[]
  /** New credentials are made: the target holds what the escrow gives. */
  readonly isReprogrammed?: true
  /** Holds after each run that was killed, besides the promises. */
  readonly always?: Act
  /** Holds in the end, besides that it is that of a run that was not interrupted. */
  readonly ends?: Act
}

/** One interruption: in which apply (0 first), and how. */
interface Point {
  readonly apply: number
  readonly n: number
  readonly how: 'killed' | 'lost before' | 'lost after'
}

const air =
  ({ source, target }: Migration): Send =>
  async (frame) => {
    if (source.url === target.url) return radioOf(source)(frame)
    const answers: readonly NetworkAnswer[] = [await radioOf(source)(frame), await radioOf(target)(frame)]
    const speaking = answers.filter((answer) => answer.downlinks.length > 0)
    expect(speaking.length, 'networks that answer one frame').toBeLessThanOrEqual(1)
    const [first] = [...speaking, ...answers.filter((answer) => answer.accepted), ...answers]
    return first ?? { accepted: false, downlinks: [] }
  }

export const openScene = async (story: Story): Promise<Scene> => {
  const remote = story.lostRunner === undefined ? {} : { remote: await startStateServer(story.lostRunner) }
  const migration = await startMigration({ ...story.options, ...remote })
  const devices = new Map(story.fleet.map((spec) => [spec.id, virtualOf(spec)]))
  const scene: Scene = {
    migration,
    device: (id) => devices.get(id) as VirtualDevice,
    air: air(migration),
    heard: [],
  }
  for (const spec of story.fleet) await register(migration.source, spec)
  const rollout = story.plan.includes('rollout:') ? '' : '\nrollout: { maxConcurrency: 1 }'
  await migration.writePlan(`${story.plan}${rollout}`)
  await story.before?.(scene, 0)
  return scene
}

const REGISTRIES = ['identityServer', 'joinServer', 'networkServer', 'applicationServer'] as const

const holds = (store: Store, key: string): boolean =>
  REGISTRIES.some((registry) => store[registry][key] !== undefined)

/** Promises 1 and 2 at this instant, and what a story asks for besides. */
const expectPromises = async (story: Story, scene: Scene, at: string): Promise<void> => {
  const { migration } = scene
  const [source, target] = [await storeOf(migration.source), await storeOf(migration.target)]
  const escrowed = await migration.escrowed()
  const isDeleteFirst = story.plan.includes('delete-first')
  for (const spec of story.fleet) {
    const key = `${migration.source.application}/${spec.id}`
    const targetKey = `${migration.target.application}/${spec.id}`
    const isWhole = spec.without === undefined
    expect(isWhole ? brokenPromises(source, target, key, spec, targetKey, escrowed) : [], at).toEqual([])
    if (isDeleteFirst) expect(holds(source, key) && holds(target, targetKey), `${at}: on both`).toBe(false)
  }
  if (story.isReprogrammed === true) await expectKnownKeys(story, migration, target, at)
  await story.always?.(scene, -1)
}

/** No network holds new keys that `ferry escrow credentials` would not give. */
const expectKnownKeys = async (
  { fleet, lostRunner }: Story,
  migration: Migration,
  target: Store,
  at: string,
): Promise<void> => {
  const text = await migration.stateText().catch(() => '')
  const credentials = text === '' && lostRunner === undefined ? [] : await credentialsOf(migration)
  for (const { id } of fleet) {
    const made = credentials.find(({ device }) => device === id)
    const key = `${migration.target.application}/${id}`
    const held = target.joinServer[key]?.['root_keys'] as { readonly app_key?: object } | undefined
    if (held !== undefined) expect(held.app_key, at).toEqual({ key: made?.rootKeys?.appKey.reveal() })
  }
}

const settle = async (story: Story, { migration }: Scene, index: number, at: string): Promise<void> => {
  if (story.unsettled?.includes(index) === true) return
  expect((await migration.apply()).status, `${at}: what is left`).toBe('nothing-to-do')
}

/** The whole course without an interruption: how it ends, and its events by apply. */
const undisturbed = async (
  story: Story,
): Promise<{ readonly end: unknown; readonly events: readonly (readonly EventKind[])[] }> => {
  const scene = await openScene(story)
  try {
    const starts = await sessionStarts(scene.migration)
    const events: (readonly EventKind[])[] = []
    for (const [index, act] of [undefined, ...(story.next ?? [])].entries()) {
      await act?.(scene, index)
      const counted = counting()
      await scene.migration.applyThrough(counted.wrap)
      events.push(counted.events)
      await settle(story, scene, index, `apply ${index}`)
    }
    await story.ends?.(scene, -1)
    return { end: await comparable(story, scene, starts), events }
  } finally {
    await scene.migration.close()
  }
}

const comparable = (story: Story, { migration }: Scene, starts: ReadonlySet<string>): Promise<unknown> =>
  endOf(migration, story.fleet, starts, {
    isCounted: story.meanwhile === undefined,
    isReprogrammed: story.isReprogrammed === true,
  })

const portsAt = (migration: Migration, { n, how }: Point): Wrap =>
  how === 'killed' ? killedBefore(n) : losing(migration, n, how === 'lost before' ? 'before' : 'after')

const interrupt = async (story: Story, point: Point, end: unknown): Promise<void> => {
  const at = `apply ${point.apply}, ${point.how}, event ${point.n}`
  const scene = await openScene(story)
  const { migration } = scene
  try {
    const starts = await sessionStarts(migration)
    for (const [index, act] of [undefined, ...(story.next ?? [])].entries()) {
      await act?.(scene, index)
      if (index !== point.apply) {
        await migration.apply()
        continue
      }
      const run = migration.applyThrough(portsAt(migration, point))
      if (point.how === 'killed') await expect(run, at).rejects.toThrow(Killed)
      else await run
      if (story.lostRunner !== undefined) await migration.loseRunner()
      await expectPromises(story, scene, at)
      await story.meanwhile?.(scene, index)
      await migration.apply()
      await expectPromises(story, scene, `${at}, second run`)
      await settle(story, scene, index, at)
    }
    await story.ends?.(scene, -1)
    const different = differences(await comparable(story, scene, starts), end)
    if (different.length > 0) throw new Error(`${at}: ${different.slice(0, 4).join('; ')}`)
  } catch (error) {
    throw error instanceof Error && !error.message.includes(at)
      ? new Error(`${at}: ${error.message}`, { cause: error })
      : error
  } finally {
    await migration.close()
  }
}

const pointsOf = ({ lostRunner }: Story, events: readonly (readonly EventKind[])[]): readonly Point[] =>
  events.flatMap((kinds, apply) => {
    const calls = lostRunner === undefined ? kinds.filter((kind) => kind === 'network') : []
    return [
      ...kinds.map((_, index): Point => ({ apply, n: index + 1, how: 'killed' })),
      ...calls.flatMap((_, index): readonly Point[] => [
        { apply, n: index + 1, how: 'lost before' },
        { apply, n: index + 1, how: 'lost after' },
      ]),
    ]
  })

/** In `npm test` each story takes so many points; FERRY_TEST_ALL=1 takes all (CONTRIBUTING.md). */
const SAMPLE = 8

/** Points at equal distances, from one that the seed chooses: the next seed takes the next ones. */
export const sample = <T>(points: readonly T[], size = SAMPLE): readonly T[] => {
  if (process.env['FERRY_TEST_ALL'] === '1' || points.length <= size) return points
  const step = points.length / size
  const first = Number(process.env['FERRY_TEST_SEED'] ?? 0) % Math.ceil(step)
  return Array.from({ length: size }, (_, index) => points[Math.floor(index * step) + first]).filter(
    (point) => point !== undefined,
  )
}

/** Registers a test for each story: it is interrupted wherever it can be, and ends as if it had not been. */
export const interruptions = (title: string, stories: Readonly<Record<string, Story>>): void => {
  describe(title, () => {
    it.each(Object.entries(stories))(
      '%s: loses nothing wherever it is killed or loses an answer, and a second run reaches the same end',
      async (_name, story) => {
        const { end, events } = await undisturbed(story)
        const points = pointsOf(story, events)
        const failures: string[] = []
        await walk(sample(points), 4, async (point) => {
          await interrupt(story, point, end).catch((error: unknown) => {
            failures.push(error instanceof Error ? error.message : String(error))
          })
        })
        expect(failures).toEqual([])
      },
      1_200_000,
    )
  })
}

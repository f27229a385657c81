import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { brokenPromises, lasting } from '../support/promises.ts'
import { storeOf } from '../support/stack-api.ts'
import type { Course } from './courses.ts'
import { countedOperations, type Ended, makeWorld, type Side, type World } from './world.ts'

/** Where a run is killed: at a request to a network, or at an operation on a file; counted from 1. */
export interface Point {
  /** Index in the course's acts. */
  readonly act: number
  readonly at: Side | 'file'
  readonly n: number
  readonly when: 'before' | 'after'
}

export const pointName = ({ act, at, n, when }: Point): string => `act ${act}, ${when} ${at} ${n}`

interface Counts {
  readonly source: number
  readonly target: number
  readonly file: number
}

/** A course that nobody interrupts: what is there after each of its acts, and how many points each has. */
export interface Whole {
  readonly ends: readonly unknown[]
  readonly codes: readonly (number | null)[]
  readonly counts: readonly Counts[]
}

const NONE: Counts = { source: 0, target: 0, file: 0 }

export const runWhole = async (course: Course): Promise<Whole> => {
  const world = await makeWorld(course)
  const folder = await mkdtemp(join(tmpdir(), 'ferry-crash-'))
  try {
    const ends: unknown[] = []
    const codes: (number | null)[] = []
    const counts: Counts[] = []
    for (const [index] of course.acts.entries()) {
      const before = await requestCounts(world, course)
      const file = join(folder, `count-${index}`)
      const ended = await perform(world, course, index, { hook: true, env: { FERRY_CRASH_COUNT: file } })
      const after = await requestCounts(world, course)
      codes.push(ended?.code ?? null)
      counts.push(
        ended === undefined
          ? NONE
          : {
              source: after.source - before.source,
              target: after.target - before.target,
              file: await countedOperations(file),
            },
      )
      ends.push(await endOf(world, course))
    }
    return { ends, codes, counts }
  } finally {
    await world.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const requestCounts = async (world: World, { oneNetwork }: Course): Promise<Omit<Counts, 'file'>> => ({
  source: (await world.requests('source')).length,
  target: oneNetwork === true ? 0 : (await world.requests('target')).length,
})

/** One act; undefined where devices act and the tool does not. */
const perform = async (
  world: World,
  course: Course,
  index: number,
  options: Parameters<World['run']>[1] = {},
): Promise<Ended | undefined> => {
  const act = course.acts[index]
  if (act === undefined) throw new Error(`no act ${index}`)
  if ('radio' in act) {
    await act.radio(world)
    return undefined
  }
  if (course.refuses !== undefined) await world.arm('target', course.refuses)
  return world.run([act.command, '--yes'], options)
}

/** Both stores, without what differs from run to run. */
const endOf = async ({ migration }: World, { hide = [] }: Course): Promise<unknown> =>
  JSON.parse(
    JSON.stringify([
      lasting(await storeOf(migration.source), hide),
      lasting(await storeOf(migration.target), hide),
    ]),
  )

/** All points of a course, in order. */
export const pointsOf = (whole: Whole): readonly Point[] =>
  whole.counts.flatMap((counts, act) =>
    (['source', 'target', 'file'] as const).flatMap((at) =>
      Array.from({ length: counts[at] }, (_, index) => index + 1).flatMap((n) =>
        (['before', 'after'] as const).map((when): Point => ({ act, at, n, when })),
      ),
    ),
  )

/**
 * Kills a run at one point and asks what the promises ask: keys on a network or in the escrow, never two networks, and
 * that a second run without any option comes to where a run comes that nobody killed.
 * @returns whether the run got to the point at all
 */
export const kill = async (course: Course, whole: Whole, point: Point): Promise<boolean> => {
  const world = await makeWorld(course)
  const { migration } = world
  try {
    for (let index = 0; index < point.act; index += 1) await perform(world, course, index)
    const ended = await perform(world, course, point.act, killing(world, point))
    if (ended?.signal !== 'SIGKILL') return false
    await world.disarm()
    const [source, target, escrowed] = [
      await storeOf(migration.source),
      await storeOf(migration.target),
      await migration.escrowed(),
    ]
    const [from, to] = [migration.source.application, migration.target.application]
    for (const spec of course.specs)
      expect(
        brokenPromises(source, target, `${from}/${spec.id}`, spec, `${to}/${spec.id}`, escrowed),
        pointName(point),
      ).toEqual([])
    const again = await perform(world, course, point.act)
    expect(again?.code, `${pointName(point)}: ${again?.output}`).toBe(whole.codes[point.act])
    expect(await endOf(world, course), pointName(point)).toEqual(whole.ends[point.act])
    await nothingTwice(world, course)
    return true
  } finally {
    await world.close()
  }
}

const killing = (world: World, { at, n, when }: Point): Parameters<World['run']>[1] =>
  at === 'file'
    ? { hook: true, env: { FERRY_CRASH_FILE_OPERATION: `${n}:${when}` } }
    : { onPid: (pid) => world.arm(at, { nth: n, times: 1, when, do: { kill: pid } }) }

/** A second push would queue a downlink twice, and a second create would be another device. */
const nothingTwice = async (world: World, { refuses, specs, acts }: Course): Promise<void> => {
  if (refuses !== undefined || acts.some((act) => 'command' in act && act.command === 'rollback')) return
  const { application } = world.migration.target
  const accepted = (await world.requests('target')).filter(({ status }) => status === 200)
  const creates = accepted.filter(
    ({ method, path }) => method === 'POST' && path === `/applications/${application}/devices`,
  )
  expect(creates.length, 'devices that were created').toBeLessThanOrEqual(specs.length)
  const pushes = (await world.requests('source')).filter(
    ({ path, status }) => status === 200 && path.endsWith('/down/push'),
  )
  expect(pushes.length, 'downlinks that were queued').toBeLessThanOrEqual(specs.length)
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { differences, endOf as endOfMigration } from '../support/ends.ts'
import { brokenPromises } from '../support/promises.ts'
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

interface Request {
  readonly method: string
  readonly path: string
}

/** What one act did, in order: its requests to each network, and how many operations on files. */
interface Done {
  readonly source: readonly Request[]
  readonly target: readonly Request[]
  readonly files: number
}

/** A course that nobody interrupts: what is there after each of its acts, and what each did. */
export interface Whole {
  readonly ends: readonly unknown[]
  readonly codes: readonly (number | null)[]
  readonly done: readonly Done[]
}

const NOTHING: Done = { source: [], target: [], files: 0 }

export const runWhole = async (course: Course): Promise<Whole> => {
  const world = await makeWorld(course)
  const folder = await mkdtemp(join(tmpdir(), 'ferry-crash-'))
  try {
    const ends: unknown[] = []
    const codes: (number | null)[] = []
    const done: Done[] = []
    for (const [index] of course.acts.entries()) {
      const before = await requestsOf(world, course)
      const file = join(folder, `count-${index}`)
      const ended = await perform(world, course, index, { hook: true, env: { FERRY_CRASH_COUNT: file } })
      const after = await requestsOf(world, course)
      codes.push(ended?.code ?? null)
      done.push(
        ended === undefined
          ? NOTHING
          : {
              source: after.source.slice(before.source.length),
              target: after.target.slice(before.target.length),
              files: await countedOperations(file),
            },
      )
      ends.push(await endOf(world, course))
    }
    return { ends, codes, done }
  } finally {
    await world.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const requestsOf = async (world: World, { oneNetwork }: Course): Promise<Omit<Done, 'files'>> => {
  return {
    source: await world.requests('source'),
    target: oneNetwork === true ? [] : await world.requests('target'),
  }
}

/** One act; undefined where devices act and the tool does not. */
export const perform = async (
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

/** What both networks hold, told so that two runs can be compared. */
export const endOf = (
  { migration, startedAt }: World,
  { specs, isReprogrammed = false }: Course,
): Promise<unknown> => endOfMigration(migration, specs, startedAt, { isReprogrammed })

/**
 * All points of a course, in order: before each request, after the effect of each one that has an effect, before each
 * operation on a file, and after the last. What is missing is there under another name: after a read, or after an
 * operation on a file, is before whatever comes next.
 */
export const pointsOf = (whole: Whole): readonly Point[] =>
  whole.done.flatMap(({ source, target, files }, act) => [
    ...requestPoints(act, 'source', source),
    ...requestPoints(act, 'target', target),
    ...Array.from(
      { length: files },
      (_, index): Point => ({ act, at: 'file', n: index + 1, when: 'before' }),
    ),
    ...(files === 0 ? [] : [{ act, at: 'file', n: files, when: 'after' } as const]),
  ])

const requestPoints = (act: number, at: Side, requests: readonly Request[]): readonly Point[] =>
  requests.flatMap(({ method }, index): readonly Point[] => [
    { act, at, n: index + 1, when: 'before' },
    ...(method === 'GET' ? [] : [{ act, at, n: index + 1, when: 'after' } as const]),
  ])

/**
 * Kills a run at one point and asks what the promises ask: keys on a network or in the escrow, never two networks, and
 * that a second run without any option comes to where a run comes that nobody killed.
 * @returns whether the run got to the point at all
 */
export const kill = async (course: Course, whole: Whole, point: Point): Promise<boolean> => {
  const world = await makeWorld(course)
  try {
    for (let index = 0; index < point.act; index += 1) await perform(world, course, index)
    const ended = await perform(world, course, point.act, killing(world, point))
    if (ended?.signal !== 'SIGKILL') return false
    await world.disarm()
    await promisesHold(world, course)
    const again = await perform(world, course, point.act)
    expect(again?.code, again?.output).toBe(whole.codes[point.act])
    none(differences(await endOf(world, course), whole.ends[point.act]))
    await nothingTwice(world, course)
    return true
  } finally {
    await world.close()
  }
}

/** Keys are on a network or in the escrow, and never do two networks serve a device. */
export const promisesHold = async ({ migration }: World, { specs }: Course): Promise<void> => {
  const [source, target, escrowed] = [
    await storeOf(migration.source),
    await storeOf(migration.target),
    await migration.escrowed(),
  ]
  const [from, to] = [migration.source.application, migration.target.application]
  for (const spec of specs)
    none(brokenPromises(source, target, `${from}/${spec.id}`, spec, `${to}/${spec.id}`, escrowed))
}

/** Tells each of them, where an assertion on a list would tell how many there are. */
export const none = (broken: readonly string[]): void => {
  if (broken.length > 0) throw new Error(broken.join('\n'))
}

const killing = (world: World, { at, n, when }: Point): Parameters<World['run']>[1] =>
  at === 'file'
    ? { hook: true, env: { FERRY_CRASH_FILE_OPERATION: `${n}:${when}` } }
    : { onPid: (pid) => world.arm(at, { nth: n, times: 1, when, do: { kill: pid } }) }

/** A second push would queue a downlink twice, and a second create would be another device. */
export const nothingTwice = async (world: World, { refuses, specs, acts }: Course): Promise<void> => {
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

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { differences, endOf as endOfMigration } from '../support/ends.ts'
import { brokenPromises } from '../support/promises.ts'
import { storeOf } from '../support/stack-api.ts'
import type { Course } from './courses.ts'
import { allCalls, type Call, pattern } from './fault-calls.ts'
import { traceOf } from './trace.ts'
import { countedOperations, type Ended, makeWorld, type Side, type World } from './world.ts'

interface Moment {
  /** Index in the course's acts. */
  readonly act: number
  readonly when: 'before' | 'after'
}

/** Where a run is killed: at a request to a network or at an operation on a file, by its number; counted from 1. */
interface NumberedPoint extends Moment {
  readonly at: Side | 'file'
  readonly n: number
}

/** Where many requests are under way at once, they are told apart by device and step. */
interface NamedPoint extends Moment {
  readonly at: Side
  readonly call: Pick<Call, 'method' | 'path' | 'nth'>
}

export type Point = NumberedPoint | NamedPoint

export const pointName = (point: Point): string =>
  'call' in point
    ? `act ${point.act}, ${point.when} ${point.at} ${point.call.method} ${point.call.path} ${point.call.nth}`
    : `act ${point.act}, ${point.when} ${point.at} ${point.n}`

interface Request {
  readonly method: string
  readonly path: string
}

interface Answered extends Request {
  readonly status: number
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
  /** Where killed runs left everything, and the next run was seen to reach its end. */
  readonly traces: Set<string>
}

const SIDES = ['source', 'target'] as const

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
    return { ends, codes, done, traces: new Set() }
  } finally {
    await world.close()
    await rm(folder, { recursive: true, force: true })
  }
}

type Requests = Readonly<Record<Side, readonly Answered[]>>

export const requestsOf = async (world: World, { oneNetwork }: Course): Promise<Requests> => ({
  source: await world.requests('source'),
  target: oneNetwork === true ? [] : await world.requests('target'),
})

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
  return world.run([act.command, '--yes', ...(act.args ?? [])], options)
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
export const pointsOf = ({ breaks }: Course, whole: Whole): readonly Point[] =>
  whole.done
    .flatMap((done, act) => (breaks?.includes(act) === false ? [] : [{ ...done, act }]))
    .flatMap(({ act, source, target, files }) => [
      ...requestPoints(act, 'source', source),
      ...requestPoints(act, 'target', target),
      ...Array.from(
        { length: files },
        (_, index): Point => ({ act, at: 'file', n: index + 1, when: 'before' }),
      ),
      ...(files === 0 ? [] : [{ act, at: 'file', n: files, when: 'after' } as const]),
    ])

/** All points of a course that makes many requests at once: each request of a named device, by what it asks for. */
export const namedPointsOf = (whole: Whole): readonly Point[] =>
  whole.done.flatMap((done, act) =>
    SIDES.flatMap((at) =>
      allCalls(done[at])
        .filter(({ path }) => /\/devices\/[^/]+/.test(path))
        .flatMap((call): readonly Point[] => moments(call).map((when) => ({ act, at, call, when }))),
    ),
  )

const moments = ({ method }: Request): readonly Moment['when'][] =>
  method === 'GET' ? ['before'] : ['before', 'after']

const requestPoints = (act: number, at: Side, requests: readonly Request[]): readonly Point[] =>
  requests.flatMap((request, index) => moments(request).map((when) => ({ act, at, n: index + 1, when })))

/**
 * Kills a run at one point and asks what the promises ask: keys on a network or in the escrow, never two networks, and
 * that a second run without any option comes to where a run comes that nobody killed.
 * @returns how far it was followed: the second run is left out where another kill left everything as this one did
 */
export const kill = async (
  world: World,
  course: Course,
  whole: Whole,
  point: Point,
): Promise<'not reached' | 'as another' | 'to the end'> => {
  const ended = await perform(world, course, point.act, killing(world, point))
  if (ended?.signal !== 'SIGKILL') return 'not reached'
  await world.disarm()
  await promisesHold(world, course)
  nothingTwice(course, await requestsOf(world, course), whole.done[point.act])
  const trace = `${point.act} ${await traceOf(world, course)}`
  if (whole.traces.has(trace)) return 'as another'
  const again = await perform(world, course, point.act)
  expect(again?.code, again?.output).toBe(whole.codes[point.act])
  none(differences(await endOf(world, course), whole.ends[point.act]))
  nothingTwice(course, await requestsOf(world, course), whole.done[point.act])
  whole.traces.add(trace)
  return 'to the end'
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

const killing = (world: World, point: Point): Parameters<World['run']>[1] => {
  const { at, when } = point
  if (at === 'file') return { hook: true, env: { FERRY_CRASH_FILE_OPERATION: `${point.n}:${point.when}` } }
  const met = 'call' in point ? { ...point.call, path: pattern(point.call.path) } : { nth: point.n }
  return { onPid: (pid) => world.arm(at, { ...met, times: 1, when, do: { kill: pid } }) }
}

const NOT_AGAIN = /^POST (\/applications\/[^/]+\/devices|.*\/down\/push)$/

/** A second push would queue a downlink twice, and a second create would be another device. */
const isOnce = ({ method, path }: Request): boolean => NOT_AGAIN.test(`${method} ${path}`)

/**
 * Of what may be done once, an act did no more than one that nobody interrupted.
 * @param hadEffect of a request, where its status does not tell
 */
export const nothingTwice = (
  { refuses }: Course,
  requests: Requests,
  undisturbed: Done = NOTHING,
  hadEffect = (request: Answered): boolean => request.status === 200,
): void => {
  // What a target refuses is tried again by every run.
  if (refuses !== undefined) return
  for (const side of SIDES) {
    const made = requests[side].filter((request) => isOnce(request) && hadEffect(request))
    const most = undisturbed[side].filter(isOnce).length
    if (made.length > most)
      throw new Error(`${made.length} creates and pushes on the ${side}, where ${most} do`)
  }
}

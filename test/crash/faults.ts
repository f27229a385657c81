import { differences } from '../support/ends.ts'
import { storeOf } from '../support/stack-api.ts'
import type { Course } from './courses.ts'
import { drawn } from './drawn.ts'
import { type Answered, type Call, callPlaces, occurrence, pattern } from './fault-calls.ts'
import { endOf, none, nothingTwice, perform, promisesHold, requestsOf, type Whole } from './kills.ts'
import type { Ended, Side, World } from './world.ts'

/** What goes wrong at one request; `lasts` where every later request to that network meets it too. */
interface Kind {
  readonly name: string
  readonly when: 'before' | 'after'
  readonly do: object
  readonly lasts?: true
}

const before = (name: string, action: object): Kind => ({ name, when: 'before', do: action })
const after = (name: string, action: object): Kind => ({ name, when: 'after', do: action })

/** Milliseconds; the command waits for one second. */
const FOREVER = 600_000

const KINDS: readonly Kind[] = [
  after('answer lost', { reset: true }),
  after('answer cut', { truncate: true }),
  // The connection ends well, the JSON does not.
  after('JSON cut', { status: 200, body: '{"ids":{"device_id":"met' }),
  after('proxy page after the effect', { html: 502 }),
  after('proxy page with 200 after the effect', { html: 200 }),
  after('504 after the effect', { status: 504 }),
  after('hangs after the effect', { hang: FOREVER }),
  before('hangs', { hang: FOREVER }),
  before('reset', { reset: true }),
  before('proxy page', { html: 502 }),
  before('proxy page with 200', { html: 200 }),
  before('429', { status: 429 }),
  before('429 with Retry-After', { status: 429, headers: { 'Retry-After': '1' } }),
  before('429 with x-rate-limit-retry', { status: 429, headers: { 'x-rate-limit-retry': '1' } }),
  before('429 with x-rate-limit-reset', { status: 429, headers: { 'x-rate-limit-reset': '1' } }),
  before('500', { status: 500 }),
  before('502', { status: 502 }),
  before('503', { status: 503 }),
  before('504', { status: 504 }),
  { ...before('401 from here on', { status: 401 }), lasts: true },
  { ...before('403 from here on', { status: 403 }), lasts: true },
]

/** A kind of fault at one request of one act. */
export interface Case extends Call {
  readonly act: number
  readonly side: Side
  readonly kind: Kind
}

export const caseName = ({ act, side, method, path, nth, kind }: Case): string =>
  `act ${act}, ${side} ${method} ${path} ${nth}, ${kind.name}`

/** Each distinct call of each act, at its first and its last occurrence, with each kind of fault. */
export const casesOf = (whole: Whole): readonly Case[] =>
  whole.done.flatMap((done, act) =>
    (['source', 'target'] as const).flatMap((side) =>
      callPlaces(done[side]).flatMap((place) => KINDS.map((kind): Case => ({ ...place, act, side, kind }))),
    ),
  )

/** Some kinds at each call, others with another seed: all of them at all calls take hours. */
export const someOf = (cases: readonly Case[], kinds: number, seed: number): readonly Case[] => {
  const places = cases.filter(({ kind }) => kind === KINDS[0])
  return places.flatMap(({ act, side, index }, place) =>
    drawn(
      cases.filter((one) => one.act === act && one.side === side && one.index === index),
      kinds,
      seed * 10_000 + place,
    ),
  )
}

/** Done, blocked, stale, partly done, credentials: what a run may end with whose network fails. */
const CODES = [0, 4, 5, 7, 9]
/** Milliseconds in which a run ends whose key is not accepted any more; an undisturbed one takes a second, on a busy machine several. */
const PROMPT = 20_000

/**
 * Carries out a course with one fault, and asks what the promises ask: a run that ends as documented, keys that are
 * safe, and that a second run without the fault comes to the end of an undisturbed one.
 */
export const withFault = async (world: World, course: Course, whole: Whole, given: Case): Promise<void> => {
  const { act, side, kind } = given
  const stood = await changed(world)
  await arm(world, given)
  const began = performance.now()
  const ended = await perform(world, course, act, { env: { FERRY_ANSWER_TIMEOUT: '1' } })
  if (ended === undefined) throw new Error(`act ${act} runs no command`)
  const isWritten = (await changed(world)) !== stood
  if (!CODES.includes(ended.code ?? -1) && (isWritten || !saysNoAnswer(ended)))
    throw new Error(`ended with ${ended.code}${isWritten ? ' after writes' : ''}: ${ended.output}`)
  if (/^\s+at .*:\d+:\d+/m.test(ended.output)) throw new Error(`a stack trace: ${ended.output}`)
  const disturbed = await world.requests(side)
  if (kind.lasts === true) endsAtOnce(ended, performance.now() - began, disturbed, given)
  else if (occurrence(disturbed, given) === undefined) throw new Error('the fault was not met')
  await world.disarm()
  await promisesHold(world, course)
  const again = await perform(world, course, act)
  if (again?.code !== whole.codes[act]) throw new Error(`then ended with ${again?.code}: ${again?.output}`)
  none(differences(await endOf(world, course), whole.ends[act]))
  const all = await requestsOf(world, course)
  // What was answered with a fault had its effect or not, whatever its status says.
  const struck = kind.lasts === true ? undefined : occurrence(all[side], given)
  nothingTwice(course, all, whole.done[act], (request) =>
    request === struck ? kind.when === 'after' : request.status === 200,
  )
}

/**
 * A preview that gets no answer that it can read ends with 1, "a network that does not answer": nothing was begun that
 * could be done in part, and what waits behind a page with status 200 is rather a wrong address than a weak network.
 */
const saysNoAnswer = ({ code, output }: Ended): boolean =>
  code === 1 && /^error: [A-Z][A-Za-z]+ /m.test(output)

/** What both networks hold, to tell whether a run wrote there at all. */
const changed = async ({ migration }: World): Promise<string> =>
  JSON.stringify([await storeOf(migration.source), await storeOf(migration.target)])

const arm = (world: World, { side, index, method, path, nth, kind }: Case): Promise<void> => {
  const fault = { when: kind.when, do: kind.do }
  if (kind.lasts === true) return world.arm(side, { ...fault, nth: index + 1, times: 1_000 })
  // Reads run side by side: by its number alone the fault would meet one call or another.
  return world.arm(side, { ...fault, method, path: pattern(path), nth, times: 1 })
}

/**
 * Requests that were under way when the first was refused. Within one network a preflight asks four servers, and whose the
 * key is, for both applications at once.
 */
const UNDER_WAY = 12

/** Identity, Join, Network and Application Server. */
const SERVERS = 4

const endsAtOnce = (
  { code, output }: Ended,
  took: number,
  disturbed: readonly Answered[],
  { index }: Case,
): void => {
  if (code !== 9) throw new Error(`ended with ${code}, not 9: ${output}`)
  if (took > PROMPT) throw new Error(`ended after ${Math.round(took)} ms: ${output}`)
  const further = disturbed.slice(index + 1)
  if (further.length > UNDER_WAY)
    throw new Error(`${further.length} more requests with a key that is not accepted`)
  const errors = output.split('\n').filter((line) => line.startsWith('error:'))
  const problems = errors.filter((line) => /^error: [A-Z][A-Za-z]+ /.test(line))
  // A preview asks each server and names each that refuses: they may be apart, and know other keys. A run that has
  // begun tells one problem, whatever the number of devices that meet it, and a word about those that wait meanwhile.
  const most = /^Plan /m.test(output) ? 1 : SERVERS
  const isRepeated = new Set(errors).size < errors.length
  if (problems.length === 0 || problems.length > most || isRepeated || errors.length > problems.length + 1)
    throw new Error(`${errors.length} errors were told: ${output}`)
}

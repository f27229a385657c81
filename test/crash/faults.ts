import type { Course } from './courses.ts'
import { endOf, none, nothingTwice, perform, promisesHold, type Whole } from './kills.ts'
import { differences } from '../support/ends.ts'
import { makeWorld, type Side } from './world.ts'

/** What goes wrong at one request; `lasts` where every later request to that network meets it too. */
interface Kind {
  readonly name: string
  readonly when: 'before' | 'after'
  readonly do: object
  readonly lasts?: true
}

const before = (name: string, action: object): Kind => ({ name, when: 'before', do: action })

const KINDS: readonly Kind[] = [
  { name: 'answer lost', when: 'after', do: { reset: true } },
  { name: 'answer cut', when: 'after', do: { truncate: true } },
  { name: 'proxy page after the effect', when: 'after', do: { html: 502 } },
  { name: '504 after the effect', when: 'after', do: { status: 504 } },
  before('reset', { reset: true }),
  before('proxy page', { html: 502 }),
  before('429', { status: 429 }),
  before('429 with Retry-After', { status: 429, headers: { 'Retry-After': '1' } }),
  before('429 with x-rate-limit-retry', { status: 429, headers: { 'x-rate-limit-retry': '1' } }),
  before('500', { status: 500 }),
  before('502', { status: 502 }),
  before('503', { status: 503 }),
  before('504', { status: 504 }),
  { ...before('401 from here on', { status: 401 }), lasts: true },
  { ...before('403 from here on', { status: 403 }), lasts: true },
]

/** A kind of fault at one request of one act; requests are counted from 1. */
export interface Case {
  readonly act: number
  readonly side: Side
  readonly n: number
  readonly kind: Kind
}

export const caseName = ({ act, side, n, kind }: Case): string => `act ${act}, ${side} ${n}, ${kind.name}`

/** Each distinct call of each act, at its first occurrence, with each kind of fault. */
export const casesOf = (whole: Whole): readonly Case[] =>
  whole.done.flatMap((done, act) =>
    (['source', 'target'] as const).flatMap((side) => {
      const calls = done[side].map(({ method, path }) => `${method} ${path}`)
      return calls.flatMap((call, index) =>
        calls.indexOf(call) < index ? [] : KINDS.map((kind): Case => ({ act, side, n: index + 1, kind })),
      )
    }),
  )

/** Done, blocked, stale, partly done, credentials: what a run may end with whose network fails. */
const CODES = [0, 4, 5, 7, 9]

/**
 * Carries out a course with one fault, and asks what the promises ask: a run that ends as documented, keys that are
 * safe, and that a second run without the fault comes to the end of an undisturbed one.
 */
export const withFault = async (course: Course, whole: Whole, given: Case): Promise<void> => {
  const { act, side, n, kind } = given
  const world = await makeWorld(course)
  try {
    for (let index = 0; index < act; index += 1) await perform(world, course, index)
    const earlier = (await world.requests(side)).length
    await world.arm(side, { nth: n, times: 1, when: kind.when, do: kind.do })
    if (kind.lasts) await world.arm(side, { nth: n + 1, times: 1_000, when: kind.when, do: kind.do })
    const ended = await perform(world, course, act)
    if (ended === undefined || !CODES.includes(ended.code ?? -1))
      throw new Error(`ended with ${ended?.code}: ${ended?.output}`)
    if (/^\s+at .*:\d+:\d+/m.test(ended.output)) throw new Error(`a stack trace: ${ended.output}`)
    if (kind.lasts === true) {
      const after = (await world.requests(side)).length - earlier - n
      if (ended.code !== 9) throw new Error(`ended with ${ended.code}, not 9: ${ended.output}`)
      if (after > 8) throw new Error(`${after} more requests with a key that is not accepted`)
    }
    await world.disarm()
    await promisesHold(world, course)
    const again = await perform(world, course, act)
    if (again?.code !== whole.codes[act]) throw new Error(`then ended with ${again?.code}: ${again?.output}`)
    none(differences(await endOf(world, course), whole.ends[act]))
    await nothingTwice(world, course)
  } finally {
    await world.close()
  }
}

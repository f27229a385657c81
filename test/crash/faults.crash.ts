import { describe, expect, it } from 'vitest'
import { AT_ONCE_WAITING, tryEach } from './attempts.ts'
import { CHOSEN } from './chosen.ts'
import { COURSES } from './courses.ts'
import { drawn } from './drawn.ts'
import { type Case, caseName, casesOf, someOf, withFault } from './faults.ts'
import { runWhole } from './kills.ts'
import { survived, told } from './tally.ts'

const { one: named, sample, seed } = CHOSEN
/** One way for each handover; a fault at a call does not depend on the kind of device. */
const NAMES = ['session-kept', 'joining-anew', 'joining-triggered', 'delete-first']

/** Kinds of faults that each call meets. */
const KINDS_EACH = 1

const chosen = (all: readonly Case[]): readonly Case[] => {
  if (named !== undefined) return all.filter((one) => caseName(one) === named)
  if (CHOSEN.all) return all
  return sample === undefined ? someOf(all, KINDS_EACH, seed) : drawn(all, sample, seed)
}

describe.each(COURSES.filter(({ name }) => NAMES.includes(name)))('$name', (course) => {
  const survives = it.runIf(CHOSEN.takes(course.name))
  survives('survives each fault of the network at each call', { timeout: 3_600_000 }, async () => {
    const whole = await runWhole(course)
    const all = casesOf(whole)
    const cases = chosen(all)
    const failures: string[] = []
    await tryEach(
      course,
      cases,
      async (world, one) => {
        await withFault(world, course, whole, one)
        survived('faults', 1)
      },
      (one, error) => failures.push(told(`${course.name}: ${caseName(one)}\n${String(error)}`)),
      AT_ONCE_WAITING,
    )
    process.stdout.write(`${course.name}: ${cases.length} faults, ${failures.length} failures\n`)
    expect(failures, failures.join('\n\n')).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { walk } from '../../src/engine/run/walk.ts'
import { CHOSEN } from './chosen.ts'
import { COURSES } from './courses.ts'
import { drawn } from './drawn.ts'
import { caseName, casesOf, withFault } from './faults.ts'
import { runWhole } from './kills.ts'
import { survived } from './tally.ts'

const { one: named, sample, seed } = CHOSEN
/** One way for each handover; a fault at a call does not depend on the kind of device. */
const NAMES = ['session-kept', 'joining-anew', 'joining-triggered', 'delete-first']

describe.each(COURSES.filter(({ name }) => NAMES.includes(name)))('$name', (course) => {
  const survives = it.runIf(CHOSEN.takes(course.name))
  survives('survives each fault of the network at each call', { timeout: 3_600_000 }, async () => {
    const whole = await runWhole(course)
    const all = casesOf(whole)
    const wanted = named === undefined ? all : all.filter((one) => caseName(one) === named)
    const cases = sample === undefined ? wanted : drawn(wanted, sample, seed)
    const failures: string[] = []
    await walk(cases, 3, async (one) => {
      try {
        await withFault(course, whole, one)
        survived('faults', 1)
      } catch (error) {
        failures.push(`${course.name}: ${caseName(one)}\n${String(error)}`)
      }
    })
    process.stdout.write(`${course.name}: ${cases.length} faults, ${failures.length} failures\n`)
    expect(failures, failures.join('\n\n')).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { tryEach } from './attempts.ts'
import { CHOSEN } from './chosen.ts'
import { COURSES } from './courses.ts'
import { diskCaseName, diskCasesOf, onFailingDisk } from './disk.ts'
import { drawn } from './drawn.ts'
import { runWhole } from './kills.ts'
import { survived, told } from './tally.ts'

const { one: named, sample, seed } = CHOSEN
/** One way that stops the source, one that has only the escrow for a while, and the way back. */
const NAMES = ['session-kept', 'delete-first', 'delete-first, taken back']
/** Of each course; each operation in three ways takes as long as all the kills. */
const DRAWN = 50

describe.each(COURSES.filter(({ name }) => NAMES.includes(name)))('$name', (course) => {
  const survives = it.runIf(CHOSEN.takes(course.name))
  survives('survives a disk that is full, read-only or broken', { timeout: 3_600_000 }, async () => {
    const whole = await runWhole(course)
    const all = diskCasesOf(whole)
    const wanted = named === undefined ? all : all.filter((one) => diskCaseName(one) === named)
    const cases = CHOSEN.all || named !== undefined ? wanted : drawn(wanted, sample ?? DRAWN, seed)
    const failures: string[] = []
    const codes: Record<number, number> = {}
    await tryEach(
      course,
      cases,
      async (world, one) => {
        const code = await onFailingDisk(world, course, whole, one)
        codes[code] = (codes[code] ?? 0) + 1
        survived('faults', 1)
      },
      (one, error) => failures.push(told(`${course.name}: ${diskCaseName(one)}\n${String(error)}`)),
    )
    process.stdout.write(
      `${course.name}: ${cases.length} failing disks, exit codes ${JSON.stringify(codes)}, ${failures.length} failures\n`,
    )
    expect(failures, failures.join('\n\n')).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { walk } from '../../src/engine/run/walk.ts'
import { COURSES } from './courses.ts'
import { kill, pointName, pointsOf, runWhole } from './kills.ts'
import { survived } from './tally.ts'

/** `FERRY_CRASH_CASE="delete-first: act 0, before source 12"` runs one alone. */
const [onlyCourse, onlyPoint] = (process.env['FERRY_CRASH_CASE'] ?? '').split(': ')

describe.each(COURSES.filter(({ name }) => onlyCourse === '' || onlyCourse === name))('$name', (course) => {
  it('survives a kill at every request and every operation on a file', { timeout: 3_600_000 }, async () => {
    const whole = await runWhole(course)
    const points = pointsOf(whole).filter(
      (point) => onlyPoint === undefined || pointName(point) === onlyPoint,
    )
    const failures: string[] = []
    let reached = 0
    await walk(points, 3, async (point) => {
      try {
        if (await kill(course, whole, point)) reached += 1
      } catch (error) {
        failures.push(
          `${course.name}: ${pointName(point)}\n${error instanceof Error ? error.message : String(error)}`,
        )
      }
    })
    survived('kills', reached - failures.length)
    process.stdout.write(`${course.name}: ${reached} of ${points.length} points\n`)
    expect(failures, failures.join('\n\n')).toEqual([])
    expect(reached, 'points that were reached').toBeGreaterThan(points.length * 0.9)
  })
})

import { expect } from 'vitest'
import { walk } from '../../src/engine/run/walk.ts'
import type { Course } from './courses.ts'
import { kill, type Point, pointName, pointsOf, runWhole } from './kills.ts'
import { survived } from './tally.ts'

/** Processes that run at once: two cores are busy with them and with the networks. */
const AT_ONCE = 3

/** Kills a run of the course at each chosen point, and tells all that went wrong at once, by names to run alone. */
export const surviveKills = async (
  course: Course,
  choose: (points: readonly Point[]) => readonly Point[],
): Promise<void> => {
  const whole = await runWhole(course)
  const points = choose(pointsOf(whole))
  const failures: string[] = []
  let reached = 0
  await walk(points, AT_ONCE, async (point) => {
    try {
      if (await kill(course, whole, point)) reached += 1
    } catch (error) {
      failures.push(`${course.name}: ${pointName(point)}\n${String(error)}`)
    }
  })
  survived('kills', reached)
  process.stdout.write(`${course.name}: ${reached} of ${points.length} points, ${failures.length} failures\n`)
  expect(failures, failures.join('\n\n')).toEqual([])
  expect(reached, 'points that were reached').toBeGreaterThanOrEqual(Math.floor(points.length * 0.9))
}

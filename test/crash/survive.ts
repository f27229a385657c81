import { expect } from 'vitest'
import { tryEach } from './attempts.ts'
import type { Course } from './courses.ts'
import { kill, namedPointsOf, type Point, pointName, pointsOf, runWhole } from './kills.ts'
import { survived, told } from './tally.ts'

/** Kills a run of the course at each chosen point, and tells all that went wrong at once, by names to run alone. */
export const surviveKills = async (
  course: Course,
  choose: (points: readonly Point[]) => readonly Point[],
): Promise<void> => {
  const whole = await runWhole(course)
  const points = choose(course.isConcurrent === true ? namedPointsOf(whole) : pointsOf(course, whole))
  const failures: string[] = []
  const ends = { 'not reached': 0, 'as another': 0, 'to the end': 0 }
  await tryEach(
    course,
    points,
    async (world, point) => {
      ends[await kill(world, course, whole, point)] += 1
    },
    (point, error) => failures.push(told(`${course.name}: ${pointName(point)}\n${String(error)}`)),
  )
  const reached = ends['as another'] + ends['to the end']
  survived('kills', reached)
  process.stdout.write(
    `${course.name}: ${reached} of ${points.length} points, ${ends['to the end']} different traces, ${failures.length} failures\n`,
  )
  expect(failures, failures.join('\n\n')).toEqual([])
  expect(reached, 'points that were reached').toBeGreaterThanOrEqual(Math.floor(points.length * 0.9))
}

import { describe, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { CONCURRENT, COURSES, FROM_FILE, FROM_V2 } from './courses.ts'
import { drawn } from './drawn.ts'
import { pointName } from './kills.ts'
import { surviveKills } from './survive.ts'

const { one, sample, seed } = CHOSEN

describe.each([...COURSES, ...FROM_FILE, ...FROM_V2])('$name', (course) => {
  it.runIf(CHOSEN.takes(course.name))(
    'survives a kill at every request and every operation on a file',
    { timeout: 3_600_000 },
    async () => {
      await surviveKills(course, (points) => {
        if (one !== undefined) return points.filter((point) => pointName(point) === one)
        return sample === undefined ? points : drawn(points, sample, seed)
      })
    },
  )
})

/** Of some thousands: with many requests under way, what else had happened at a point differs from run to run. */
const DRAWN = 70

describe.each(CONCURRENT)('$name', (course) => {
  it.runIf(CHOSEN.takes(course.name))(
    'survives a kill at a request of any device, drawn by seed',
    { timeout: 3_600_000 },
    async () => {
      await surviveKills(course, (points) =>
        one === undefined
          ? drawn(points, sample ?? DRAWN, seed)
          : points.filter((point) => pointName(point) === one),
      )
    },
  )
})

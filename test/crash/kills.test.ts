import { describe, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { CONCURRENT, COURSES, FROM_FILE, FROM_V2 } from './courses.ts'
import { drawn } from './drawn.ts'
import { surviveKills } from './survive.ts'

/** `npm run test:crash` takes every point; here a few of each course, others with another FERRY_TEST_SEED. */
const POINTS = 2
const { seed } = CHOSEN

describe(`kills drawn by seed ${seed}`, () => {
  it.each([...COURSES, ...FROM_FILE, ...FROM_V2, ...CONCURRENT])(
    '$name survives them [edge 84]',
    async (course) => {
      await surviveKills(course, (points) => drawn(points, POINTS, seed))
    },
  )
})

import { describe, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { COURSES } from './courses.ts'
import { drawn } from './drawn.ts'
import { pointName } from './kills.ts'
import { surviveKills } from './survive.ts'

const { one, sample, seed } = CHOSEN

describe.each(COURSES)('$name', (course) => {
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

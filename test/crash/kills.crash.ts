import { describe, it } from 'vitest'
import { COURSES } from './courses.ts'
import { drawn } from './drawn.ts'
import { pointName } from './kills.ts'
import { surviveKills } from './survive.ts'

/** `FERRY_CRASH_CASE="delete-first: act 0, before source 12"` runs one alone. */
const [onlyCourse, onlyPoint] = (process.env['FERRY_CRASH_CASE'] ?? '').split(': ')
/** So many points of each course, drawn by FERRY_TEST_SEED, instead of all. */
const sample = process.env['FERRY_CRASH_SAMPLE']
const seed = Number(process.env['FERRY_TEST_SEED'] ?? 1)

describe.each(COURSES.filter(({ name }) => onlyCourse === '' || onlyCourse === name))('$name', (course) => {
  it('survives a kill at every request and every operation on a file', { timeout: 3_600_000 }, async () => {
    await surviveKills(course, (points) => {
      if (onlyPoint !== undefined) return points.filter((point) => pointName(point) === onlyPoint)
      return sample === undefined ? points : drawn(points, Number(sample), seed)
    })
  })
})

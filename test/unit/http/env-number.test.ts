import { describe, expect, test } from 'vitest'
import { envNumber } from '../../../src/http/env-number.ts'

describe('a number that an environment variable gives', () => {
  test('is taken in its range, and the usual one where it is unset or empty', () => {
    expect(envNumber({ A: '7' }, 'A', 5, 10)).toBe(7)
    expect(envNumber({}, 'A', 5, 10)).toBe(5)
    expect(envNumber({ A: '' }, 'A', 5, 10)).toBe(5)
  })

  test.each(['0', '11', '-1', '1.5', '1e1', ' 3', 'five'])('%j is refused by its name', (given) => {
    expect(() => envNumber({ A: given }, 'A', 5, 10)).toThrow(
      expect.objectContaining({
        code: 'EnvironmentInvalid',
        kind: 'usage',
        message: expect.stringContaining('A'),
      }),
    )
  })
})

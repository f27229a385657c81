import { expect, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { brokenPlans } from './survive-mutations.ts'

const COUNT = 300
const { seed } = CHOSEN

it(`plans that somebody broke are refused with a code and a place, by seed ${seed}`, async () => {
  expect(await brokenPlans(seed * 1_000_000, COUNT)).toEqual([])
})

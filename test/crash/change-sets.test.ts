import { expect, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { brokenChangeSets } from './survive-change-sets.ts'

const { seed } = CHOSEN

it(`change sets that somebody broke or edited are refused as stale, by seed ${seed}`, () => {
  expect(brokenChangeSets(seed * 1_000_000, 300)).toEqual([])
})

import { expect, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { brokenChangeSets } from './survive-change-sets.ts'
import { survived } from './tally.ts'

const { one, seed } = CHOSEN
const first = one === undefined ? seed * 1_000_000 : Number(one)

it.runIf(CHOSEN.takes('change-sets'))('change sets that somebody broke or edited are refused', () => {
  const count = one === undefined ? 6_000 : 1
  const failures = brokenChangeSets(first, count)
  survived('mutations', count - failures.length)
  process.stdout.write(`change-sets from ${first}: ${count}, ${failures.length} failures\n`)
  expect(failures, failures.slice(0, 20).join('\n\n')).toEqual([])
})

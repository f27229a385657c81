import { expect, it } from 'vitest'
import { CHOSEN } from './chosen.ts'
import { brokenPlans } from './survive-mutations.ts'
import { survived } from './tally.ts'

const { one, seed } = CHOSEN
const COUNT = 6_000
const first = one === undefined ? seed * 1_000_000 : Number(one)

it.runIf(CHOSEN.takes('mutations'))('plans that somebody broke are refused', async () => {
  const count = one === undefined ? COUNT : 1
  const failures = await brokenPlans(first, count)
  survived('mutations', count - failures.length)
  process.stdout.write(`mutations from ${first}: ${count}, ${failures.length} failures\n`)
  expect(failures, failures.slice(0, 20).join('\n\n')).toEqual([])
})

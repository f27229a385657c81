import { describe, expect, it } from 'vitest'
import { EDGE_CASES } from './cases.ts'
import { edgeCasesPage, taggedTests } from './page.ts'

describe('docs/edge-cases.md', () => {
  it('has all 102 cases', () => {
    expect(EDGE_CASES).toHaveLength(102)
  })

  it('has a test for each that is built, and none for another', () => {
    const tests = taggedTests()
    const numbers = EDGE_CASES.flatMap(({ verdict }, index) => (verdict === 'not built' ? [] : [index + 1]))
    expect([...tests.keys()].sort((a, b) => a - b)).toEqual(numbers)
  })

  it('is what the names of the tests say (update it with vitest --update)', async () => {
    await expect(edgeCasesPage()).toMatchFileSnapshot('../../docs/edge-cases.md')
  })
})

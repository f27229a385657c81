import { describe, expect, test } from 'vitest'
import { ferry } from './support.ts'

const COMMANDS: readonly (readonly string[])[] = [
  ['init'],
  ['validate'],
  ['plan'],
  ['show'],
  ['apply'],
  ['status'],
  ['verify'],
  ['export'],
  ['escrow'],
  ['escrow', 'keygen'],
  ['escrow', 'list'],
  ['escrow', 'restore'],
  ['escrow', 'credentials'],
  ['state'],
  ['state', 'show'],
  ['state', 'unlock'],
  ['state', 'repair'],
  ['state', 'compact'],
  ['simulate'],
  ['demo'],
]

describe('help', () => {
  test('of the whole, with examples first and every exit code', async () => {
    const { code, stdout, stderr } = await ferry(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Examples:\n/)
    for (const exit of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 74, 130, 143])
      expect(stdout).toMatch(new RegExp(`^ +${exit}  \\w`, 'm'))
  })

  test.each(COMMANDS.map((words) => words.join(' ')))('of %s', async (words) => {
    const { code, stdout, stderr } = await ferry([...words.split(' '), '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Examples:\n {2}ferry /)
    expect(stdout).toContain(`Usage: ferry ${words}`)
  })

  test('the version', async () => {
    const { code, stdout } = await ferry(['--version'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
  })
})

describe('wrong usage ends with 64, one sentence and nothing on stdout', () => {
  test.each([
    '',
    'move plan.yaml',
    'plan',
    'plan a.yaml b.yaml',
    'plan a.yaml --format html',
    'plan a.yaml --force',
    'plan a.yaml -o ./a.yaml',
    'apply a.yaml --yes --allow deletes',
    'apply a.yaml --yes --allow everything=1',
    'apply a.yaml --yes --expect 12',
    'verify a.yaml --wait soon',
    'simulate --port none',
    'simulate --rate 0/1m',
    'escrow',
    'escrow restore a.yaml',
    'escrow credentials a.yaml',
    'escrow credentials a.yaml --format xml --stdout',
    'state unlock a.yaml',
    'show nowhere.changes',
    'validate',
    'init',
  ])('ferry %s', async (line) => {
    const { code, stdout, stderr } = await ferry(line === '' ? [] : line.split(' '))
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).not.toBe('')
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CELLS } from '../../src/plan/rules.ts'
import { type Guide, guidesIn } from '../support/guide.ts'
import { KINDS } from '../support/kinds.ts'

/** What becomes of a cell that concerns The Things Stack: scenarios that show it, codes that refuse what it rules out. */
interface Shown {
  readonly asks: string
  /** `file > promise` */
  readonly scenarios: readonly string[]
  readonly refusals: readonly string[]
}
/** A cell of a network that is not built yet. */
interface Later {
  readonly later: 'ttn-v2'
}

const folder = import.meta.dirname
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const cells = JSON.parse(read('guides.json')) as Readonly<Record<string, Shown | Later>>
const shown = Object.entries(cells).filter((entry): entry is [string, Shown] => !('later' in entry[1]))

/** Rows 1 to 9; column a and b are of V2, c and d of The Things Stack. */
const TABLE = Array.from({ length: 9 }, (_, row) =>
  ['a', 'b', 'c', 'd'].map((of) => `A${row + 1}${of}`),
).flat()
const isV2 = (cell: string): boolean => /[ab]$/.test(cell)

const scenarios = new Map<string, Guide>()
for (const file of readdirSync(folder).filter((name) => /^guide-.*\.test\.ts$/.test(name)))
  for (const guide of await guidesIn(() => import(/* @vite-ignore */ join(folder, file))))
    scenarios.set(`${basename(file, '.test.ts')} > ${guide.promise}`, guide)

const scenarioOf = (name: string): Guide => {
  const guide = scenarios.get(name)
  if (guide === undefined) throw new Error(`guides.json names a scenario that is not there: ${name}`)
  return guide
}

/** Codes that a scenario asserts: its test fails where one is not given. */
const codesOf = ({ refuses = [], blocks = {} }: Guide): readonly string[] => [
  ...refuses.map(({ code }) => code),
  ...Object.values(blocks),
]

const documented = new Set(
  [...read('../../docs/errors.md').matchAll(/^\| ([A-Z][A-Za-z0-9]*) \|/gm)].map(([, code]) => code),
)

const unique = (items: readonly string[]): readonly string[] => [...new Set(items)].sort()

describe('the table of the guides', () => {
  it('is known whole, and those of V2 wait for that network', () => {
    expect(Object.keys(cells)).toEqual(TABLE)
    expect(shown.map(([cell]) => cell)).toEqual(TABLE.filter((cell) => !isV2(cell)))
  })

  it('has the same cells as the rules of a plan', () => {
    expect(unique(Object.keys(CELLS))).toEqual(unique(shown.map(([cell]) => cell)))
  })

  it('is told by every scenario of the guides, and by no other', () => {
    const told = unique(
      [...scenarios].flatMap(([name, guide]) => guide.cells.map((cell) => `${cell} ${name}`)),
    )
    const listed = unique(shown.flatMap(([cell, entry]) => entry.scenarios.map((name) => `${cell} ${name}`)))
    expect(listed).toEqual(told)
  })
})

describe('the previews of the guides', () => {
  it('are those of the scenarios, one each', () => {
    const goldens = readdirSync(join(folder, 'golden')).filter((name) => name.startsWith('guide-'))
    expect([...scenarios.values()].map(({ golden }) => `${golden}.txt`).sort()).toEqual(goldens.sort())
  })
})

describe.each(shown)('cell %s', (_cell, entry) => {
  it('says what the guide asks', () => {
    expect(entry.asks).toMatch(/\S/)
  })

  it('has a scenario or a refusal', () => {
    expect(entry.scenarios.length + entry.refusals.length).toBeGreaterThan(0)
  })

  it('is shown for every kind of device, with its preview', () => {
    for (const name of entry.scenarios) {
      const guide = scenarioOf(name)
      expect(
        guide.fleet.map(({ id }) => id),
        name,
      ).toEqual(KINDS.map(({ id }) => id))
      expect(guide.golden, name).toMatch(/^guide-/)
    }
  })

  it('has refusals that are explained, and that a scenario of it asserts', () => {
    expect(entry.refusals.filter((code) => !documented.has(code))).toEqual([])
    expect(unique(entry.scenarios.flatMap((name) => codesOf(scenarioOf(name))))).toEqual(
      unique(entry.refusals),
    )
  })
})

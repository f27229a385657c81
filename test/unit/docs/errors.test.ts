import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codesIn, codesOfSources } from './codes.ts'

const text = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')

interface Row {
  readonly code: string
  readonly cells: readonly string[]
}

const rows: readonly Row[] = text
  .split('\n')
  .filter((line) => /^\| [A-Z][A-Za-z0-9]* \|/.test(line))
  .map((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    return { code: cells[0] ?? '', cells }
  })

const listed = rows.map(({ code }) => code)
const held = codesOfSources()

describe('docs/errors.md', () => {
  it('lists every code that a source holds', () => {
    const missing = [...held].filter(([code]) => !listed.includes(code))
    expect(missing.map(([code, files]) => `${code} (${files.join(', ')})`)).toEqual([])
  })

  it('lists no code that no source holds', () => {
    expect(listed.filter((code) => !held.has(code))).toEqual([])
  })

  it('lists each code once, with a meaning, what to do, and an exit code', () => {
    expect(listed.filter((code, index) => listed.indexOf(code) !== index)).toEqual([])
    const incomplete = rows.filter(
      ({ cells }) =>
        cells.length !== 4 ||
        cells.some((cell) => cell === '') ||
        !/^(?:-|\d{1,3}(?: or \d{1,3})?)$/.test(cells[3] ?? ''),
    )
    expect(incomplete).toEqual([])
  })

  it('gives each FerryError the exit code of its kind', async () => {
    const { EXIT_CODES } = await import('../../../src/cli/exit-codes.ts')
    const wrong = [...kindsOfSources()].flatMap(([code, kinds]) => {
      const cell = rows.find((row) => row.code === code)?.cells[3]
      return kinds.some((kind) => String(EXIT_CODES[kind as keyof typeof EXIT_CODES]) === cell)
        ? []
        : [`${code} is ${kinds.join(', ')}, and has ${cell}`]
    })
    expect(wrong).toEqual([])
  })
})

describe('codes of a source text', () => {
  it.each([
    ["code: 'Refused',", ['Refused']],
    ["new FerryError(\n    'stale',\n    'Locked',\n    `x`)", ['Locked']],
    ["new NetworkError('Redirected', x)", ['Redirected']],
    ["return refuse(\n  'Gone', x)", ['Gone']],
    ["defer(\n  context,\n  'Late', x)", ['Late']],
    ["const CODES = { a: 'DuplicateKey' }", ['DuplicateKey']],
    ["code: hex ? 'QuoteHex' : 'QuoteText'", ['QuoteHex', 'QuoteText']],
    ["line(2, 'Guards')", []],
    ["this.name = 'FerryError'", []],
  ])('%j', (source, codes) => {
    expect([...new Set(codesIn(source))].sort()).toEqual([...codes].sort())
  })
})

/** The kinds with which each code is thrown as a FerryError. */
const kindsOfSources = (): ReadonlyMap<string, readonly string[]> => {
  const kinds = new Map<string, string[]>()
  for (const [, files] of held) {
    for (const file of files) {
      const source = readFileSync(join(import.meta.dirname, '../../../src', file), 'utf8')
      for (const [, kind = '', code = ''] of source.matchAll(
        /new FerryError\(\s*'([a-z-]+)',\s*'([A-Z][A-Za-z0-9]*)'/g,
      )) {
        const known = kinds.get(code) ?? []
        if (!known.includes(kind)) kinds.set(code, [...known, kind])
      }
    }
  }
  return kinds
}

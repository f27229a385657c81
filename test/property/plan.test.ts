import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDiagnostic } from '../../src/plan/format-diagnostic.ts'
import { parsePlan } from '../../src/plan/parse-plan.ts'
import { matchesPattern } from '../../src/plan/select-devices.ts'

const folder = new URL('../../plans/', import.meta.url)
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))

const parse = (text: string) => parsePlan(text, { file: 'plan.yaml', folder: '/plans' })

/** Pieces that plans are made of, and that break them. */
const PIECES = [
  '\n',
  '  ',
  '\t',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '<<: ',
  '!!str ',
  '---\n',
  '|',
  '>',
  '? ',
  '~',
  'null',
  'true',
  '007',
  '1e3',
  '%',
  '@',
  '\\',
  '\u0000',
  '\uFEFF',
  'é',
  '🛰',
  '__proto__: ',
  'policy:\n',
]

interface Change {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat({ max: 12 }),
  insert: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })),
})

const changed = (text: string, changes: readonly Change[]): string =>
  changes.reduce((current, { at, remove, insert }) => {
    const from = Math.floor(at * current.length)
    return current.slice(0, from) + insert + current.slice(from + remove)
  }, text)

/** Base32, as API keys of The Things Stack are. */
const secretText = fc
  .string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'), minLength: 39, maxLength: 39 })
  .map((text) => `NNSXS.${text}.${text.slice(0, 30)}`)

describe('whatever a plan holds', () => {
  it('it ends in findings, each with a place in the text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        (text, changes) => {
          const input = changed(text, changes)
          const result = parse(input)
          const lines = input.split('\n')
          for (const { subject, message } of result.diagnostics) {
            expect(subject).toBeDefined()
            if (subject === undefined || !('line' in subject)) continue
            expect(subject.line).toBeGreaterThan(0)
            expect(subject.line).toBeLessThanOrEqual(lines.length)
            expect(subject.column).toBeGreaterThan(0)
            expect(subject.column).toBeLessThanOrEqual((lines[subject.line - 1] ?? '').length + 1)
            expect(message).not.toMatch(/undefined|NaN|\[object/)
          }
          expect(result.ok).toBe(result.diagnostics.every(({ severity }) => severity !== 'error'))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('no finding shows a key that was pasted where a reference belongs', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        secretText,
        fc.constantFrom(
          'apiKey: KEY',
          'apiKey: { env: KEY }',
          'apiKey: { KEY: a }',
          'apiKey: [KEY]',
          'apikey: KEY',
          'apiKey: "KEY',
          'apiKey:\n    KEY',
          'KEY',
          'application: KEY',
          'apiKey: { file: KEY }',
          'url: https://a:KEY@example.com',
          'url: KEY',
          'url: https://example.com/?key=KEY',
          'apiKey: &KEY a',
          'apiKey: *KEY',
          'apiKey: !KEY a',
          'network: KEY',
        ),
        fc.array(change, { maxLength: 3 }),
        (text, secret, form, changes) => {
          const pasted = text.replace(/apiKey: .*/, form.replaceAll('KEY', secret))
          const told = parse(changed(pasted, changes)).diagnostics.map(formatDiagnostic).join('\n')
          for (let from = 0; from + 12 <= secret.length; from++) {
            expect(told).not.toContain(secret.slice(from, from + 12))
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  it('the same text gives the same plan and digest', () => {
    for (const text of examples) expect(parse(text)).toEqual(parse(text))
  })
})

describe('patterns', () => {
  it('match as their regular expression does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 12 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(text, pattern, (id, glob) => {
        const expression = new RegExp(`^${glob.replaceAll('?', '.').replaceAll('*', '.*')}$`)
        expect(matchesPattern(id, glob)).toBe(expression.test(id))
      }),
      { numRuns: 2000 },
    )
  })
})

import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ROUTES, STEPS } from '../../../src/domain/journal.ts'
import { ESCROW_FILES } from '../../../src/escrow/folder.ts'
import { formatLines, headerOf, lineageOf } from '../../../src/state/format.ts'
import { factKinds, journalRecord, recordKinds } from './arbitraries.ts'
import { owner } from './support.ts'

type Node = { readonly [key: string]: unknown }

const schema = JSON.parse(
  readFileSync(new URL('../../../schemas/state.v1.json', import.meta.url), 'utf8'),
) as Node & { readonly definitions: { readonly [name: string]: Node } }
const validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema)

const lineOf = (record: Parameters<typeof formatLines>[1][number]): Record<string, unknown> =>
  JSON.parse(formatLines('', [record]).text)

const expectValid = (line: unknown): void => {
  expect(validate(line) ? undefined : { line, errors: validate.errors }).toBeUndefined()
}

const samplesOf = <T>(arbitrary: fc.Arbitrary<T>): readonly T[] =>
  fc.sample(arbitrary, { numRuns: 20, seed: 1 })

const lines: readonly Record<string, unknown>[] = [
  headerOf(lineageOf(owner), owner),
  headerOf(lineageOf(owner), owner, 12),
  ...Object.values(recordKinds).flatMap((kind) => samplesOf<Parameters<typeof lineOf>[0]>(kind)),
  ...Object.values(factKinds).flatMap((kind) =>
    samplesOf<Parameters<typeof fc.constant>[0]>(kind).map(
      (fact) => ({ t: 'fact', device: 'meter-1', fact }) as never,
    ),
  ),
].map(lineOf)

test('every kind of record that is written is in the schema', () => {
  for (const line of lines) expectValid(line)
  fc.assert(
    fc.property(journalRecord, (record) => expectValid(lineOf(record))),
    { numRuns: 200 },
  )
})

test('the schema has the steps of a crossing, all and no more', () => {
  expect(schema.definitions['step']?.['enum']).toEqual(STEPS)
})

test('the schema has the routes of a crossing, all and no more', () => {
  const properties = schema.definitions['begin']?.['properties'] as { readonly route: Node }
  expect(properties.route['enum']).toEqual(ROUTES)
})

test('a begin record as it was before there were other ways across is still valid', () => {
  const begin = {
    t: 'begin',
    device: 'meter-1',
    at: '2026-11-21T08:00:00Z',
    target: 'meter-1',
    route: 'session-kept',
  }
  expectValid(lineOf(begin as Parameters<typeof lineOf>[0]))
  for (const more of [
    { handover: 'stop-first' },
    { adopts: ['gateway-server'] },
    { becomes: { devEui: '1' } },
  ])
    expect(validate(lineOf({ ...begin, ...more } as never))).toBe(false)
})

test('the schema names the files that the escrow writes, each kind in its own fact', () => {
  const facts = schema.definitions['fact']?.['oneOf'] as readonly {
    readonly properties: { readonly file?: { readonly pattern: string } }
  }[]
  const patterns = facts.flatMap(({ properties }) => properties.file?.pattern ?? [])
  const names = ['A-000001-9f2c41d0.age', 'B-000012-9f2c41d0.age', 'new-000003-9f2c41d0.jsonl.age']
  for (const name of names) {
    expect(ESCROW_FILES.test(name)).toBe(true)
    expect(patterns.filter((pattern) => new RegExp(pattern).test(name))).toHaveLength(1)
  }
})

/** Every object in a line, as a path of keys. */
const objectsIn = (value: unknown, path: readonly string[] = []): readonly (readonly string[])[] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return [path, ...Object.entries(value).flatMap(([key, item]) => objectsIn(item, [...path, key]))]
}

const edited = (
  value: Record<string, unknown>,
  [key, ...rest]: readonly string[],
  edit: (object: Record<string, unknown>) => Record<string, unknown>,
): Record<string, unknown> =>
  key === undefined
    ? edit(value)
    : { ...value, [key]: edited(value[key] as Record<string, unknown>, rest, edit) }

test('a field that is not listed is refused, in every object of every kind of record', () => {
  for (const line of lines) {
    for (const path of objectsIn(line)) {
      for (const value of ['x', 1, { key: '00112233445566778899AABBCCDDEEFF' }]) {
        const more = edited(line, path, (object) => ({ ...object, appKey: value }))
        expect(validate(more) ? { accepted: more } : undefined).toBeUndefined()
      }
    }
  }
})

test('a line without one of its fields, or without its hash, is refused', () => {
  for (const line of lines) {
    for (const key of ['t', 'h']) {
      const { [key]: _, ...less } = line
      expect(validate(less)).toBe(false)
    }
  }
})

/** Places for text that neither a list of values nor a pattern bounds. */
const freeTexts = (node: unknown, path: string): readonly string[] => {
  if (typeof node !== 'object' || node === null) return []
  const { type, pattern } = node as Node
  const free = type === 'string' && pattern === undefined ? [path] : []
  return [...free, ...Object.entries(node).flatMap(([key, item]) => freeTexts(item, `${path}/${key}`))]
}

const openObjects = (node: unknown, path: string): readonly string[] => {
  if (typeof node !== 'object' || node === null) return []
  const { type, additionalProperties } = node as Node
  const open = type === 'object' && additionalProperties !== false ? [path] : []
  return [...open, ...Object.entries(node).flatMap(([key, item]) => openObjects(item, `${path}/${key}`))]
}

test('no record has a place for a secret: free text is for sentences and names, and these are all', () => {
  expect(freeTexts(schema.definitions, '')).toEqual([
    '/error/properties/message',
    '/error/properties/hint',
    '/header/properties/name',
    '/open/properties/command',
    '/begin/properties/because',
    '/fact/oneOf/8/properties/message',
  ])
  expect(openObjects(schema.definitions, '')).toEqual(['/fact/oneOf/7/properties/settings'])
})

test('no patterned text takes a key of 32 hex digits, but those that name things', () => {
  const key = '00112233445566778899AABBCCDDEEFF'
  const patterns: string[] = []
  JSON.stringify(schema, (name, value) => {
    if (name === 'pattern' && typeof value === 'string' && new RegExp(value).test(key)) patterns.push(value)
    return value
  })
  const naming = ['runId', 'path'].map((name) => schema.definitions[name]?.['pattern'])
  const properties = (name: string): Node => schema.definitions[name]?.['properties'] as Node
  const patternOf = (name: string, field: string) => (properties(name)[field] as Node)['pattern']
  expect([...new Set(patterns)].sort()).toEqual(
    [
      ...naming,
      patternOf('end', 'host'),
      patternOf('end', 'application'),
      patternOf('error', 'correlationId'),
      patternOf('open', 'tool'),
    ].sort(),
  )
})

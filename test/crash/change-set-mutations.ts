import { serialiseChangeSet } from '../../src/index.ts'
import { SAMPLES } from '../support/change-sets.ts'
import { everyWay } from '../support/change-sets-ways.ts'
import { HOSTILE_TEXTS } from './hostile-text.ts'
import { randomOf } from './random.ts'

interface Dice {
  readonly below: (n: number) => number
  readonly of: <T>(items: readonly T[]) => T
}

type Row = Record<string, unknown>

/** JSON as text: JavaScript could not write some of it itself. */
const JSON_TEXTS: readonly string[] = [
  'null',
  'true',
  '0',
  '-1',
  '[]',
  '{}',
  '[null]',
  '[{}]',
  '{"__proto__":{"polluted":true}}',
  '{"toJSON":1}',
  '"\\ud800"',
  ...[100, 20_000].map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  `"${'x'.repeat(5000)}"`,
  ...HOSTILE_TEXTS.map((text) => JSON.stringify(text)),
]

/** One field of a line, or of what one of its fields holds, gets another value. */
const withValue = (text: string, { below, of }: Dice): string => {
  const row = JSON.parse(text) as Row
  const inner = row[of(Object.keys(row))]
  const isHolder = typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0
  const holder = (isHolder && below(2) === 0 ? inner : row) as Row
  holder[of(Object.keys(holder))] = '@@'
  return JSON.stringify(row).replace('"@@"', () => of(JSON_TEXTS))
}

const edited = (text: string, change: (row: Row) => void): string => {
  const row = JSON.parse(text) as Row
  change(row)
  return JSON.stringify(row)
}

/** Changes of one line among the others, in place. */
const LINE_CHANGES: readonly ((lines: string[], at: number, dice: Dice) => void)[] = [
  (lines, at) => lines.splice(at, 1),
  (lines, at) => lines.splice(at, 0, lines[at] ?? ''),
  (lines, at, { below }) => {
    const other = below(lines.length)
    ;[lines[at], lines[other]] = [lines[other] ?? '', lines[at] ?? '']
  },
  (lines, at, { of }) => lines.splice(at, 0, of(['', ' ', '{}', 'null', '[]', '"a"'])),
  ...Array.from({ length: 4 }, () => (lines: string[], at: number, dice: Dice) => {
    lines[at] = withValue(lines[at] ?? '{}', dice)
  }),
  (lines, at, { of }) => {
    lines[at] = edited(lines[at] ?? '{}', (row) => delete row[of(Object.keys(row))])
  },
  (lines, at, { of }) => {
    lines[at] = edited(lines[at] ?? '{}', (row) => Object.assign(row, { [of(['x', 'expect'])]: null }))
  },
  (lines, _, { of }) => {
    const version = `"formatVersion":${of(JSON_TEXTS)}`
    lines[0] = (lines[0] ?? '').replace('"formatVersion":1', () => version)
  },
  (lines, _, { of }) => {
    const at = lines.length - 1
    const field = of(['digest', 'checksum', 'devices', 't'])
    lines[at] = edited(lines[at] ?? '{}', (row) => Object.assign(row, { [field]: of(['', 0, null]) }))
  },
  // harmless: the same values
  (lines, at) => {
    lines[at] = JSON.stringify(JSON.parse(lines[at] ?? '{}'), null, 1).replaceAll('\n', ' ')
  },
]

/** Changes that know nothing of lines. */
const BYTE_CHANGES: readonly ((bytes: Buffer, dice: Dice) => Buffer)[] = [
  (bytes, { below }) => {
    const at = below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
    return bytes
  },
  (bytes, { below }) => bytes.subarray(0, below(bytes.length)),
  (bytes, { below }) => bytes.subarray(1 + below(bytes.length - 1)),
  (bytes, { below, of }) => {
    const at = below(bytes.length)
    const piece = Buffer.from(of(['\u0000', '\u001b[2J', '\ufeff', '\u009b', '\n', '\r', '"', '{']))
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
  },
  (bytes) => Buffer.from(`\ufeff${bytes.toString()}`),
  (bytes) => Buffer.from(`\ufeff${bytes.toString()}`, 'utf16le'),
  // harmless: version control does it
  (bytes) => Buffer.from(bytes.toString().replaceAll('\n', '\r\n')),
]

/** Small ones, and one with every way across: large ones take time and tell nothing more. */
const ORIGINALS: readonly string[] = [...Object.values(SAMPLES).map((make) => make()), everyWay()]
  .filter(({ devices }) => devices.length <= 100)
  .map(serialiseChangeSet)

/** A saved change set that somebody has broken or edited, and as it was. The same for the same seed. */
export const brokenChangeSet = (seed: number): { readonly original: string; readonly bytes: Buffer } => {
  const random = randomOf(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const of = <T>(items: readonly T[]): T => items[below(items.length)] as T
  const dice = { below, of }
  const original = of(ORIGINALS)
  if (below(3) === 0) return { original, bytes: of(BYTE_CHANGES)(Buffer.from(original), dice) }
  const lines = original.trimEnd().split('\n')
  of(LINE_CHANGES)(lines, below(lines.length), dice)
  return { original, bytes: Buffer.from(`${lines.join('\n')}\n`) }
}

import { randomOf } from './random.ts'

interface Dice {
  readonly below: (n: number) => number
  readonly of: <T>(items: readonly T[]) => T
}

type Mutation = (text: string, dice: Dice) => string | Uint8Array

const HOSTILE = [
  'null',
  'true',
  '[]',
  '{}',
  '-1',
  '1e999',
  '.nan',
  '0x10',
  '2026-11-25',
  '!!js/function "x"',
  '!!binary "%%%"',
  '*nowhere',
  '"\\u001b[2J\\u0007"',
  '"a|b`c`<script>"',
  '"=cmd()"',
  "'\u0000'",
  '{ __proto__: { polluted: true } }',
  '<<',
  '[[[[[[]]]]]]',
]

const lines = (change: (lines: string[], dice: Dice) => void): Mutation => {
  return (text, dice) => {
    const list = text.split('\n')
    change(list, dice)
    return list.join('\n')
  }
}

const insertAt = (text: string, place: number, inserted: string): string =>
  text.slice(0, place) + inserted + text.slice(place)

const MUTATIONS: readonly Mutation[] = [
  lines((list, { below }) => list.splice(below(list.length), 1)),
  lines((list, { below }) => list.splice(below(list.length), 0, list[below(list.length)] ?? '')),
  lines((list, { below }) => list.splice(0, list.length, ...list.slice(0, below(list.length)))),
  lines((list, { below }) => {
    const [one, other] = [below(list.length), below(list.length)]
    const held = list[one] ?? ''
    list[one] = list[other] ?? ''
    list[other] = held
  }),
  lines((list, { below, of }) => {
    const at = below(list.length)
    list[at] = `${' '.repeat(below(9))}${of(['- ', '? ', ': ', '\t', ''])}${(list[at] ?? '').trim()}`
  }),
  lines((list, { below, of }) => {
    const at = below(list.length)
    list[at] = (list[at] ?? '').replace(/:.*$/, `: ${of(HOSTILE)}`)
  }),
  (text, { below, of }) =>
    insertAt(
      text,
      below(text.length),
      of(['\u0000', '\u001b[31m', '\u0007', '\u2028', '\ufeff', '\r', '\t']),
    ),
  (text, { below, of }) =>
    insertAt(text, below(text.length), of(['"', "'", '{', '[', '&a ', '*a', '#', '---\n'])),
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  (text) => Buffer.from(text, 'latin1'),
  (text, { below }) => {
    const bytes = Buffer.from(text)
    bytes[below(bytes.length)] = below(256)
    return bytes
  },
  (text, { below }) => Buffer.from(text).subarray(0, below(text.length)),
  (text, { below }) => `${text}\nx: ${'['.repeat(40 + below(80))}${']'.repeat(40 + below(80))}\n`,
  (text, { below }) => `${text}\nx: [&a b${', *a'.repeat(60 + below(100))}]\n`,
  (text, { below }) => `${text}\n#${'x'.repeat(below(4_096))}\n`,
]

/** A plan that somebody has broken: up to three mutations of a valid one. The same for the same seed. */
export const mutated = (plans: readonly string[], seed: number): Uint8Array => {
  const random = randomOf(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const of = <T>(items: readonly T[]): T => items[below(items.length)] as T
  let text = of(plans)
  for (let left = below(3); left >= 0; left -= 1) {
    const changed = of(MUTATIONS)(text, { below, of })
    // Bytes are the last word: they may be no text any more.
    if (typeof changed !== 'string') return changed
    text = changed
  }
  return Buffer.from(text)
}

import { diffLines } from 'diff'
import type { FieldChange } from '../domain/change-set.ts'
import type { Registry } from '../domain/device.ts'
import type { Json } from '../domain/json.ts'
import { harmless, harmlessLines, quoted } from './escape.ts'
import { isCompound, type Leaf, leaves, plainValue, sensitivityOf } from './shown.ts'
import { displayWidth } from './width.ts'
import { count, plural, reasonWords } from './words.ts'

/** One field as a reader sees it: `~ NS mac_settings.rx1_delay  1 s -> 5 s  (policy.rx1Delay)`. */
export interface FieldView {
  readonly symbol: '+' | '~' | '-' | '='
  readonly registry: Registry
  readonly path: string
  /** Old and new value in one text, or what is said instead of them. */
  readonly text: string
  readonly reason: string
  /** Lines of a text diff, or of the values within: `+ `, `- ` or two blanks, then the line. */
  readonly block: readonly string[]
}

/** How much of long values is shown. */
export interface Detail {
  /** Lines of a text diff. */
  readonly lines: number
  /** Values of an object, one line each, before only their number is told. */
  readonly values: number
}
export const BRIEF: Detail = { lines: 6, values: 4 }
export const FULL: Detail = { lines: 200, values: 400 }

/** The longest object or text that is written in one line. */
const INLINE = 120

const scalar = (path: string, value: Json): string => {
  if (typeof value === 'number' && /rx1_delay$/.test(path)) return `${value} s`
  if (typeof value === 'string') return value === '' ? '""' : quoted(value)
  return harmless(JSON.stringify(value))
}

const isLongText = (value: Json | undefined): value is string =>
  typeof value === 'string' && (value.includes('\n') || displayWidth(harmless(value)) > INLINE)

const inline = (value: Json, path = ''): string =>
  Array.isArray(value)
    ? `[${value.map((item) => inline(item)).join(', ')}]`
    : value !== null && typeof value === 'object'
      ? `{${Object.entries(value)
          .map(([name, item]) => `${harmless(name)}: ${inline(item, name)}`)
          .join(', ')}}`
      : scalar(path, value)

const cutLines = (lines: readonly string[], limit: number, indent = '  '): readonly string[] =>
  lines.length <= limit
    ? lines
    : [...lines.slice(0, limit), `${indent}... ${count(lines.length - limit)} more lines`]

/** The changed lines of a text with one line around them, cut to `limit` lines. */
const textDiff = (before: string, after: string, limit: number): readonly string[] => {
  const parts = diffLines(before.replace(/\r\n?/g, '\n'), after.replace(/\r\n?/g, '\n'))
  const out: string[] = []
  for (const [index, part] of parts.entries()) {
    const lines = harmlessLines(part.value.replace(/\n$/, ''))
    if (part.added || part.removed) {
      out.push(...lines.map((each) => `${part.added ? '+' : '-'} ${each}`))
    } else if (lines.length <= 2) out.push(...lines.map((each) => `  ${each}`))
    else {
      const first = index === 0 ? [] : [`  ${lines[0]}`]
      const last = index === parts.length - 1 ? [] : [`  ${lines.at(-1)}`]
      out.push(
        ...first,
        `  ... ${count(lines.length - first.length - last.length)} lines are the same`,
        ...last,
      )
    }
  }
  return cutLines(out, limit)
}

const sizeOf = (text: string): string => {
  const lines = harmlessLines(text.replace(/\n$/, '')).length
  return lines === 1
    ? `text of ${count(Array.from(text).length)} characters`
    : `text of ${count(lines)} lines`
}

interface Sides {
  readonly text: string
  readonly block: readonly string[]
}

const oneSide = (path: string, value: Json, sign: '+' | '-' | ' ', detail: Detail): Sides => {
  if (isLongText(value)) {
    const isWhole = detail.lines >= FULL.lines
    const lines = isWhole ? harmlessLines(value.replace(/\n$/, '')).map((each) => `${sign} ${each}`) : []
    return { text: `(${sizeOf(value)})`, block: cutLines(lines, detail.lines) }
  }
  if (!isCompound(value)) return { text: scalar(path, value), block: [] }
  const short = inline(value)
  const said = path === 'mac_state' && sign === '+' ? 'carried, ' : ''
  if (displayWidth(short) <= INLINE && !short.includes('\\n')) return { text: short, block: [] }
  const all = leaves(value)
  if (all.length > detail.values) {
    return { text: `(${said}${count(all.length)} ${plural(all.length, 'value', 'values')})`, block: [] }
  }
  return {
    text: `(${count(all.length)} ${plural(all.length, 'value', 'values')})`,
    block: all.map((leaf) => leafLine(leaf, sign)),
  }
}

const leafLine = ([path, value]: Leaf, sign: '+' | '-' | ' '): string =>
  `${sign} ${harmless(path)}: ${isLongText(value) ? `(${sizeOf(value)})` : scalar(path, value)}`

const bothSides = (path: string, before: Json, after: Json, detail: Detail): Sides => {
  if (isLongText(before) || isLongText(after)) {
    if (typeof before === 'string' && typeof after === 'string') {
      return { text: `(${sizeOf(before)} -> ${sizeOf(after)})`, block: textDiff(before, after, detail.lines) }
    }
  }
  if (!isCompound(before) || !isCompound(after)) {
    return {
      text: `${oneSide(path, before, '-', BRIEF).text} -> ${oneSide(path, after, '+', BRIEF).text}`,
      block: [],
    }
  }
  const short = `${inline(before)} -> ${inline(after)}`
  if (displayWidth(short) <= INLINE && !short.includes('\\n')) return { text: short, block: [] }
  return compoundDiff(before, after, detail)
}

const compoundDiff = (before: Json, after: Json, detail: Detail): Sides => {
  const was = new Map(leaves(before))
  const willBe = new Map(leaves(after))
  const paths = [...new Set([...was.keys(), ...willBe.keys()])].filter(
    (path) => JSON.stringify(was.get(path)) !== JSON.stringify(willBe.get(path)),
  )
  const block = paths.flatMap((path): readonly string[] => {
    const old = was.get(path)
    const next = willBe.get(path)
    if (typeof old === 'string' && typeof next === 'string' && (isLongText(old) || isLongText(next))) {
      return [`  ${harmless(path)}:`, ...textDiff(old, next, detail.lines)]
    }
    if (old === undefined && next !== undefined) return [leafLine([path, next], '+')]
    if (next === undefined && old !== undefined) return [leafLine([path, old], '-')]
    return [`~ ${harmless(path)}: ${scalar(path, old ?? null)} -> ${scalar(path, next ?? null)}`]
  })
  return {
    text: `(${count(paths.length)} of ${count(new Set([...was.keys(), ...willBe.keys()]).size)} values change)`,
    block: cutLines(block, Math.max(detail.values, detail.lines)),
  }
}

const symbolOf = (change: FieldChange): FieldView['symbol'] => {
  const sensitive = sensitivityOf(change)
  if (sensitive !== undefined)
    return sensitive === 'same' && change.verdict === 'write'
      ? '+'
      : ({ same: '=', changes: '~', added: '+', removed: '-' } as const)[sensitive]
  if (change.verdict === 'leave') return '='
  if ('absent' in change.before) return '+'
  return 'absent' in change.after ? '-' : '~'
}

/** A preview that showed a counter would be stale when it is made. */
export const MOVING_WORDS = '(as the source holds it at the handover)'

/** A key is made by the tool, a DevAddr by the target. */
const generatedWords = (path: string): string =>
  path.endsWith('dev_addr') ? "(from the target's block)" : '(generated)'

const sidesOf = (change: FieldChange, detail: Detail): Sides => {
  const sensitive = sensitivityOf(change)
  if (sensitive !== undefined) return { text: `(sensitive, ${sensitive})`, block: [] }
  if ('moving' in change.after) return { text: MOVING_WORDS, block: [] }
  if ('generated' in change.after) return { text: generatedWords(change.path), block: [] }
  const before = plainValue(change.before)
  const after = plainValue(change.after)
  if (before === undefined && after === undefined) return { text: '(absent)', block: [] }
  if (change.verdict === 'leave') return oneSide(change.path, before ?? after ?? null, ' ', detail)
  if (before === undefined) return oneSide(change.path, after ?? null, '+', detail)
  if (after === undefined) {
    const was = oneSide(change.path, before, '-', detail)
    return { text: `${was.text} -> (absent)`, block: was.block }
  }
  return bothSides(change.path, before, after, detail)
}

/** A field change in words, without any secret; long texts and objects as a diff of at most so many lines. */
export const fieldView = (change: FieldChange, detail: Detail = BRIEF): FieldView => ({
  symbol: symbolOf(change),
  registry: change.registry,
  path: harmless(change.path),
  ...sidesOf(change, detail),
  reason: reasonWords(change),
})

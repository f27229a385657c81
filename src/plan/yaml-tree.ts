import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import { error, type Finding } from './finding.ts'
import type { Located, LocatedEntry, LocatedScalar } from './located.ts'
import { UNSEEN } from './plan-text.ts'
import { shownName } from './shown.ts'

/** Nodes that aliases may add to a document. */
const MOST_EXPANDED = 20_000

interface Build {
  readonly findings: Finding[]
  readonly anchors: Map<string, Located>
  /** Nodes that stand there because of aliases. */
  expanded: number
}

/** A document as located values, with what is wrong in it: double keys, merge keys, aliases that lead nowhere. */
export const locate = (
  root: Node | null,
): { readonly root: Located; readonly findings: readonly Finding[] } => {
  const build: Build = { findings: [], anchors: new Map(), expanded: 0 }
  return { root: convert(root, 0, build), findings: build.findings }
}

const empty = (offset: number): LocatedScalar => ({
  kind: 'scalar',
  value: null,
  source: '',
  plain: true,
  offset,
  size: 1,
})

const broken = (offset: number): LocatedScalar => ({ ...empty(offset), broken: true })

const convert = (node: unknown, offset: number, build: Build): Located => {
  if (isAlias(node)) return resolve(node.source, node.range?.[0] ?? offset, build)
  const located = isMap(node)
    ? mapOf(node, offset, build)
    : isSeq(node)
      ? listOf(node.items, node.range?.[0] ?? offset, build)
      : isScalar(node)
        ? scalarOf(node, offset, build)
        : empty(offset)
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined
  // only now, so that a value that holds an alias to itself finds nothing
  if (anchor !== undefined) build.anchors.set(anchor, located)
  return located
}

const resolve = (name: string, offset: number, build: Build): Located => {
  const target = build.anchors.get(name)
  if (target === undefined) {
    build.findings.push(
      error({
        code: 'UnknownAlias',
        message: 'the alias has no anchor before it',
        hint: 'write &name before the value that *name stands for',
        offset,
      }),
    )
    return broken(offset)
  }
  build.expanded += target.size
  if (build.expanded > MOST_EXPANDED) {
    const told = build.findings.some(({ code }) => code === 'TooManyAliases')
    const message = `aliases expand to more than ${MOST_EXPANDED} values`
    if (!told)
      build.findings.push(error({ code: 'TooManyAliases', message, hint: 'write values out', offset }))
    return broken(offset)
  }
  return target
}

const scalarOf = (node: Scalar, offset: number, build: Build): LocatedScalar => {
  const { value } = node
  const at = node.range?.[0] ?? offset
  const plain = node.type === 'PLAIN'
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  const source = plain ? (node.source ?? '') : String(value)
  const unseen = typeof value === 'string' && UNSEEN.test(value)
  if (unseen) {
    build.findings.push(
      error({
        code: 'ControlCharacter',
        message: 'the value holds a control character',
        hint: 'remove the escape; texts of a plan are printed and sent as they are',
        offset: at,
      }),
    )
  }
  const located = { kind: 'scalar', value: known ? value : null, source, plain, offset: at, size: 1 } as const
  return unseen ? { ...located, broken: true } : located
}

const listOf = (items: readonly unknown[], offset: number, build: Build): Located => {
  const located = items.map((item) => convert(item, offset, build))
  return { kind: 'list', offset, items: located, size: sizeOf(located) }
}

const mapOf = (node: YAMLMap, offset: number, build: Build): Located => {
  const entries = new Map<string, LocatedEntry>()
  for (const pair of node.items) addEntry(pair, node.range?.[0] ?? offset, entries, build)
  return {
    kind: 'map',
    offset: node.range?.[0] ?? offset,
    entries,
    size: sizeOf([...entries.values()].map(({ value }) => value)),
  }
}

const addEntry = (pair: Pair, offset: number, entries: Map<string, LocatedEntry>, build: Build): void => {
  const { key } = pair
  if (!isScalar(key)) {
    const at = isMap(key) || isSeq(key) || isAlias(key) ? (key.range?.[0] ?? offset) : offset
    const text = {
      code: 'ComplexKey',
      message: 'a key is not a plain name',
      hint: 'write one name before the colon',
    }
    build.findings.push(error({ ...text, offset: at }))
    return
  }
  const { source: name, plain, offset: keyOffset } = scalarOf(key, offset, build)
  if (name === '<<' && plain) {
    const hint = 'use an alias for a whole value, or write the fields out'
    const text = { code: 'MergeKey', message: 'merge keys (<<) are not part of YAML 1.2', hint }
    build.findings.push(error({ ...text, offset: keyOffset }))
    return
  }
  const value = convert(pair.value, keyOffset, build)
  if (entries.has(name)) {
    const message = `the field ${shownName(name)} is given twice`
    build.findings.push(error({ code: 'DuplicateKey', message, hint: 'keep one of them', offset: keyOffset }))
    return
  }
  entries.set(name, { keyOffset, value })
}

const sizeOf = (children: readonly Located[]): number =>
  children.reduce((total, child) => total + child.size, 1)

import { readFileSync } from 'node:fs'
import { zeroOf } from './decode.ts'
import { type Field, fieldsOf } from './schema.ts'
import { copy, isMessage, type Json, type Message } from './types.ts'

type Tree = 1 | { readonly [name: string]: Tree | 0 }
type MaskName =
  | 'is.read'
  | 'is.write'
  | 'ns.read'
  | 'ns.write'
  | 'js.read'
  | 'js.write'
  | 'as.read'
  | 'as.write'

const trees = JSON.parse(readFileSync(new URL('../data/masks.json', import.meta.url), 'utf8')) as Readonly<
  Record<MaskName, Tree>
>

const collect = (tree: Tree, prefix: string, into: Set<string>): Set<string> => {
  if (tree === 1) return into
  for (const [name, sub] of Object.entries(tree)) {
    if (name === '.' || sub === 0) continue
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (sub === 1 || sub['.'] !== 0) into.add(path)
    collect(sub, path, into)
  }
  return into
}

/** The paths of an end device that one registry's call takes in a field mask (API notes, section 5). */
export const allowedPaths: Readonly<Record<MaskName, ReadonlySet<string>>> = {
  'is.read': collect(trees['is.read'], '', new Set()),
  'is.write': collect(trees['is.write'], '', new Set()),
  'ns.read': collect(trees['ns.read'], '', new Set()),
  'ns.write': collect(trees['ns.write'], '', new Set()),
  'js.read': collect(trees['js.read'], '', new Set()),
  'js.write': collect(trees['js.write'], '', new Set()),
  'as.read': collect(trees['as.read'], '', new Set()),
  'as.write': collect(trees['as.write'], '', new Set()),
}

/** True when a mask names the path itself or one of its parents. */
export const covers = (mask: readonly string[], path: string): boolean =>
  mask.some((entry) => entry === path || path.startsWith(`${entry}.`))

/** True when a mask covers at least one of the paths. */
export const coversAny = (mask: readonly string[], ...paths: string[]): boolean =>
  paths.some((path) => covers(mask, path))

const isOneof = (fields: ReadonlyMap<string, Field>, name: string): boolean =>
  !fields.has(name) && [...fields.values()].some((field) => field.oneof === name)

const order = (message: string, value: Message): void => {
  const entries = new Map(Object.entries(value))
  for (const name of entries.keys()) delete value[name]
  for (const name of fieldsOf(message).keys()) {
    const item = entries.get(name)
    if (item !== undefined) value[name] = item
  }
}

const assign = (target: Message, name: string, value: Json | undefined): void => {
  if (value === undefined) delete target[name]
  else target[name] = copy(value)
}

const setPath = (
  message: string,
  target: Message,
  source: Message | undefined,
  names: readonly string[],
): void => {
  const [name, ...rest] = names
  if (name === undefined) return
  const fields = fieldsOf(message)
  const field = fields.get(name)
  if (field === undefined) {
    if (!isOneof(fields, name)) return
    const alternatives = [...fields.values()].filter(({ oneof }) => oneof === name)
    if (rest.length > 0) {
      for (const { name: other } of alternatives)
        if (other !== rest[0] && source?.[rest[0] ?? ''] !== undefined) delete target[other]
      setPath(message, target, source, rest)
    } else
      for (const { name: alternative } of alternatives) assign(target, alternative, source?.[alternative])
    return
  }
  if (rest.length === 0) {
    assign(target, name, source?.[name])
    return
  }
  if (field.kind.is === 'wrapper') {
    if (source?.[name] !== undefined) assign(target, name, source[name])
    else if (target[name] !== undefined) target[name] = zeroOf(field.kind)
    return
  }
  if (field.kind.is !== 'message') return
  const inner = source?.[name]
  const from = isMessage(inner) ? inner : undefined
  const present = target[name]
  const into = isMessage(present) ? present : undefined
  if (from === undefined && into === undefined) return
  const next = into ?? {}
  target[name] = next
  setPath(field.kind.name, next, from, rest)
  order(field.kind.name, next)
}

/**
 * Copies the masked paths of `source` into `target`; a path that the source has not is cleared in the target, and a
 * message that neither side has is not made. Segments that name a oneof are skipped (API notes, section 5).
 */
export const setPaths = (
  message: string,
  target: Message,
  source: Message,
  paths: readonly string[],
): void => {
  for (const path of paths) setPath(message, target, source, path.split('.'))
  order(message, target)
}

const walk = (message: string, value: Message | undefined, names: readonly string[]): Json | undefined => {
  const [name, ...rest] = names
  if (name === undefined) return value
  const fields = fieldsOf(message)
  const field = fields.get(name)
  if (field === undefined) return isOneof(fields, name) ? walk(message, value, rest) : undefined
  const item = value?.[name]
  if (rest.length === 0 || field.kind.is === 'wrapper') return item
  return field.kind.is === 'message' && isMessage(item) ? walk(field.kind.name, item, rest) : undefined
}

/** The value at a mask path (oneof and `.value` segments included); undefined when it is zero or absent. */
export const valueAt = (message: string, value: Message | undefined, path: string): Json | undefined =>
  walk(message, value, path.split('.'))

/**
 * Every path below a path of a message type (all of them for ''), sorted, as the generated path lists of the API have
 * them.
 */
export const pathsBelow = (message: string, path: string): readonly string[] => {
  const found: string[] = []
  const visit = (type: string, prefix: string, depth: number): void => {
    for (const { name, kind } of fieldsOf(type).values()) {
      const full = prefix === '' ? name : `${prefix}.${name}`
      const inside = path === '' || full.startsWith(`${path}.`)
      if (!inside && full !== path && !path.startsWith(`${full}.`)) continue
      if (inside) found.push(full)
      if (kind.is === 'message' && depth < 8) visit(kind.name, full, depth + 1)
    }
  }
  visit(message, '', 0)
  return found.sort()
}

/** Reads a field mask from a body: `{"paths": [...]}` or a text with commas. */
export const readMask = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return value === '' ? [] : value.split(',')
  if (isMessage(value) && Array.isArray(value['paths'])) return value['paths'].map(String)
  return []
}

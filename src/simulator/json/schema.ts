import { readFileSync } from 'node:fs'

/** Validation rules of one field, as the API states them. Lengths count runes (text), bytes or items. */
export interface Rule {
  readonly required?: boolean
  readonly defined?: boolean
  readonly notIn?: number
  readonly pattern?: string
  readonly max?: number
  readonly min?: number
  readonly keyMax?: number
  readonly valueMax?: number
  readonly maxItems?: number
  readonly minItems?: number
  readonly maxPairs?: number
  readonly gte?: number
  readonly lte?: number
  readonly gt?: number
  readonly items?: boolean
}

/**
 * How a field is encoded. `hex` has a fixed length in bytes; `optional` is a scalar that may be present with its
 * zero value; `wrapper` likewise, with rules of its own, and never written as an object.
 */
export type Kind =
  | { readonly is: 'string' | 'bool' | 'bytes' | 'time' | 'duration' | 'mask' | 'struct' | 'any' }
  | { readonly is: 'integer'; readonly bits: 32 | 64; readonly signed: boolean }
  | { readonly is: 'float' }
  | { readonly is: 'hex'; readonly bytes: number }
  | { readonly is: 'enum'; readonly name: string }
  | { readonly is: 'message'; readonly name: string }
  | { readonly is: 'wrapper'; readonly name: string; readonly of: Kind; readonly rule: Rule }
  | { readonly is: 'optional'; readonly of: Kind }
  | { readonly is: 'list'; readonly of: Kind }
  | { readonly is: 'map'; readonly of: Kind }

export interface Field {
  readonly name: string
  readonly kind: Kind
  readonly rule: Rule
  readonly oneof: string | undefined
}

export interface EnumType {
  readonly names: ReadonlyMap<string, number>
  readonly byNumber: ReadonlyMap<number, string>
  readonly asNumber: boolean
}

type RawField = readonly [string, string, Rule?, string?]
interface RawEnum {
  readonly values: readonly (readonly [string, number, (readonly string[])?])[]
  readonly number?: boolean
  readonly prefix?: string
}
interface RawSchema {
  readonly messages: Readonly<Record<string, readonly RawField[]>>
  readonly wrappers: Readonly<Record<string, readonly [string, Rule]>>
  readonly enums: Readonly<Record<string, RawEnum>>
}

const raw = JSON.parse(readFileSync(new URL('../data/schema.json', import.meta.url), 'utf8')) as RawSchema

const integers: Readonly<Record<string, Kind>> = {
  u32: { is: 'integer', bits: 32, signed: false },
  i32: { is: 'integer', bits: 32, signed: true },
  u64: { is: 'integer', bits: 64, signed: false },
  i64: { is: 'integer', bits: 64, signed: true },
}

const parseKind = (text: string): Kind => {
  if (text.startsWith('[]')) return { is: 'list', of: parseKind(text.slice(2)) }
  if (text.startsWith('?')) return { is: 'optional', of: parseKind(text.slice(1)) }
  if (text.startsWith('map:')) return { is: 'map', of: parseKind(text.split(':').slice(2).join(':')) }
  if (text.startsWith('m:')) return { is: 'message', name: text.slice(2) }
  if (text.startsWith('e:')) return { is: 'enum', name: text.slice(2) }
  if (text.startsWith('hex')) return { is: 'hex', bytes: Number(text.slice(3)) }
  if (text.startsWith('w:')) {
    const name = text.slice(2)
    const wrapper = raw.wrappers[name]
    if (wrapper === undefined) throw new Error(`schema names an unknown wrapper ${name}`)
    return { is: 'wrapper', name, of: parseKind(wrapper[0]), rule: wrapper[1] }
  }
  const integer = integers[text]
  if (integer !== undefined) return integer
  if (text === 'float') return { is: 'float' }
  return { is: text as 'string' | 'bool' | 'bytes' | 'time' | 'duration' | 'mask' | 'struct' | 'any' }
}

const buildEnum = ({ values, number, prefix }: RawEnum): EnumType => {
  const names = new Map<string, number>()
  const byNumber = new Map<number, string>()
  for (const [name, value, aliases] of values) {
    byNumber.set(value, name)
    for (const alias of [name, ...(aliases ?? [])]) {
      names.set(alias, value)
      if (prefix !== undefined && alias.startsWith(`${prefix}_`))
        names.set(alias.slice(prefix.length + 1), value)
    }
  }
  return { names, byNumber, asNumber: number === true }
}

const enums = new Map(Object.entries(raw.enums).map(([name, value]) => [name, buildEnum(value)]))
const messages = new Map<string, ReadonlyMap<string, Field>>()
for (const [name, fields] of Object.entries(raw.messages)) {
  messages.set(
    name,
    new Map(
      fields.map(([field, kind, rule, oneof]) => [
        field,
        { name: field, kind: parseKind(kind), rule: rule ?? {}, oneof },
      ]),
    ),
  )
}

/** The fields of a message type, in the order of their numbers. Throws for a name that the schema has not. */
export const fieldsOf = (message: string): ReadonlyMap<string, Field> => {
  const fields = messages.get(message)
  if (fields === undefined) throw new Error(`no message type ${message}`)
  return fields
}

/** An enumeration by name. Throws for a name that the schema has not. */
export const enumOf = (name: string): EnumType => {
  const found = enums.get(name)
  if (found === undefined) throw new Error(`no enumeration ${name}`)
  return found
}

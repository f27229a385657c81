import { decodeError } from '../things-stack/errors.ts'
import { decodeBase64, decodeDuration, decodeHexBytes, decodeTime } from './scalars.ts'
import { enumOf, type Field, fieldsOf, type Kind } from './schema.ts'
import { isMessage, type Json, type Message } from './types.ts'

const bad = (path: string, reason: string): never => {
  throw decodeError(path === '' ? reason : `unmarshal error at path "${path}": ${reason}`)
}

const goType = (value: Json): string =>
  value === null
    ? 'Nil'
    : Array.isArray(value)
      ? 'Array'
      : isMessage(value)
        ? 'Object'
        : typeof value === 'string'
          ? 'String'
          : typeof value === 'number'
            ? 'Number'
            : 'Bool'

const decodeEnum = (name: string, value: Json, path: string): number => {
  if (typeof value === 'number')
    return Number.isInteger(value) ? value : bad(path, `invalid enum value: ${value}`)
  if (typeof value !== 'string') return bad(path, `invalid value type for enum: ${goType(value)}`)
  const found = enumOf(name).names.get(value)
  if (found !== undefined) return found
  return /^-?\d+$/.test(value) ? Number(value) : bad(path, `unknown value for enum: "${value}"`)
}

const printEnum = (name: string, value: number): Json => {
  const type = enumOf(name)
  return type.asNumber ? value : (type.byNumber.get(value) ?? value)
}

const decodeInteger = (value: Json, bits: 32 | 64, signed: boolean, path: string): bigint => {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  if (!/^-?\d+$/.test(text)) return bad(path, `invalid integer: ${goType(value)}`)
  const number = BigInt(text)
  const top = 1n << BigInt(signed ? bits - 1 : bits)
  const bottom = signed ? -top : 0n
  return number >= bottom && number < top ? number : bad(path, `value out of range: ${text}`)
}

const nested = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** Decodes one value; `undefined` stands for a scalar's zero value, which protobuf leaves out. */
const decodeValue = (kind: Kind, value: Json, path: string, name: string): Json | undefined => {
  switch (kind.is) {
    case 'string':
      if (typeof value !== 'string') return bad(path, `expected string but found ${goType(value)}`)
      return value === '' ? undefined : value
    case 'bool':
      if (typeof value !== 'boolean') return bad(path, `expected bool but found ${goType(value)}`)
      return value ? true : undefined
    case 'integer': {
      const number = decodeInteger(value, kind.bits, kind.signed, path)
      if (number === 0n) return undefined
      return kind.bits === 64 ? number.toString() : Number(number)
    }
    case 'float': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
      if (typeof number !== 'number' || Number.isNaN(number))
        return bad(path, `expected float but found ${goType(value)}`)
      return number === 0 ? undefined : number
    }
    case 'hex':
      return decodeHexBytes(value, kind.bytes, (reason) => bad(nested(path, name), reason))
    case 'bytes':
      return decodeBase64(value, (reason) => bad(path, reason))
    case 'time':
      return decodeTime(value, (reason) => bad(path, reason))
    case 'duration':
      return decodeDuration(value, (reason) => bad(path, reason))
    case 'enum': {
      const number = decodeEnum(kind.name, value, path)
      return number === 0 ? undefined : printEnum(kind.name, number)
    }
    case 'message':
      if (!isMessage(value)) return bad(nested(path, name), `expected object but found ${goType(value)}`)
      return decode(kind.name, value, nested(path, name))
    case 'wrapper':
      return decodePresent(kind.of, value, nested(path, name), name)
    case 'optional':
      return decodePresent(kind.of, isMessage(value) ? (value['value'] ?? null) : value, path, name)
    case 'list': {
      if (!Array.isArray(value)) return bad(path, `expected array but found ${goType(value)}`)
      const items = value.map((item) => decodePresent(kind.of, item, nested(path, name), '') as Json)
      return items.length === 0 ? undefined : items
    }
    case 'map': {
      if (!isMessage(value)) return bad(path, `expected object but found ${goType(value)}`)
      const entries = Object.entries(value).map(([key, item]): [string, Json] => [
        key,
        decodePresent(kind.of, item ?? null, nested(path, name), key) as Json,
      ])
      return entries.length === 0 ? undefined : Object.fromEntries(entries)
    }
    case 'mask':
    case 'struct':
    case 'any':
      return value
  }
}

/** The zero value of a kind as it is printed where presence is tracked or a list needs an item. */
export const zeroOf = (kind: Kind): Json => {
  switch (kind.is) {
    case 'string':
    case 'bytes':
    case 'time':
    case 'mask':
      return ''
    case 'bool':
      return false
    case 'integer':
      return kind.bits === 64 ? '0' : 0
    case 'float':
      return 0
    case 'duration':
      return '0s'
    case 'enum':
      return printEnum(kind.name, 0)
    case 'hex':
      return '0'.repeat(kind.bytes * 2)
    case 'wrapper':
    case 'optional':
      return zeroOf(kind.of)
    case 'list':
      return []
    case 'message':
    case 'map':
    case 'struct':
    case 'any':
      return {}
  }
}

const decodePresent = (kind: Kind, value: Json, path: string, name: string): Json =>
  decodeValue(kind, value, path, name) ?? zeroOf(kind)

const camel = (name: string): string =>
  name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const fieldFor = new Map<string, ReadonlyMap<string, Field>>()

const byJsonName = (message: string): ReadonlyMap<string, Field> => {
  const known = fieldFor.get(message)
  if (known !== undefined) return known
  const map = new Map<string, Field>()
  for (const field of fieldsOf(message).values()) {
    map.set(field.name, field)
    map.set(camel(field.name), field)
  }
  fieldFor.set(message, map)
  return map
}

/**
 * Decodes a request's JSON object into the canonical form of a message type (API notes, sections 1.3 and 11):
 * snake_case and camelCase names are taken, unknown names ignored, nulls skipped.
 * @param path where the object stands in the request, for the text of a decode error
 * @throws StackError code 3 without details when a value can't be read
 */
export const decode = (message: string, value: Message, path = ''): Message => {
  const names = byJsonName(message)
  const decoded = new Map<string, Json>()
  for (const [key, item] of Object.entries(value)) {
    const field = names.get(key)
    if (field === undefined || item === null || item === undefined) continue
    const result = decodeValue(field.kind, item, path, field.name)
    if (result !== undefined) decoded.set(field.name, result)
  }
  const ordered: Message = {}
  for (const name of fieldsOf(message).keys()) {
    const item = decoded.get(name)
    if (item !== undefined) ordered[name] = item
  }
  return ordered
}

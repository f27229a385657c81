import { errors, fail, type StackError } from '../things-stack/errors.ts'
import { enumOf, type Field, fieldsOf, type Kind, type Rule } from './schema.ts'
import { isMessage, type Json, type Message } from './types.ts'

const typeName = (message: string): string => `${message.replaceAll('.', '_')}ValidationError`

const invalid = (message: string, field: string, reason: string, cause?: StackError): StackError =>
  fail(errors.validation, { field, name: typeName(message), reason }, cause)

const embedded = 'embedded message failed validation'

const numberReason = (value: number, { gte, lte, gt }: Rule): string | undefined => {
  if (gt !== undefined && lte !== undefined)
    return value > gt && value <= lte ? undefined : `value must be inside range (${gt}, ${lte}]`
  if (gte !== undefined && lte !== undefined) {
    if (lte < gte)
      return value > lte && value < gte ? `value must be outside range (${lte}, ${gte})` : undefined
    return value < gte || value > lte ? `value must be inside range [${gte}, ${lte}]` : undefined
  }
  if (lte !== undefined && value > lte) return `value must be less than or equal to ${lte}`
  return gte !== undefined && value < gte ? `value must be greater than or equal to ${gte}` : undefined
}

const textReason = (value: string, { max, pattern }: Rule): string | undefined => {
  if (max !== undefined && [...value].length > max) return `value length must be at most ${max} runes`
  if (pattern === undefined || new RegExp(pattern).test(value)) return undefined
  return `value does not match regex pattern ${JSON.stringify(pattern)}`
}

const bytesReason = (value: string, { max, min }: Rule): string | undefined => {
  const length = Buffer.from(value, 'base64').length
  if (max !== undefined && min !== undefined && (length < min || length > max))
    return `value length must be between ${min} and ${max} bytes, inclusive`
  return max !== undefined && length > max ? `value length must be at most ${max} bytes` : undefined
}

const enumReason = (name: string, value: Json, rule: Rule): string | undefined => {
  const type = enumOf(name)
  const number = typeof value === 'number' ? value : (type.names.get(String(value)) ?? 0)
  if (rule.notIn === number) return `value must not be in list [${number}]`
  return rule.defined === true && !type.byNumber.has(number)
    ? 'value must be one of the defined enum values'
    : undefined
}

/** Why a scalar is refused; absent numbers are checked as 0, absent texts only where an identifier is wanted. */
const scalarReason = (kind: Kind, value: Json | undefined, rule: Rule): string | undefined => {
  switch (kind.is) {
    case 'string':
      return typeof value === 'string' ? textReason(value, rule) : undefined
    case 'bytes':
      return typeof value === 'string' ? bytesReason(value, rule) : undefined
    case 'integer':
    case 'float':
      return numberReason(Number(value ?? 0), rule)
    case 'enum':
      return enumReason(kind.name, value ?? 0, rule)
    default:
      return undefined
  }
}

const mandatoryIds = new Set(['device_id', 'application_id', 'gateway_id'])

const checkItems = (
  message: string,
  field: Field,
  kind: Kind,
  list: readonly Json[],
): StackError | undefined => {
  for (const [index, item] of list.entries()) {
    const place = `${field.name}[${index}]`
    if (kind.is === 'message' && isMessage(item)) {
      const cause = validate(kind.name, item)
      if (cause !== undefined) return invalid(message, place, embedded, cause)
    } else if (field.rule.items === true) {
      const reason = scalarReason(kind, item, field.rule)
      if (reason !== undefined) return invalid(message, place, reason)
    }
  }
  return undefined
}

const checkMap = (message: string, { name, kind, rule }: Field, value: Message): StackError | undefined => {
  const pairs = Object.entries(value)
  if (rule.maxPairs !== undefined && pairs.length > rule.maxPairs)
    return invalid(message, name, `value must contain no more than ${rule.maxPairs} pair(s)`)
  for (const [key, item] of pairs) {
    const place = `${name}[${key}]`
    const keyRule = {
      ...(rule.keyMax === undefined ? {} : { max: rule.keyMax }),
      ...(rule.pattern === undefined ? {} : { pattern: rule.pattern }),
    }
    const keyReason = textReason(key, keyRule)
    if (keyReason !== undefined) return invalid(message, place, keyReason)
    if (typeof item === 'string' && rule.valueMax !== undefined) {
      const reason = textReason(item, { max: rule.valueMax })
      if (reason !== undefined) return invalid(message, place, reason)
    }
    if (kind.is === 'map' && kind.of.is === 'message' && isMessage(item)) {
      const cause = validate(kind.of.name, item)
      if (cause !== undefined) return invalid(message, place, embedded, cause)
    }
  }
  return undefined
}

const checkField = (
  message: string,
  field: Field,
  value: Json | undefined,
  below: readonly string[],
): StackError | undefined => {
  const { name, kind, rule } = field
  switch (kind.is) {
    case 'message': {
      if (!isMessage(value))
        return rule.required === true ? invalid(message, name, 'value is required') : undefined
      const cause = validate(kind.name, value, below)
      return cause === undefined ? undefined : invalid(message, name, embedded, cause)
    }
    case 'wrapper': {
      if (value === undefined) return undefined
      const reason = scalarReason(kind.of, value, kind.rule)
      return reason === undefined
        ? undefined
        : invalid(message, name, embedded, invalid(kind.name, 'value', reason))
    }
    case 'optional': {
      const reason = value === undefined ? undefined : scalarReason(kind.of, value, rule)
      return reason === undefined ? undefined : invalid(message, name, reason)
    }
    case 'list': {
      const list = Array.isArray(value) ? value : []
      if (rule.maxItems !== undefined && list.length > rule.maxItems)
        return invalid(message, name, `value must contain no more than ${rule.maxItems} item(s)`)
      if (rule.minItems !== undefined && list.length < rule.minItems)
        return invalid(message, name, `value must contain at least ${rule.minItems} item(s)`)
      return checkItems(message, field, kind.of, list)
    }
    case 'map':
      return isMessage(value) ? checkMap(message, field, value) : undefined
    case 'string': {
      const reason = textReason(
        String(value ?? ''),
        value === undefined && !mandatoryIds.has(name) ? {} : rule,
      )
      return reason === undefined ? undefined : invalid(message, name, reason)
    }
    case 'time':
      return value === undefined && rule.required === true
        ? invalid(message, name, 'value is required')
        : undefined
    default: {
      const reason = scalarReason(kind, value, rule)
      return reason === undefined ? undefined : invalid(message, name, reason)
    }
  }
}

/**
 * Checks a canonical message against the rules of its type, the masked paths alone when there are any
 * (empty: all of it, nested messages included). The answer is the nested error of the real server, or undefined.
 */
export const validate = (
  message: string,
  value: Message,
  paths: readonly string[] = [],
): StackError | undefined => {
  const wanted = new Map<string, string[]>()
  const fields = fieldsOf(message)
  for (const path of paths) {
    const [first = '', ...rest] = path.split('.')
    const names = fields.has(first) ? [first, ...rest] : rest
    const head = names[0]
    if (head === undefined) continue
    const below = names.slice(1).join('.')
    const list = wanted.get(head)
    if (list === undefined) wanted.set(head, below === '' ? ['*'] : [below])
    else list.push(below === '' ? '*' : below)
  }
  for (const field of fields.values()) {
    const below = paths.length === 0 ? ['*'] : wanted.get(field.name)
    if (below === undefined) continue
    if (field.oneof !== undefined && value[field.name] === undefined) continue
    const error = checkField(message, field, value[field.name], below.includes('*') ? [] : below)
    if (error !== undefined) return error
  }
  return undefined
}

/** Wraps an error in a request's own validation error, for example `end_device` of SetEndDeviceRequest. */
export const wrapInvalid = (request: string, field: string, cause: StackError): StackError =>
  invalid(request, field, embedded, cause)

/** A validation error of a request's own field. */
export const requestInvalid = (request: string, field: string, reason: string): StackError =>
  invalid(request, field, reason)

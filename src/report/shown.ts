import type { FieldChange, ShownValue } from '../domain/change-set.ts'
import type { Json } from '../domain/json.ts'
import { canonicalJson } from '../domain/json.ts'
import { withoutKeyForms } from './escape.ts'

/**
 * What of a field may be shown. The engine marks secrets; this is the second lock on the same door: a value whose
 * name or form is that of a key is taken for a secret, whatever it is marked as.
 */

export type Sensitivity = 'same' | 'changes' | 'added' | 'removed'

const SECRET_NAME = /(^|[._])(key|app_?s?_?key|password|secret|token|claim_authentication_code|pin)$/i
const KEY_FORM = /^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{64})$/

/** Whether a field path, or the name of a member, is that of a secret. */
const isSecretName = (name: string): boolean => SECRET_NAME.test(name)

const isKeyForm = (value: Json): boolean => typeof value === 'string' && KEY_FORM.test(value)

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

const sortedEntries = (value: { readonly [key: string]: Json }): [string, Json][] =>
  Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

/** The value with what may be a secret replaced by a word, and with sorted keys: equal values look equal. */
const withoutSecrets = (value: Json): Json => {
  if (typeof value === 'string') return withoutKeyForms(value)
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (!isObject(value)) return value
  return Object.fromEntries(
    sortedEntries(value).map(([name, item]) => [
      name,
      isSecretName(name) && item !== null && typeof item !== 'boolean' ? '(sensitive)' : withoutSecrets(item),
    ]),
  )
}

/** What becomes of a secret, or undefined where the field is none, or is made when the device crosses. */
export const sensitivityOf = (change: FieldChange): Sensitivity | undefined => {
  const { before, after } = change
  if ('generated' in after) return undefined
  if ('sensitive' in after) return after.sensitive
  if ('sensitive' in before) return before.sensitive
  const isSecret = [before, after].some(
    (side) => 'value' in side && (isSecretName(change.path) || isKeyForm(side.value)),
  )
  if (!isSecret) return undefined
  if ('absent' in before) return 'added'
  if ('absent' in after) return 'removed'
  return canonicalJson(before) === canonicalJson(after) ? 'same' : 'changes'
}

/** The value of one side without secrets; undefined where it is absent or the field is a secret. */
export const plainValue = (side: ShownValue): Json | undefined =>
  'value' in side ? withoutSecrets(side.value) : undefined

/** A change that holds no secret: the form that every rendering is made from. */
export const safeChange = (change: FieldChange): FieldChange => {
  const sensitive = sensitivityOf(change)
  if (sensitive !== undefined) return { ...change, before: { sensitive }, after: { sensitive } }
  // What a generated key takes the place of is a key.
  if ('generated' in change.after) return { ...change, before: { absent: true } }
  const side = (shown: ShownValue): ShownValue =>
    'value' in shown ? { value: withoutSecrets(shown.value) } : shown
  return { ...change, before: side(change.before), after: side(change.after) }
}

export type Leaf = readonly [path: string, value: Json]

/** The scalar values of a value, with their paths below it; an empty list or object is one value. */
export const leaves = (value: Json, path = ''): readonly Leaf[] => {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item, index) => leaves(item, `${path}[${index}]`))
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    return Object.keys(value)
      .sort()
      .flatMap((name) => leaves(value[name] ?? null, path === '' ? name : `${path}.${name}`))
  }
  return [[path, value]]
}

export const isCompound = (value: Json): boolean =>
  value !== null && typeof value === 'object' && Object.keys(value).length > 0

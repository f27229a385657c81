import { readMask } from '../json/mask.ts'
import { isMessage, type Message } from '../json/types.ts'
import type { Network } from '../network.ts'
import { decodeError, errors, fail } from './errors.ts'
import type { Credentials } from './rights.ts'

export type Registry = 'is' | 'js' | 'ns' | 'as' | 'gs' | 'edtc' | 'all'

/** One request, after routing and before anything of it was looked at. */
export interface Call {
  readonly network: Network
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Message
  /** The `Authorization` header, or undefined. */
  readonly authorization: string | undefined
  /** Who calls; throws the 400 or 401 of a bad token. */
  credentials(): Credentials
}

export interface Reply {
  readonly body: Message
  readonly headers?: Readonly<Record<string, string>>
}

/** A request whose parts were read and validated. `entity` names the rate-limit bucket (API notes, section 3.5). */
export interface Prepared {
  readonly entity?: string
  run(): Reply
}

/** One row of the route table. `rpc` is the full method name, `/ttn.lorawan.v3.Service/Method`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly rpc: string
  readonly registry: Registry
  prepare(call: Call): Prepared
}

/** A path variable; routes guarantee that it is there. */
export const param = (call: Call, name: string): string => call.params[name] ?? ''

/** The field mask of a query (API notes, section 1.3): `field_mask` once, or `field_mask.paths` repeated. */
export const queryMask = (call: Call): readonly string[] => {
  const whole = call.query.getAll('field_mask')
  if (whole.length > 1) throw decodeError(`too many values for field "field_mask": ${whole.join(', ')}`)
  return [...readMask(whole[0] ?? ''), ...call.query.getAll('field_mask.paths')]
}

/** The field mask of a body. */
export const bodyMask = (call: Call): readonly string[] =>
  readMask(call.body['field_mask'] ?? call.body['fieldMask'])

/** Refuses masks that name anything outside the allow-list, naming every such path in order. */
export const requireAllowed = (mask: readonly string[], allowed: ReadonlySet<string>): void => {
  const forbidden = mask.filter((path) => !allowed.has(path))
  if (forbidden.length > 0) throw fail(errors.fieldMaskPaths, { forbidden_paths: forbidden })
}

/** An object of the body, under its snake_case or camelCase name. */
export const bodyObject = (call: Call, snake: string, camel = snake): Message | undefined => {
  const value = call.body[snake] ?? call.body[camel]
  if (value === undefined || value === null) return undefined
  if (!isMessage(value)) throw decodeError(`unmarshal error at path "${snake}": expected object`)
  return value
}

/** A whole number of the query, 0 when it is absent. */
export const queryNumber = (call: Call, name: string): number => {
  const text = call.query.get(name)
  if (text === null || text === '') return 0
  if (!/^\d+$/.test(text))
    throw decodeError(`parsing field "${name}": strconv.ParseUint: parsing "${text}": invalid syntax`)
  return Number(text)
}

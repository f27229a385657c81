import type { Json } from '../../domain/json.ts'
import { redact } from '../../domain/redact.ts'
import { arrayOf, type JsonObject, objectOf, textOf } from './json-tree.ts'

/** What The Things Stack says of an error (pkg/errors), reduced to what may be shown. */
export interface ErrorDetails {
  /** gRPC code. */
  readonly grpc?: number
  readonly namespace?: string
  readonly name?: string
  readonly correlationId?: string
  /** Only those that never hold a value of a field. */
  readonly attributes: Readonly<Record<string, string | number | readonly string[]>>
  /** The field that is wrong, such as `ids.device_id`, put together from the chain of causes. */
  readonly field?: string
  /** What is wrong with it, in the server's words, where they hold no value. */
  readonly reason?: string
}

/**
 * Attributes that are known to hold ids, names, paths and numbers, and never a value that was sent.
 * EUIs are public; everything else stays behind, for a value may be a key.
 */
const SHOWN = new Set([
  ...['application_id', 'device_id', 'dev_eui', 'join_eui', 'uid', 'device_uid', 'missing', 'field', 'name'],
  ...['forbidden_paths', 'path', 'id', 'ver', 'address', 'expected', 'rate', 'min', 'max', 'count', 'label'],
  ...['size', 'max_size', 'dev_band_id', 'fp_band_id', 'api_key_id'],
])

const shownValue = (value: Json): string | number | readonly string[] | undefined => {
  if (typeof value === 'number') return value
  // A server that echoes what was sent may echo a key, in an attribute that holds none elsewhere.
  if (typeof value === 'string') return redact(value).slice(0, 200)
  const texts = arrayOf(value).flatMap((item) => (typeof item === 'string' ? [redact(item)] : []))
  return texts.length > 0 ? texts : undefined
}

const shownAttributes = (attributes: JsonObject | undefined): ErrorDetails['attributes'] => {
  const shown: Record<string, string | number | readonly string[]> = {}
  for (const [key, value] of Object.entries(attributes ?? {})) {
    const text = SHOWN.has(key) ? shownValue(value) : undefined
    if (text !== undefined) shown[key] = text
  }
  return shown
}

/** The server's reason, unless a run in it is long enough to be part of a key. */
const shownReason = (reason: string | undefined): string | undefined =>
  reason === undefined || /[0-9A-Fa-f]{12,}|[A-Za-z0-9+/_-]{20,}/.test(reason.replace(/[a-z]+_[a-z_]+/g, ''))
    ? undefined
    : reason.slice(0, 300)

/** Names and paths of the server's own, which are short; one that quotes what was sent is none. */
const ownWord = (value: Json | undefined): string | undefined => {
  const text = textOf(value)
  return text === undefined ? undefined : redact(text).slice(0, 200)
}

/** As The Things Stack writes them; anything else may be what was sent. Keys are sent in capitals. */
const correlationIdOf = (value: Json | undefined): string | undefined => {
  const text = textOf(value)
  return text !== undefined && /^[0-9a-f]{32}$/.test(text) ? text : undefined
}

const causesOf = (detail: JsonObject | undefined): readonly JsonObject[] => {
  const chain: JsonObject[] = []
  for (let at = detail; at !== undefined && chain.length < 8; at = objectOf(at['cause'])) chain.push(at)
  return chain
}

/** Validation errors name one level each: `end_device`, its cause `ids`, its cause `device_id`. */
const fieldOf = (chain: readonly JsonObject[]): string | undefined => {
  const named = chain.map((one) => ownWord(objectOf(one['attributes'])?.['field']))
  const first = chain[0]?.['name'] === 'validation' ? named : named.slice(0, 1)
  const levels = first.filter(
    (name) => name !== undefined && name !== 'end_device' && name !== 'end_device_ids',
  )
  return levels.length === 0 ? undefined : levels.join('.')
}

/**
 * Errors of the JSON decoder have no details, and their text quotes what was sent; the path of the field is all
 * that is taken from it.
 */
const DECODER = /^unmarshal error at path "([a-z0-9_.]{1,200})"/

/** Reads the body of an error; anything that is not one gives an empty answer. */
export const errorDetailsOf = (body: Json | undefined): ErrorDetails => {
  const root = objectOf(objectOf(body)?.['error']) ?? objectOf(body)
  const grpc = typeof root?.['code'] === 'number' ? root['code'] : undefined
  const code = grpc === undefined ? {} : { grpc }
  const detail = objectOf(arrayOf(root?.['details'])[0])
  if (detail === undefined) {
    const path = DECODER.exec(textOf(root?.['message']) ?? '')?.[1]?.replace(/^end_device\.?/, '')
    return { ...code, attributes: {}, ...(path === undefined || path === '' ? {} : { field: redact(path) }) }
  }
  const chain = causesOf(detail)
  const namespace = ownWord(detail['namespace'])
  const name = ownWord(detail['name'])
  const correlationId = correlationIdOf(detail['correlation_id'])
  const field = fieldOf(chain)
  const reason = shownReason(textOf(objectOf(chain.at(-1)?.['attributes'])?.['reason']))
  return {
    ...code,
    attributes: shownAttributes(objectOf(detail['attributes'])),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(field === undefined ? {} : { field }),
    ...(reason === undefined ? {} : { reason }),
  }
}

/** A JSON value as it travels over HTTP. */
export type Json = null | boolean | number | string | Json[] | Message

/**
 * A protobuf message in its canonical JSON form: snake_case names, zero scalars left out, keys and EUIs as
 * upper-case hexadecimal, 64-bit integers as decimal strings. Registries hold their records in this form.
 */
export interface Message {
  [field: string]: Json | undefined
}

/** True for a JSON object (not null, not a list). */
export const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object at `message[name]`, or undefined when there is none. */
export const child = (message: Message | undefined, name: string): Message | undefined => {
  const value = message?.[name]
  return isMessage(value) ? value : undefined
}

/** Follows dotted names through objects; undefined where the way ends. */
export const at = (message: Message | undefined, path: string): Json | undefined => {
  let value: Json | undefined = message
  for (const name of path.split('.')) value = isMessage(value) ? value[name] : undefined
  return value
}

/** The text at a dotted path, or undefined. */
export const textAt = (message: Message | undefined, path: string): string | undefined => {
  const value = at(message, path)
  return typeof value === 'string' ? value : undefined
}

/** The number at a dotted path, 0 when it is left out, as protobuf reads absent scalars. */
export const numberAt = (message: Message | undefined, path: string): number => {
  const value = at(message, path)
  return typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : 0
}

/** The list of objects at a dotted path; empty when it is left out. */
export const listAt = (message: Message | undefined, path: string): Message[] => {
  const value = at(message, path)
  return Array.isArray(value) ? value.filter(isMessage) : []
}

const copyJson = (value: Json | undefined): Json | undefined => {
  if (Array.isArray(value)) return value.map((item) => copyJson(item) as Json)
  if (!isMessage(value)) return value
  const copied: Message = {}
  for (const name of Object.keys(value)) copied[name] = copyJson(value[name])
  return copied
}

/** A deep copy. By hand, for every answer takes some: `structuredClone` needs ten times as long. */
export const copy = <T extends Json>(value: T): T => copyJson(value) as T

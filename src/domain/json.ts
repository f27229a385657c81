import { createHash } from 'node:crypto'
import type { Digest } from './identifiers.ts'
import { remembered } from './remembered.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Keys as JSON, for a fleet has the same few. */
const quoted = remembered((key: string) => JSON.stringify(key), 1_000)

/** JSON with sorted keys and no blanks: equal values give equal bytes (the base of every digest). */
export const canonicalJson = (value: unknown): string => {
  if (value === null || typeof value !== 'object' || 'toJSON' in value) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  let text = ''
  for (const key of Object.keys(value).sort()) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (item === undefined) continue
    text += `${text === '' ? '' : ','}${quoted(key)}:${canonicalJson(item)}`
  }
  return `{${text}}`
}

/**
 * JSON of a value for a message: what `JSON.stringify` leaves as it is and a terminal or an eye acts on (C1 controls,
 * marks that turn text or can not be seen) is written as escapes too.
 */
export const visibleJson = (value: Json): string =>
  JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  )

/** SHA-256 of the text, as `sha256:` and 64 hex digits. */
export const digestOfText = (text: string): Digest =>
  `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest

/** SHA-256 of the canonical JSON of a value. */
export const digestOf = (value: unknown): Digest => digestOfText(canonicalJson(value))

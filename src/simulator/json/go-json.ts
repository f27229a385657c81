/** Result of parsing text as JSON; `message` is worded as the server words a syntax error. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string }

const place = (before: string): string => {
  const text = before.trimEnd()
  const last = text.at(-1)
  if (last === undefined) return 'looking for beginning of value'
  if (last === '{') return 'looking for beginning of object key string'
  if (last === ':' || last === '[') return 'looking for beginning of value'
  if (last === ',') {
    const depth: string[] = []
    for (const letter of text) {
      if (letter === '{' || letter === '[') depth.push(letter)
      else if (letter === '}' || letter === ']') depth.pop()
    }
    return depth.at(-1) === '{'
      ? 'looking for beginning of object key string'
      : 'looking for beginning of value'
  }
  return 'after object key:value pair'
}

/** Longest beginning of the text that a JSON document may start with, by bisection over the parser's own answer. */
const offendingIndex = (text: string, error: unknown): number | undefined => {
  const found = /position (\d+)/.exec(String(error))
  if (found?.[1] !== undefined) return Number(found[1])
  const snippet = /Unexpected token '?(.)'?,/.exec(String(error))
  return snippet?.[1] === undefined ? undefined : text.indexOf(snippet[1])
}

/**
 * Parses JSON; a syntax error is worded the way the recorded server words it
 * (recordings/things-stack/invalid-writes.json). An empty body reads as an empty object.
 */
export const parseJson = (text: string): Parsed => {
  if (text.trim() === '') return { ok: true, value: {} }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    const index = offendingIndex(text, error)
    if (index === undefined || index >= text.length) return { ok: false, message: 'unexpected EOF' }
    return { ok: false, message: `invalid character '${text[index]}' ${place(text.slice(0, index))}` }
  }
}

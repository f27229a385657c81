import type { Store } from './stack-api.ts'

/** Every key that a store holds, and no other value: 32 hex digits below a name `key`. */
export const keysIn = (store: Store): readonly string[] => {
  const keys = new Set<string>()
  const look = (value: unknown, name: string): void => {
    if (typeof value === 'string' && name === 'key' && /^[0-9A-F]{32}$/i.test(value)) keys.add(value)
    else if (typeof value === 'object' && value !== null)
      for (const [inner, item] of Object.entries(value)) look(item, inner)
  }
  for (const registry of ['joinServer', 'networkServer', 'applicationServer'] as const)
    look(store[registry], registry)
  return [...keys]
}

/**
 * Bytes in base64 of both alphabets, wherever they lie in what was encoded: at each of the three alignments, the
 * characters that these bytes alone decide. They are within every padded and unpadded form.
 */
const base64Forms = (bytes: Buffer): readonly string[] =>
  [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const decided = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [decided, decided.replaceAll('+', '-').replaceAll('/', '_')]
  })

/** The forms in which a key could be written: hex in both cases, plain or in pairs, base64, bytes. */
const formsOf = (key: string): readonly Buffer[] => {
  const bytes = Buffer.from(key, 'hex')
  const pairs = [' ', ':', '-'].map((between) => key.replace(/(..)(?=.)/g, `$1${between}`))
  const hex = [key, ...pairs].flatMap((text) => [text.toUpperCase(), text.toLowerCase()])
  const texts = [
    ...hex,
    ...base64Forms(bytes),
    ...base64Forms(Buffer.from(key.toUpperCase())),
    ...base64Forms(Buffer.from(key.toLowerCase())),
  ]
  return [...[...new Set(texts)].map((text) => Buffer.from(text)), bytes]
}

/** The forms of a secret that is a text, such as an API key: in both cases, in hex, in base64. */
const formsOfText = (secret: string): readonly Buffer[] =>
  [...new Set([secret, secret.toUpperCase(), secret.toLowerCase()])].flatMap((text) => {
    const hex = Buffer.from(text).toString('hex')
    return [text, hex, hex.toUpperCase(), ...base64Forms(Buffer.from(text))].map((form) => Buffer.from(form))
  })

/** Which artefacts hold one of the keys, or of the secrets that are texts, in any form; which one is not told. */
export const leaks = (
  keys: readonly string[],
  artefacts: Readonly<Record<string, string | Buffer>>,
  texts: readonly string[] = [],
): readonly string[] => {
  const numbers = keys.map((key) => [...Buffer.from(key, 'hex')].join(','))
  const forms = [...keys.flatMap(formsOf), ...texts.flatMap(formsOfText)]
  return Object.entries(artefacts).flatMap(([name, content]) => {
    const bytes = Buffer.from(content)
    // Arrays of numbers are printed in columns.
    const dense = bytes.toString('latin1').replace(/\s+/g, '')
    const isHeld = forms.some((form) => bytes.includes(form)) || numbers.some((form) => dense.includes(form))
    return isHeld ? [name] : []
  })
}

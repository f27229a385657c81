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

/** The forms in which a key could be written: hex in both cases, base64 of both alphabets, bytes. */
const formsOf = (key: string): readonly Buffer[] => {
  const bytes = Buffer.from(key, 'hex')
  const texts = [
    key.toUpperCase(),
    key.toLowerCase(),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    Buffer.from(key.toUpperCase()).toString('base64').replace(/=+$/, ''),
  ]
  return [...texts.map((text) => Buffer.from(text)), bytes]
}

/** Which artefacts hold one of the keys, in any form; the key itself is not told. */
export const leaks = (
  keys: readonly string[],
  artefacts: Readonly<Record<string, string | Buffer>>,
): readonly string[] => {
  const forms = keys.flatMap(formsOf)
  return Object.entries(artefacts).flatMap(([name, content]) => {
    const bytes = Buffer.from(content)
    return forms.some((form) => bytes.includes(form)) ? [name] : []
  })
}

import { visibleJson } from '../domain/json.ts'

const HIDDEN = '(hidden)'
const LONGEST = 60

/** Beginnings of credentials that people paste: API keys of The Things Stack and V2, age identities, PEM, bearer tokens. */
const CREDENTIAL = /NNSXS|AGE-SECRET|ttn-account|-----BEGIN|bearer\s/i

/** EUIs have 16 hex digits and are no secret; keys have 32. */
const KEY_LIKE = [
  /[0-9A-Fa-f]{20,}/,
  /(?:[0-9A-Fa-f]{2}[ :-]){9,}/,
  // base32, base64 and their kin: long, without a lower-case word in it
  /[A-Z2-7]{17,}/,
  /(?=[A-Za-z0-9+/_]*[A-Z])(?=[A-Za-z0-9+/_]*[a-z])(?=[A-Za-z0-9+/_]*[0-9])[A-Za-z0-9+/_]{20,}=*/,
]

/** Whether a text could be a credential or a key; errs on the side of yes. */
export const looksSecret = (text: string): boolean =>
  CREDENTIAL.test(text) || KEY_LIKE.some((pattern) => pattern.test(text))

/**
 * A value from the plan as a message may show it: quoted, on one line, cut at 60 characters, and hidden
 * where it could be a secret, because people do paste keys into the wrong field.
 */
export const shown = (value: unknown): string => {
  if (typeof value !== 'string') return value === null ? 'null' : String(value)
  if (looksSecret(value)) return HIDDEN
  const line = value.replace(/\s+/g, ' ')
  const characters = [...line]
  const cut = characters.length > LONGEST ? `${characters.slice(0, LONGEST - 3).join('')}...` : line
  return visibleJson(cut)
}

/**
 * A field name that the schema does not know: shown only where it reads like one, because what stands
 * before a colon may as well be a part of a pasted key.
 */
export const shownName = (name: string): string =>
  /^[a-z][A-Za-z_-]{0,30}[0-9]?[A-Za-z]{0,10}$/.test(name) && !looksSecret(name) ? `"${name}"` : HIDDEN

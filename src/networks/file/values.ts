import { parseDevAddr, parseDevEui, parseJoinEui } from '../../domain/identifiers.ts'
import type { Json } from '../../domain/json.ts'
import { canonicalMacVersion, canonicalPhyVersion } from '../../domain/lorawan-versions.ts'

/** What the cells of a column are. */
export type Kind =
  | 'text'
  | 'dev-eui'
  | 'join-eui'
  | 'dev-addr'
  | 'key'
  | 'counter'
  | 'boolean'
  | 'mac-version'
  | 'phy-version'
  | 'rx-delay'
  | 'class'
  | 'latitude'
  | 'longitude'
  | 'altitude'

export type Value =
  | { readonly value: Json; readonly repaired?: string }
  /** Sentence that goes on after the heading; never the value of a key. */
  | { readonly problem: string; readonly hint: string }

const AS_TEXT = 'format the column as text before you save it'

/** `7.01E+15` is what a spreadsheet makes of digits; those that it left out are lost. */
const SCIENTIFIC = /^\d(?:[.,]\d+)?E\+\d+$/i

/**
 * Hex digits of which a spreadsheet took the leading zeros: only where all are decimal, for others it takes for text. There
 * is one way to read them. A number of more than 15 digits has lost its last ones, so 16 digits are never made of it.
 */
const padded = (text: string, digits: number): string | undefined =>
  /^\d+$/.test(text) && text.length < digits ? text.padStart(digits, '0') : undefined

const identifier = (
  text: string,
  digits: number,
  parse: (text: string) => string | undefined,
  what: string,
): Value => {
  const value = parse(text)
  if (value !== undefined) return { value }
  if (SCIENTIFIC.test(text))
    return { problem: `${text} is a number of which a spreadsheet dropped digits`, hint: AS_TEXT }
  const whole = padded(text, digits)
  const repaired = whole === undefined ? undefined : parse(whole)
  if (repaired !== undefined)
    return { value: repaired, repaired: `${text} was read as ${repaired}: leading zeros were lost` }
  return { problem: `${text} is no ${what}`, hint: `write ${digits} hex digits` }
}

/** Keys are never completed, and never told. */
const key = (text: string): Value => {
  const hex = text.replace(/^0x/i, '').replace(/[\s:.-]/g, '')
  if (/^[0-9A-Fa-f]{32}$/.test(hex)) return { value: hex.toUpperCase() }
  if (SCIENTIFIC.test(text))
    return { problem: 'is a number of which a spreadsheet dropped digits', hint: AS_TEXT }
  const isHex = /^[0-9A-Fa-f]*$/.test(hex)
  return {
    problem: isHex ? `has ${hex.length} hex digits of 32` : 'is no key in hex',
    hint: 'write 32 hex digits',
  }
}

const counter = (text: string): Value =>
  /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff
    ? { value: Number(text) }
    : { problem: `${text} is no frame counter`, hint: 'write a whole number from 0 to 4294967295' }

const TRUE = ['true', 't', '1', 'yes']
const FALSE = ['false', 'f', '0', 'no']

const boolean = (text: string): Value => {
  const word = text.toLowerCase()
  if (TRUE.includes(word)) return { value: true }
  return FALSE.includes(word)
    ? { value: false }
    : { problem: `${text} is neither true nor false`, hint: 'write true or false' }
}

/** The Things Stack knows them by name; what looks like none would only be refused by it later. */
const version = (text: string, canonical: (text: string) => string, form: RegExp, example: string): Value => {
  const value = canonical(text)
  return form.test(value)
    ? { value }
    : { problem: `${text} is no version that is known`, hint: `write one such as ${example}` }
}

const rxDelay = (text: string): Value => {
  const seconds = Number(/^(?:RX_DELAY_)?(\d{1,2})(?: ?s)?$/i.exec(text)?.[1])
  return seconds >= 1 && seconds <= 15
    ? { value: seconds }
    : { problem: `${text} is no RX1 delay`, hint: 'write 1 to 15, in seconds' }
}

const deviceClass = (text: string): Value => {
  const letter = text.toUpperCase().replace(/^CLASS[ _-]?/, '')
  return ['A', 'B', 'C'].includes(letter)
    ? { value: letter }
    : { problem: `${text} is no class`, hint: 'write A, B or C' }
}

const degrees = (text: string, most: number, what: string): Value => {
  const value = /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  return Math.abs(value) <= most
    ? { value }
    : { problem: `${text} is no ${what}`, hint: `write -${most} to ${most}, with a decimal point` }
}

const altitude = (text: string): Value => {
  const value = /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Math.round(Number(text)) : Number.NaN
  return Math.abs(value) < 100_000 ? { value } : { problem: `${text} is no altitude`, hint: 'write metres' }
}

/** A cell that is not empty, as the field that it stands for. */
export const cellValue = (kind: Kind, text: string): Value => {
  switch (kind) {
    case 'text':
      // So a spreadsheet is told that a cell is no formula.
      return { value: text.replace(/^'(?=\s*[=+\-@])/, '') }
    case 'dev-eui':
      return identifier(text, 16, parseDevEui, 'DevEUI')
    case 'join-eui':
      return identifier(text, 16, parseJoinEui, 'JoinEUI')
    case 'dev-addr':
      return identifier(text, 8, parseDevAddr, 'DevAddr')
    case 'key':
      return key(text)
    case 'counter':
      return counter(text)
    case 'boolean':
      return boolean(text)
    case 'mac-version':
      return version(text, canonicalMacVersion, /^MAC_V\d/, '1.0.3')
    case 'phy-version':
      return version(text, canonicalPhyVersion, /^(?:PHY_V\d|RP00[12]_V\d|TS001_V\d)/, 'PHY_V1_0_3_REV_A')
    case 'rx-delay':
      return rxDelay(text)
    case 'class':
      return deviceClass(text)
    case 'latitude':
      return degrees(text, 90, 'latitude')
    case 'longitude':
      return degrees(text, 180, 'longitude')
    case 'altitude':
      return altitude(text)
  }
}

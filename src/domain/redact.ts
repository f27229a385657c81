/** Forms that are never anything else than a secret. */
const SECRETS: readonly RegExp[] = [
  /AGE-SECRET-KEY-1[0-9A-Z]+/gi,
  /NNSXS\.[A-Z0-9.]+/gi,
  /(?<=\bBearer\s+)\S+/gi,
  // 16 bytes and more in hex, with or without separators.
  /(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}[\s:-]?){15,}[0-9A-Fa-f]{2}(?![0-9A-Za-z])/g,
  // The same as an array of numbers, which is how Node prints bytes that are no Buffer, in columns.
  /(?<![\d.])(?:\d{1,3},\s*){15,}\d{1,3}(?![\d.])/g,
  // 16 and 32 bytes in base64 or base64url, padded.
  /(?<![\w+/-])[\w+/-]{22}(?:==|(?:%3D){2})/gi,
  /(?<![\w+/-])[\w+/-]{43}(?:=|%3D)/gi,
]

/** 16 or 32 bytes without padding, or more: words and paths may look like it, so the characters decide. */
const MAYBE = /(?<![\w+/-])(?:[\w+/-]{22}|[\w+/-]{43}|[\w+/]{64,}={0,2})(?![\w+/=-])/g

/**
 * Words of a name: capitals, if any, stand before at least two small letters. A word after the first begins with a capital or a
 * separator, so that a text can be read in one way only: it may be chosen by somebody who wants the reading to take for ever.
 */
const NAME = /^[A-Z]?[a-z]{2,}(?:[A-Z][a-z]{2,}|[/_-][A-Z]?[a-z]{2,})*[/_-]?$/

/** One key in forty has no digit: its capitals do not begin words. */
const isRandom = (text: string): boolean =>
  /[A-Z]/.test(text) && /[a-z]/.test(text) && (/[0-9]/.test(text) || !NAME.test(text))

/** The text with everything that looks like a key, token or identity replaced, in any form that keys are printed in. */
export const redact = (text: string): string =>
  SECRETS.reduce((safe, form) => safe.replace(form, '[redacted]'), text).replace(MAYBE, (found) =>
    isRandom(found) ? '[redacted]' : found,
  )

import type { Json } from './types.ts'

type Refuse = (reason: string) => never

/**
 * Fixed-length bytes: hexadecimal of any case, or base64 of the exact length; printed as upper-case hexadecimal.
 * An empty text is unset.
 */
export const decodeHexBytes = (value: Json, bytes: number, refuse: Refuse): Json | undefined => {
  if (typeof value !== 'string') return refuse('expected string')
  if (value === '') return undefined
  if (value.length === bytes * 2) {
    const wrong = /[^0-9A-Fa-f]/.exec(value)?.[0]
    if (wrong === undefined) return value.toUpperCase()
    const point = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return refuse(`encoding/hex: invalid byte: U+${point} '${wrong}'`)
  }
  const padded = 4 * Math.ceil(bytes / 3)
  const bare = Math.ceil((bytes * 4) / 3)
  if ((value.length === padded || value.length === bare) && /^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) {
    const decoded = Buffer.from(value, 'base64')
    if (decoded.length === bytes) return decoded.toString('hex').toUpperCase()
  }
  return refuse(
    `error:pkg/types:invalid_length (invalid length: want ${bytes} bytes, got ${[...value].length} runes)`,
  )
}

/** Bytes of any length: standard or URL-safe base64, padding optional; printed as padded standard base64. */
export const decodeBase64 = (value: Json, refuse: Refuse): Json | undefined => {
  if (typeof value !== 'string') return refuse('expected string')
  if (value === '') return undefined
  const wrong = /[^A-Za-z0-9+/_-]/.exec(value.replace(/=+$/, ''))
  if (wrong !== null) return refuse(`illegal base64 data at input byte ${wrong.index}`)
  return Buffer.from(value, 'base64').toString('base64')
}

const trimDigits = (digits: string): string => {
  const nano = digits.padEnd(9, '0')
  if (nano === '000000000') return ''
  if (nano.endsWith('000000')) return `.${nano.slice(0, 3)}`
  return nano.endsWith('000') ? `.${nano.slice(0, 6)}` : `.${nano}`
}

/** RFC 3339 in UTC, 0 to 9 decimals, which must end in Z; printed with 0, 3, 6 or 9 decimals. */
export const decodeTime = (value: Json, refuse: Refuse): Json | undefined => {
  if (typeof value !== 'string') return refuse('expected string')
  const parts = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/.exec(value)
  if (parts?.[1] === undefined || Number.isNaN(Date.parse(`${parts[1]}Z`))) {
    return refuse(`parsing time "${value}" as "2006-01-02T15:04:05.999999999Z": cannot parse "${value}"`)
  }
  return `${parts[1]}${trimDigits(parts[2] ?? '')}Z`
}

const unitNanoseconds: Readonly<Record<string, number>> = {
  h: 3_600e9,
  m: 60e9,
  s: 1e9,
  ms: 1e6,
  us: 1e3,
  µs: 1e3,
  ns: 1,
}

/** Durations such as "5s", "3.5s" or "1h30m"; printed in seconds with 0, 3, 6 or 9 decimals. */
export const decodeDuration = (value: Json, refuse: Refuse): Json | undefined => {
  if (typeof value !== 'string') return refuse('expected string')
  const sign = value.startsWith('-') ? '-' : ''
  const text = value.slice(sign.length)
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|us|µs|ns|s))+$/.test(text))
    return refuse(`time: invalid duration "${value}"`)
  let nanoseconds = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)) {
    nanoseconds += Number(number) * (unitNanoseconds[unit ?? ''] ?? 0)
  }
  const whole = Math.floor(nanoseconds / 1e9)
  return `${sign}${whole}${trimDigits(
    Math.round(nanoseconds - whole * 1e9)
      .toString()
      .padStart(9, '0'),
  )}s`
}

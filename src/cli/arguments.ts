import { InvalidArgumentError } from 'commander'
import { GUARDS } from '../domain/change-set.ts'

/** Reads the values of options; what is wrong ends with exit code 64 and the sentence here. */

const UNITS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
}

/** Days, hours, minutes and seconds in this order, such as `90s`, `2h` or `1h30m`, as milliseconds. */
export const parseDuration = (text: string): number => {
  if (!/^(?=.)(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?(?:\d{1,9}ms)?$/.test(text))
    throw new InvalidArgumentError('Write a time such as 90s, 30m or 2h.')
  return [...text.matchAll(/(\d+)(ms|[dhms])/g)].reduce(
    (total, [, count = '', unit = '']) => total + Number(count) * (UNITS[unit] ?? 0),
    0,
  )
}

/** A whole number, 0 or more. */
export const parseCount = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

export const parsePort = (text: string): number => {
  const port = parseCount(text)
  if (port > 65_533)
    throw new InvalidArgumentError('Write a port up to 65533: the next two are used as well.')
  return port
}

/** `blocked-devices=12`, added to those before. */
export const parseAllow = (
  text: string,
  before: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> => {
  const parts = /^([a-z-]+)=(\d{1,9})$/.exec(text)
  if (parts === null || !GUARDS.some((guard) => guard === parts[1]))
    throw new InvalidArgumentError(`Write NAME=COUNT, NAME one of ${GUARDS.join(', ')}.`)
  return { ...before, [parts[1] ?? '']: Number(parts[2]) }
}

/** A digest or its beginning: 10 hex digits or more, with or without `sha256:`. */
export const parseDigest = (text: string): string => {
  const hex = text
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, '')
  if (!/^[0-9a-f]{10,64}$/.test(hex))
    throw new InvalidArgumentError(
      'Write at least the first 10 digits of the digest that the preview ends with.',
    )
  return hex
}

export interface RateOption {
  readonly limit: number
  readonly windowMs: number
}

/** `100/1m`: so many requests in so much time. */
export const parseRate = (text: string): RateOption => {
  const parts = /^(\d{1,9})\/(.+)$/.exec(text)
  const limit = Number(parts?.[1] ?? 0)
  if (parts === null || limit === 0) throw new InvalidArgumentError('Write N/WINDOW, such as 100/1m.')
  const window = parts[2] ?? ''
  return { limit, windowMs: parseDuration(/^\d/.test(window) ? window : `1${window}`) }
}

/** Options that may be given again and again. */
export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

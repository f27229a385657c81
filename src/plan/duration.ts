const UNIT: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }

/** Longest duration that a plan may ask for. */
export const LONGEST_DURATION = 366 * 86_400_000

/**
 * Milliseconds of days, hours, minutes and seconds in this order, such as `24h` or `1h30m`; undefined for
 * anything else.
 */
export const parseDuration = (text: string): number | undefined => {
  if (!/^(?=.)(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}s)?$/.test(text)) return undefined
  let total = 0
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)([dhms])/g)) {
    total += Number(count) * (UNIT[unit] ?? 0)
  }
  return total
}

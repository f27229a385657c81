export type Headers = Readonly<Record<string, string>>

const seconds = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1000 : undefined

/**
 * How long a server asks to wait before the next request (milliseconds), or undefined where it does not say.
 * The Things Stack sends `x-rate-limit-retry` (seconds until the next request is allowed, 0 where it was not
 * refused) and `x-rate-limit-reset` (seconds until the limit is full again, taken where retry is missing);
 * proxies send `Retry-After`, seconds or an HTTP date.
 */
export const askedToWait = (headers: Headers, now: number): number | undefined => {
  const retry = seconds(headers['x-rate-limit-retry'])
  if (retry !== undefined && retry > 0) return retry
  const after = headers['retry-after']
  const inSeconds = seconds(after)
  if (inSeconds !== undefined) return inSeconds
  const date = after === undefined ? Number.NaN : Date.parse(after)
  if (!Number.isNaN(date)) return Math.max(0, date - now)
  const reset = seconds(headers['x-rate-limit-reset'])
  return reset !== undefined && reset > 0 ? reset : undefined
}

import { performance } from 'node:perf_hooks'
import type { Message } from './json/types.ts'
import { errors, fail, type StackError } from './things-stack/errors.ts'

/** So many requests per window, for each method, entity and token; the burst is the limit itself. */
export interface Rate {
  readonly limit: number
  readonly windowMs: number
  /** Full method names that are limited; all of them when left out. */
  readonly methods?: readonly string[]
  /** One bucket for each method and token, whatever it is asked for. */
  readonly perMethod?: boolean
}

/** What the limiter says to one request: headers in any case, an error when it is refused. */
interface Verdict {
  readonly headers: Readonly<Record<string, string>>
  readonly error: StackError | undefined
}

export interface RateLimiter {
  check(method: string, entity: string | undefined, tokenId: string | undefined): Verdict | undefined
}

/** A generic cell rate limiter with the headers and the refusal of the real server (API notes, section 3.5). */
export const createRateLimiter = (
  rate: Rate | undefined,
  now: () => number = () => performance.now(),
): RateLimiter => {
  const arrivals = new Map<string, number>()
  return {
    check: (method, entity, tokenId) => {
      if (rate === undefined || (rate.methods !== undefined && !rate.methods.includes(method)))
        return undefined
      const key = [
        `grpc:method:${method}`,
        rate.perMethod === true ? undefined : entity,
        tokenId === undefined ? undefined : `token:${tokenId}`,
      ]
        .filter((part) => part !== undefined)
        .join(':')
      const spacing = rate.windowMs / rate.limit
      const time = now()
      const earliest = Math.max(arrivals.get(key) ?? time, time)
      const wait = earliest + spacing - rate.windowMs - time
      const refused = wait > 0
      const arrival = refused ? earliest : earliest + spacing
      arrivals.set(key, arrival)
      const left = refused ? 0 : Math.floor((rate.windowMs - (arrival - time)) / spacing + 1e-9)
      const headers = {
        'x-rate-limit-limit': String(rate.limit),
        'x-rate-limit-available': String(left),
        'x-rate-limit-reset': String(Math.floor((arrival - time) / 1000)),
        'x-rate-limit-retry': String(refused ? Math.floor(wait / 1000) : 0),
      }
      const attributes: Message = { key, rate: rate.limit }
      return { headers, error: refused ? fail(errors.rateLimitExceeded, attributes) : undefined }
    },
  }
}

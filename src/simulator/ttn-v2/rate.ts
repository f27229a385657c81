import { performance } from 'node:perf_hooks'
import { V2Error } from './errors.ts'

/** Requests a second for each application and for each subject of a token, hard coded in V2. */
const PER_SECOND = 5

export interface V2RateLimiter {
  /** @throws when one of the names has asked too often */
  check(...names: readonly string[]): void
}

/** A bucket of as many requests as fit into a second, which fills evenly. */
export const createV2RateLimiter = (
  perSecond = PER_SECOND,
  now: () => number = () => performance.now(),
): V2RateLimiter => {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const take = (name: string): boolean => {
    const time = now()
    const known = buckets.get(name) ?? { tokens: perSecond, at: time }
    const tokens = Math.min(perSecond, known.tokens + ((time - known.at) / 1000) * perSecond)
    buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: time })
    return tokens >= 1
  }
  return {
    check: (...names) => {
      for (const name of new Set(names))
        if (!take(name))
          throw new V2Error(`Internal error: [ResourceExhausted] Rate limit for client "${name}" reached`)
    },
  }
}

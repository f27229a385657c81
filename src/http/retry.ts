import type { Failure } from './failures.ts'
import { askedToWait, type Headers } from './rate-limit.ts'

/** One attempt: an answer with any status, or none. */
export type Outcome =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Headers
      readonly bytes: Buffer
    }
  | { readonly kind: 'failure'; readonly failure: Failure; readonly cause: unknown }

export interface Patience {
  /** Attempts in all, answers of 429 not counted. */
  readonly attempts: number
  /** The longest single wait (milliseconds); a server that asks for more is asked again after this. */
  readonly longestWait: number
  /** Milliseconds that one request waits in all because of 429. */
  readonly rateLimitPatience: number
}

export const DEFAULT_PATIENCE: Patience = {
  attempts: 6,
  longestWait: 120_000,
  rateLimitPatience: 900_000,
}

export interface Progress {
  /** Attempts that ended otherwise than in 429, the present one included where it did. */
  readonly attempts: number
  /** Answers of 429 so far, the present one included. */
  readonly refusals: number
  /** Milliseconds waited because of 429. */
  readonly waited: number
}

export type Decision =
  | { readonly again: false }
  | {
      readonly again: true
      readonly waitMs: number
      readonly reason: string
      /** What the server asked for (milliseconds), where it did. */
      readonly askedMs?: number
    }

const DONE: Decision = { again: false }
const FIRST_WAIT = 500
const LONGEST_BACKOFF = 30_000

/** Full jitter: anything up to a bound that doubles from half a second to half a minute. */
const backoff = (times: number, random: number): number =>
  Math.round(random * Math.min(LONGEST_BACKOFF, FIRST_WAIT * 2 ** Math.min(times, 16)))

/** Statuses that may pass, with the attempts that are worth it: a 500 may as well be a mistake that stays. */
const PASSING_STATUS: ReadonlyMap<number, number> = new Map([
  [408, Number.POSITIVE_INFINITY],
  [425, Number.POSITIVE_INFINITY],
  [500, 3],
  [502, Number.POSITIVE_INFINITY],
  [503, Number.POSITIVE_INFINITY],
  [504, Number.POSITIVE_INFINITY],
])

/**
 * Whether and when a request is tried again. A read is, whatever passing trouble it met. A write is only where it
 * certainly had no effect: the server answered 429, or the connection never came about. After a 5xx, a timeout
 * or a lost connection the effect of a write is unknown, and the caller has to read before it decides.
 */
export const decide = (
  outcome: Outcome,
  read: boolean,
  progress: Progress,
  patience: Patience,
  now: number,
  random: number,
): Decision => {
  if (outcome.kind === 'answer' && outcome.status === 429) {
    const askedMs = askedToWait(outcome.headers, now)
    // Those who were refused together shall not come back together.
    const jitter = Math.round(random * 250)
    const wanted = askedMs === undefined ? backoff(progress.refusals + 1, random) : askedMs + jitter
    const waitMs = Math.min(wanted, patience.longestWait)
    if (progress.waited + waitMs > patience.rateLimitPatience) return DONE
    return { again: true, waitMs, reason: 'RateLimited', ...(askedMs === undefined ? {} : { askedMs }) }
  }
  const passing =
    outcome.kind === 'answer'
      ? read && progress.attempts < (PASSING_STATUS.get(outcome.status) ?? 0)
      : outcome.failure.passing && (read || outcome.failure.neverSent)
  if (!passing || progress.attempts >= patience.attempts) return DONE
  const askedMs = outcome.kind === 'answer' ? askedToWait(outcome.headers, now) : undefined
  return {
    again: true,
    waitMs: Math.min(askedMs ?? backoff(progress.attempts, random), patience.longestWait),
    reason: outcome.kind === 'answer' ? 'ServerError' : outcome.failure.code,
    ...(askedMs === undefined ? {} : { askedMs }),
  }
}

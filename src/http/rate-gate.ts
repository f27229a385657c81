import type { Headers } from './rate-limit.ts'
import type { Timing } from './timing.ts'

/** What an answer tells of the bucket that its request was counted in. */
interface Bucket {
  /** Requests that a full bucket allows at once. */
  readonly limit: number
  /** Requests that it allows now. */
  readonly available: number
  /** Milliseconds until it is full. */
  readonly reset: number
  /** Milliseconds that a refused request is asked to wait; 0 where it is not told. */
  readonly retry: number
}

const numberIn = (headers: Headers, name: string): number | undefined => {
  const text = headers[name]
  return text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined
}

/**
 * The Things Stack tells of its buckets with every answer: `x-rate-limit-limit`, `-available`, and in whole seconds `-reset` and
 * `-retry`, cut down, so that less than a second reads as 0. Undefined where nothing is limited.
 */
const bucketOf = (headers: Headers): Bucket | undefined => {
  const limit = numberIn(headers, 'x-rate-limit-limit')
  const available = numberIn(headers, 'x-rate-limit-available')
  if (limit === undefined || limit <= 0 || available === undefined) return undefined
  return {
    limit,
    available,
    reset: 1000 * (numberIn(headers, 'x-rate-limit-reset') ?? 0),
    retry: 1000 * (numberIn(headers, 'x-rate-limit-retry') ?? 0),
  }
}

/** Whether a request was refused because its own bucket is empty, which says nothing of how busy the server is. */
export const isBucketEmpty = (status: number, headers: Headers): boolean =>
  status === 429 && bucketOf(headers) !== undefined

export interface RateGate {
  /** Waits until its bucket may allow a request. @param again it was refused before: it goes first */
  enter(again: boolean): Promise<void>
  /** What an answer told; a request that entered may get more than one. */
  told(status: number, headers: Headers): void
  /** The request that entered is over. */
  leave(): void
  /** Milliseconds since the bucket allowed something. */
  refusedFor(): number
  /** Milliseconds until it is asked again. */
  waits(): number
}

/** What is waited at least for an empty bucket (milliseconds): what it gains meanwhile is not lost, it is told with the next answer. */
const SHORTEST = 25
/** A cut-down second is half a second more, on average. */
const CUT = 500

/**
 * Keeps requests of one kind to what their bucket allows, and uses all of that: requests go while the bucket holds some, and once
 * it is empty nothing is sent until it was filled by one or more. Requests of other kinds go on meanwhile.
 * @param longest milliseconds that are waited at most, whatever is asked for
 */
export const createRateGate = (timing: Timing, longest: number, signal?: AbortSignal): RateGate => {
  let room = Number.POSITIVE_INFINITY
  let opensAt = 0
  let underWay = 0
  let refusedSince: number | undefined
  let isWaking = false
  let waiting: { readonly start: () => void; readonly leave: () => void }[] = []

  const leaveAll = (): void => {
    const left = waiting
    waiting = []
    for (const { leave } of left) leave()
  }
  const wake = async (): Promise<void> => {
    isWaking = true
    // An abort is the business of those who wait.
    await timing.sleep(opensAt - timing.now(), signal).catch(() => undefined)
    isWaking = false
    admit()
  }
  const admit = (): void => {
    while (waiting.length > 0 && underWay < room) {
      if (timing.now() < opensAt) {
        if (!isWaking) void wake()
        return
      }
      underWay += 1
      waiting.shift()?.start()
    }
  }
  const pause = ({ limit, reset, retry }: Bucket): void => {
    const each = Math.max(1, (reset + CUT) / limit)
    const wait = retry > 0 ? Math.min(retry, longest) + 250 * timing.random() : Math.max(SHORTEST, each)
    opensAt = Math.max(opensAt, timing.now() + wait)
    room = Math.max(1, Math.floor(wait / each))
  }
  // One listener for all, as in the pacer.
  signal?.addEventListener('abort', leaveAll, { once: true })

  return {
    enter: (again) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const entry = { start: resolve, leave: () => reject(signal?.reason) }
        if (again) waiting.unshift(entry)
        else waiting.push(entry)
        admit()
      }),
    told: (status, headers) => {
      const bucket = bucketOf(headers)
      const isRefused = status === 429 && bucket !== undefined
      refusedSince = isRefused ? (refusedSince ?? timing.now()) : undefined
      if (bucket === undefined) room = Number.POSITIVE_INFINITY
      else if (isRefused || bucket.available === 0) pause(bucket)
      else room = bucket.available
    },
    leave: () => {
      underWay -= 1
      admit()
    },
    refusedFor: () => (refusedSince === undefined ? 0 : timing.now() - refusedSince),
    waits: () => Math.max(0, opensAt - timing.now()),
  }
}

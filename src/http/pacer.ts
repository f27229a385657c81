import type { Timing } from './timing.ts'

/** How a request ended, as far as pacing cares. */
type Pace =
  /** Answered, by whatever status. */
  | 'answered'
  /** 429, 5xx, or no answer at all: the server, or the way to it, has too much to do. */
  | 'overloaded'

/** A request's place among those at once. It is kept while the request waits for its next attempt. */
export interface Slot {
  /** An attempt of a kind leaves now; answers are compared with others of their kind. */
  started(kind: string): void
  /** It has ended. */
  ended(pace: Pace): void
  /** Gives the place to the next request. */
  release(): void
}

export interface Pacer {
  /** Waits for a place. Rejects with the reason of the pacer's signal when that is aborted. */
  acquire(): Promise<Slot>
  /** Requests at once that are allowed now. */
  readonly limit: number
  readonly inFlight: number
}

/** Requests at once when nothing is known of the server. */
const START = 4
/** An answer within this time is quick, whatever the others took (milliseconds). */
const ALWAYS_QUICK = 15
/** An answer within so many times the quickest of its kind is quick. */
const QUICK_FACTOR = 2
/** An answer that took longer than this counts as an overload (milliseconds). */
const TOO_SLOW = 5_000
/** The quickest answer is forgotten slowly, so that a network that became slower is not slow for ever. */
const BASELINE_DRIFT = 1.001

/**
 * Bounds how many requests are under way at one origin, and adapts the bound: additive increase,
 * multiplicative decrease, as TCP does. It starts at 4, grows by one for each quick answer until the first
 * overload (so it doubles while a window of answers comes in), then by one for each window. An overload halves
 * it, once for all requests that were under way at that time. It grows only while at least half is in use, and
 * not once answers take twice as long as they did: then the server is at its limit, and more requests at once
 * would only wait there (a self-hosted server runs out of database connections below a hundred).
 */
export const createPacer = (max: number, timing: Timing, signal?: AbortSignal): Pacer => {
  const most = Math.max(1, Math.floor(max))
  let limit = Math.min(START, most)
  let threshold = most
  let inFlight = 0
  let window = 0
  const quickest = new Map<string, number>()
  let waiting: { readonly start: () => void; readonly leave: () => void }[] = []

  const admit = () => {
    while (inFlight < Math.floor(limit)) {
      const next = waiting.shift()
      if (next === undefined) return
      next.start()
    }
  }
  // One listener for all: a signal looks through those that it has for each one that is added.
  signal?.addEventListener(
    'abort',
    () => {
      const left = waiting
      waiting = []
      for (const { leave } of left) leave()
    },
    { once: true },
  )

  const grow = (kind: string, latency: number) => {
    const baseline = Math.min(latency, (quickest.get(kind) ?? latency) * BASELINE_DRIFT)
    quickest.set(kind, baseline)
    const quick = latency <= Math.max(ALWAYS_QUICK, QUICK_FACTOR * baseline)
    if (!quick || inFlight * 2 < limit) return
    limit = Math.min(most, limit + (limit < threshold ? 1 : 1 / limit))
  }

  const occupy = (): Slot => {
    inFlight += 1
    let kind = ''
    let began = timing.now()
    let beganIn = window
    let held = true
    return {
      started: (of) => {
        kind = of
        began = timing.now()
        beganIn = window
      },
      ended: (pace) => {
        const latency = timing.now() - began
        if (pace === 'answered' && latency < TOO_SLOW) grow(kind, latency)
        else if (beganIn === window) {
          limit = Math.max(1, Math.floor(limit / 2))
          threshold = limit
          window += 1
        }
      },
      release: () => {
        if (!held) return
        held = false
        inFlight -= 1
        admit()
      },
    }
  }

  return {
    acquire: () =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        waiting.push({ start: () => resolve(occupy()), leave: () => reject(signal?.reason) })
        admit()
      }),
    get limit() {
      return Math.floor(limit)
    },
    get inFlight() {
      return inFlight
    },
  }
}

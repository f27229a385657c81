import { type Environment, envNumber, systemTiming, type Timing } from '../../http/index.ts'

/** What V2 allows an application, hard coded there. */
const REQUESTS_PER_SECOND = 5

/**
 * Lets requests leave in their order, evenly, and no more of them than the network takes: one that is too early is not
 * only refused, it counts against those that follow.
 */
export const createThrottle = (
  perSecond: number,
  signal?: AbortSignal,
  timing: Timing = systemTiming,
): (() => Promise<void>) => {
  let next = 0
  return async () => {
    const now = timing.now()
    const at = Math.max(now, next)
    next = at + 1_000 / perSecond
    if (at > now) await timing.sleep(at - now, signal)
  }
}

/** `FERRY_V2_REQUESTS_PER_SECOND` is for a Stack V2 of one's own whose limit was raised. */
export const requestsPerSecond = (env: Environment): number =>
  envNumber(env, 'FERRY_V2_REQUESTS_PER_SECOND', REQUESTS_PER_SECOND, 1_000)

import { systemTiming, type Timing } from '../../http/index.ts'

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

/** `FERRY_V2_REQUESTS_PER_SECOND` is for a Stack V2 of one's own whose limit was raised; anything else than 1 to 1000 is 5. */
export const requestsPerSecond = (env: Readonly<Record<string, string | undefined>>): number => {
  const given = Number(env['FERRY_V2_REQUESTS_PER_SECOND'] ?? REQUESTS_PER_SECOND)
  return Number.isInteger(given) && given >= 1 && given <= 1_000 ? given : REQUESTS_PER_SECOND
}

import type { Timing } from '../../../src/http/timing.ts'

export interface FakeTiming extends Timing {
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: readonly number[]
  advance(milliseconds: number): void
}

/** Time that passes only when somebody sleeps, at once; chance is always the same. */
export const fakeTiming = (random = 0.5): FakeTiming => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    random: () => random,
    advance: (milliseconds) => {
      now += milliseconds
    },
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted()
      waits.push(milliseconds)
      now += milliseconds
    },
  }
}

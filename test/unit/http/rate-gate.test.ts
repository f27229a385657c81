import { describe, expect, test } from 'vitest'
import { createRateGate, isBucketEmpty } from '../../../src/http/rate-gate.ts'
import { fakeTiming } from './clock.ts'

const bucket = (available: number, more: { readonly reset?: number; readonly retry?: number } = {}) => ({
  'x-rate-limit-limit': '100',
  'x-rate-limit-available': String(available),
  'x-rate-limit-reset': String(more.reset ?? 0),
  'x-rate-limit-retry': String(more.retry ?? 0),
})
const LONGEST = 120_000

/** Counts those that are let in. */
const enterAll = (gate: ReturnType<typeof createRateGate>, names: readonly string[]): string[] => {
  const entered: string[] = []
  for (const name of names) void gate.enter(false).then(() => entered.push(name))
  return entered
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the gate of a rate limit', () => {
  test('is open where nothing is limited', async () => {
    const gate = createRateGate(fakeTiming(), LONGEST)
    const entered = enterAll(gate, ['a', 'b', 'c'])
    gate.told(200, {})
    await settled()
    expect(entered).toEqual(['a', 'b', 'c'])
    expect(gate.waits()).toBe(0)
  })

  test('lets no more go than the bucket holds', async () => {
    const gate = createRateGate(fakeTiming(), LONGEST)
    await gate.enter(false)
    gate.told(200, bucket(2))
    gate.leave()
    const entered = enterAll(gate, ['a', 'b', 'c'])
    await settled()
    expect(entered).toEqual(['a', 'b'])
    gate.leave()
    await settled()
    expect(entered).toEqual(['a', 'b', 'c'])
  })

  test('waits for an empty one by what is told of it, without being refused', async () => {
    const timing = fakeTiming()
    const gate = createRateGate(timing, LONGEST)
    await gate.enter(false)
    gate.told(200, bucket(0, { reset: 59 }))
    gate.leave()
    expect(gate.waits()).toBe(595)
    await gate.enter(false)
    expect(timing.waits).toEqual([595])
  })

  test('waits as long as it is asked, but not longer than the longest wait', async () => {
    const timing = fakeTiming(0)
    const gate = createRateGate(timing, LONGEST)
    await gate.enter(false)
    gate.told(429, bucket(0, { reset: 59, retry: 9 }))
    gate.leave()
    expect(gate.waits()).toBe(9_000)
    await gate.enter(true)
    gate.told(429, bucket(0, { retry: 86_400 }))
    expect(gate.waits()).toBe(LONGEST)
    expect(gate.refusedFor()).toBe(9_000)
    gate.told(200, bucket(5))
    expect(gate.refusedFor()).toBe(0)
  })

  test('lets the refused one go first', async () => {
    const gate = createRateGate(fakeTiming(0), LONGEST)
    await gate.enter(false)
    gate.told(429, bucket(0, { reset: 59, retry: 1 }))
    const entered = enterAll(gate, ['next'])
    void gate.enter(true).then(() => entered.push('again'))
    gate.leave()
    await settled()
    expect(entered).toEqual(['again'])
  })

  test('is left by all when the run is interrupted', async () => {
    const abort = new AbortController()
    const gate = createRateGate(fakeTiming(0), LONGEST, abort.signal)
    await gate.enter(false)
    gate.told(200, bucket(1))
    const waiting = gate.enter(false)
    abort.abort(new Error('left'))
    await expect(waiting).rejects.toThrow('left')
    await expect(gate.enter(false)).rejects.toThrow('left')
  })

  test('knows an empty bucket from a server that is busy', () => {
    expect(isBucketEmpty(429, bucket(0))).toBe(true)
    expect(isBucketEmpty(200, bucket(0))).toBe(false)
    expect(isBucketEmpty(429, { 'retry-after': '3' })).toBe(false)
  })
})

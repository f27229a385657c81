import { describe, expect, test } from 'vitest'
import { createPacer, type Pacer, type Slot } from '../../../src/http/pacer.ts'
import { type FakeTiming, fakeTiming } from './clock.ts'

const take = (pacer: Pacer, count: number): Promise<readonly Slot[]> =>
  Promise.all(Array.from({ length: count }, () => pacer.acquire()))

const end = (slots: readonly Slot[], pace: 'answered' | 'overloaded') => {
  for (const slot of slots) {
    slot.ended(pace)
    slot.release()
  }
}

/** A window of requests that all take so long. */
const answerAfter = async (pacer: Pacer, timing: FakeTiming, milliseconds: number, kind = 'read') => {
  const slots = await take(pacer, pacer.limit)
  for (const slot of slots) slot.started(kind)
  timing.advance(milliseconds)
  for (const slot of slots) slot.ended('answered')
  for (const slot of slots) slot.release()
}

describe('the pacer', () => {
  test('starts with four, or fewer where fewer are allowed', () => {
    expect(createPacer(64, fakeTiming()).limit).toBe(4)
    expect(createPacer(2, fakeTiming()).limit).toBe(2)
    expect(createPacer(0, fakeTiming()).limit).toBe(1)
  })

  test('doubles with each window of quick answers, up to the most', async () => {
    const pacer = createPacer(20, fakeTiming())
    const limits = []
    for (let window = 0; window < 4; window += 1) {
      // Taken one by one they would not fill half of the limit, and it would not grow.
      const slots = await take(pacer, pacer.limit)
      for (const slot of slots) slot.ended('answered')
      for (const slot of slots) slot.release()
      limits.push(pacer.limit)
    }
    expect(limits).toEqual([8, 16, 20, 20])
  })

  test('halves once for all that were under way, and grows by one a window from then on', async () => {
    const pacer = createPacer(64, fakeTiming())
    for (let window = 0; window < 2; window += 1) {
      const slots = await take(pacer, pacer.limit)
      for (const slot of slots) slot.ended('answered')
      for (const slot of slots) slot.release()
    }
    expect(pacer.limit).toBe(16)
    end(await take(pacer, 16), 'overloaded')
    expect(pacer.limit).toBe(8)
    const slots = await take(pacer, 8)
    for (const slot of slots) slot.ended('answered')
    for (const slot of slots) slot.release()
    expect(pacer.limit).toBeLessThanOrEqual(9)
    end(await take(pacer, 1), 'overloaded')
    expect(pacer.limit).toBe(4)
  })

  test('never goes below one', async () => {
    const pacer = createPacer(4, fakeTiming())
    for (let times = 0; times < 5; times += 1) end(await take(pacer, 1), 'overloaded')
    expect(pacer.limit).toBe(1)
  })

  test('does not grow while little of it is used, nor while answers are slow', async () => {
    const idle = createPacer(64, fakeTiming())
    for (let times = 0; times < 20; times += 1) end(await take(idle, 1), 'answered')
    expect(idle.limit).toBe(4)

    const timing = fakeTiming()
    const slow = createPacer(64, timing)
    await answerAfter(slow, timing, 100)
    expect(slow.limit).toBe(8)
    await answerAfter(slow, timing, 199)
    expect(slow.limit).toBe(16)
    await answerAfter(slow, timing, 220)
    expect(slow.limit).toBe(16)
  })

  test('compares answers with those of their kind', async () => {
    const timing = fakeTiming()
    const pacer = createPacer(64, timing)
    await answerAfter(pacer, timing, 20, 'read')
    await answerAfter(pacer, timing, 300, 'write')
    expect(pacer.limit).toBe(16)
  })

  test('takes an answer of more than five seconds for an overload', async () => {
    const timing = fakeTiming()
    const pacer = createPacer(64, timing)
    await answerAfter(pacer, timing, 5_001)
    expect(pacer.limit).toBe(2)
  })

  test('lets the next one in when a place is given back, and forgets those who left', async () => {
    const abort = new AbortController()
    const pacer = createPacer(1, fakeTiming(), abort.signal)
    const [first] = await take(pacer, 1)
    const next = pacer.acquire()
    const left = [pacer.acquire(), pacer.acquire()]
    first?.release()
    first?.release()
    await next
    expect(pacer.inFlight).toBe(1)
    abort.abort(new Error('left'))
    for (const one of left) await expect(one).rejects.toThrow('left')
    await expect(pacer.acquire()).rejects.toThrow('left')
  })
})

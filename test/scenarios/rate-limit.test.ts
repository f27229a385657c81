import { expect, test } from 'vitest'
import { startMigration } from '../support/migration.ts'

const DEVICES = 150
/** As 100 requests a minute, in less time. */
const RATE = { limit: 100, windowMs: 2_000, perMethod: true }
const WINDOWS = 10

/** What servers limit: the method of the API, not the device that it is asked for. */
const methodOf = (network: string, { method, path }: { readonly method: string; readonly path: string }) =>
  `${network} ${method} ${(path.split('?')[0] ?? '').replace(/\/devices\/[^/]+/, '/devices/:device')}`

test('under a rate limit no device fails, and the busiest method uses what it is allowed', {
  timeout: 120_000,
}, async () => {
  const allowed = new Map<string, number[]>()
  let refused = 0
  const stage = await startMigration({
    simulator: {
      fleet: DEVICES,
      rate: RATE,
      onAnswer: (network, request) => {
        if (request.status === 429) {
          refused += 1
          return
        }
        const method = methodOf(network, request)
        allowed.set(method, [...(allowed.get(method) ?? []), performance.now()])
      },
    },
  })
  try {
    await stage.writePlan('policy: { persistSession: true }')
    const outcome = await stage.apply()
    if (outcome.status !== 'applied') throw new Error(outcome.status)
    expect(outcome.result.counts).toMatchObject({ waiting: DEVICES, failed: 0 })

    const [busiest] = [...allowed.values()].sort((a, b) => b.length - a.length)
    const times = busiest ?? []
    // The first window has what the full bucket held at the start; the last ends with the run.
    const begin = (times[0] ?? 0) + RATE.windowMs
    const windows = Array.from(
      { length: WINDOWS },
      (_, index) => times.filter((time) => Math.floor((time - begin) / RATE.windowMs) === index).length,
    )
    expect((times.at(-1) ?? 0) - begin).toBeGreaterThan(WINDOWS * RATE.windowMs)
    const used = windows.reduce((sum, count) => sum + count, 0) / (WINDOWS * RATE.limit)
    expect(used).toBeGreaterThanOrEqual(0.95)
    expect(refused).toBeLessThan(times.length)
  } finally {
    await stage.close()
  }
})

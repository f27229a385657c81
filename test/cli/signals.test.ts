import { afterEach, describe, expect, test } from 'vitest'
import { createPlace, type Ended, type Place } from './support.ts'

let place: Place
afterEach(() => place.close())

const ALL = '{ ids: [meter-102, meter-103, meter-104, sensor-110, valve-abp, tracker-19] }'

/** Starts an apply, and sends signals once the first device is on the target. */
const interrupted = async (signals: readonly NodeJS.Signals[]): Promise<Ended> => {
  place = await createPlace({ latencyMs: 20 })
  await place.plan({ include: ALL, rest: 'rollout: { maxConcurrency: 2 }\n' })
  const [first = 'SIGINT', second] = signals
  let isSent = false
  return place.ferry(['apply', 'plan.yaml', '--yes', '--json-lines'], {
    onOutput: (text, kill) => {
      if (isSent || !text.includes('"device.done"')) return
      isSent = true
      kill(first)
      if (second !== undefined) setTimeout(() => kill(second), 50)
    },
  })
}

const statusOf = async (): Promise<Readonly<Record<string, number>>> => {
  const { code, stdout } = await place.ferry(['status', 'plan.yaml', '--json'])
  expect(code).toBe(0)
  return (JSON.parse(stdout) as { readonly summary: Readonly<Record<string, number>> }).summary
}

const finishes = async (): Promise<void> => {
  const again = await place.ferry(['apply', 'plan.yaml', '--yes', '--json'])
  expect([again.code, again.stderr]).toEqual([7, expect.not.stringContaining('error:')])
  expect(await statusOf()).toEqual({ devices: 6, waiting: 6 })
}

describe('an interrupted apply', () => {
  test('finishes what is in flight on Ctrl-C, ends with 130, and a later run goes on', async () => {
    const { code, stderr } = await interrupted(['SIGINT'])
    expect(code).toBe(130)
    expect(stderr).toContain('finishing what is in flight')
    const { devices = 0, waiting = 0 } = await statusOf()
    expect(devices).toBeLessThan(6)
    expect(waiting).toBeGreaterThan(0)
    await finishes()
  })

  test('ends with 143 when it is terminated', async () => {
    const { code } = await interrupted(['SIGTERM'])
    expect(code).toBe(143)
    await finishes()
  })

  test('stops at once when it is asked twice, and a later run goes on', async () => {
    const began = Date.now()
    const { code } = await interrupted(['SIGINT', 'SIGINT'])
    expect(code).toBe(130)
    expect(Date.now() - began).toBeLessThan(15_000)
    await finishes()
  })
})

test('a plan that is interrupted ends at once, without a preview', async () => {
  place = await createPlace({ latencyMs: 300 })
  await place.plan({ include: ALL })
  let isSent = false
  const { code, stdout, stderr } = await place.ferry(['plan', 'plan.yaml'], {
    onError: (_text, kill) => {
      if (!isSent) setTimeout(() => kill('SIGINT'), 500)
      isSent = true
    },
  })
  expect([code, stdout]).toEqual([130, ''])
  expect(stderr).toContain('interrupted')
})

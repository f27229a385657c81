import { expect, test } from 'vitest'
import { startMigration } from '../support/migration.ts'
import { call, type Store, storeOf } from '../support/stack-api.ts'

/** `npm run test:large` takes 10,000. */
const DEVICES = Number(process.env['FERRY_TEST_DEVICES'] ?? 200)
/** One in a hundred: those whose number ends in 07. */
const FAILING = /meter-\d*07$/

const isFailing = (key: string): boolean => FAILING.test(key)
const mutedIn = (store: Store, isChosen: (key: string) => boolean): number =>
  Object.entries(store.networkServer).filter(
    ([key, record]) =>
      isChosen(key) &&
      (record as { mac_settings?: { schedule_downlinks?: boolean } }).mac_settings?.schedule_downlinks ===
        false,
  ).length

test(`of ${DEVICES} devices one in a hundred fails, keeps its source, and crosses when the cause is mended`, {
  timeout: 1_800_000,
}, async () => {
  const stage = await startMigration({ simulator: { fleet: DEVICES } })
  const failing = Math.floor((DEVICES + 92) / 100)
  try {
    await stage.writePlan('policy: { persistSession: true }\nrollout: { maxFailures: 2% }')
    await call(stage.target, 'POST', '/simulator/v1/faults', {
      faults: [
        {
          registry: 'ns',
          method: 'PUT',
          path: FAILING.source,
          do: { status: 400, body: { code: 3, message: 'refused by the test' } },
        },
      ],
    })
    const first = await stage.apply()
    if (first.status !== 'applied') throw new Error(first.status)
    expect(first.result.stopped).toBeUndefined()
    expect(first.result.counts).toMatchObject({ failed: failing, waiting: DEVICES - failing })
    expect(
      first.result.devices
        .filter(({ status }) => status === 'failed')
        .every(({ device }) => isFailing(device)),
    ).toBe(true)

    const source = await storeOf(stage.source)
    expect(mutedIn(source, isFailing), 'failing devices whose source is silent').toBe(0)
    expect(mutedIn(source, (key) => !isFailing(key))).toBe(DEVICES - failing)
    const target = await storeOf(stage.target)
    for (const registry of ['identityServer', 'joinServer', 'networkServer', 'applicationServer'] as const) {
      const keys = Object.keys(target[registry])
      expect(keys.filter(isFailing), `what the target's ${registry} holds of those that failed`).toEqual([])
      expect(keys).toHaveLength(DEVICES - failing)
    }

    await call(stage.target, 'DELETE', '/simulator/v1/faults')
    const second = await stage.apply()
    if (second.status !== 'applied') throw new Error(second.status)
    expect(second.result.counts).toMatchObject({ failed: 0, waiting: DEVICES })
    expect(mutedIn(await storeOf(stage.source), () => true)).toBe(DEVICES)
    expect(mutedIn(await storeOf(stage.target), () => true)).toBe(0)
  } finally {
    await stage.close()
  }
})

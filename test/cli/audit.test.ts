import { afterAll, beforeAll, expect, test } from 'vitest'
import { allPrinted, createPlace, keysIn, type Place } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
  await place.plan()
})
afterAll(() => place.close())

interface AuditDocument {
  readonly kind: string
  readonly verdict: string
  readonly findings: readonly { readonly kind: string; readonly side: string; readonly device: string }[]
  readonly devices: readonly {
    readonly device: string | null
    readonly on_source: { readonly held: readonly string[] }
  }[]
}

test('audit tells the half-registered device of the sample, as text and as JSON, and ends with 8', async () => {
  const text = await place.ferry(['audit', 'plan.yaml'])
  expect([text.code, text.stdout]).toEqual([
    8,
    expect.stringMatching(/\nFOUND {2}\d+ devices in building-a on /),
  ])
  const json = await place.ferry(['audit', 'plan.yaml', '--json'])
  expect(json.code).toBe(8)
  const document = JSON.parse(json.stdout) as AuditDocument
  expect([document.kind, document.verdict]).toEqual(['audit', 'found'])
  expect(document.findings).toMatchObject([
    { kind: 'half-registered', side: 'source', device: 'sensor-half' },
  ])
  expect(document.devices.find(({ device }) => device === 'meter-103')?.on_source.held).toEqual([
    'IS',
    'JS',
    'AS',
    'NS',
  ])
})

test('audit ends with 0 where nothing is wrong', async () => {
  const clean = await createPlace()
  try {
    await clean.plan()
    const [source] = clean.simulator.networks
    for (const registry of ['as/', 'ns/', 'js/', ''])
      await fetch(`${source.url}/api/v3/${registry}applications/building-a/devices/sensor-half`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${source.apiKey}` },
      })
    const ended = await clean.ferry(['audit', 'plan.yaml'])
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/^CLEAN {2}/)])
  } finally {
    await clean.close()
  }
})

test('audit refuses as other commands do: a plan that is not there, a key that is wrong', async () => {
  expect((await place.ferry(['audit', 'nowhere.yaml'])).code).toBe(3)
  expect((await place.ferry(['audit', 'plan.yaml'], { env: { SOURCE_API_KEY: '' } })).code).toBe(9)
  const wrong = `NNSXS.${'A'.repeat(39)}.${'B'.repeat(52)}`
  const ended = await place.ferry(['audit', 'plan.yaml'], { env: { SOURCE_API_KEY: wrong } })
  expect([ended.code, ended.stdout]).toEqual([9, ''])
  expect((await place.ferry(['audit'])).code).toBe(64)
})

test('audit prints no key', () => {
  expect(keysIn(allPrinted(), [place.env['SOURCE_API_KEY'] ?? ''])).toEqual([])
})

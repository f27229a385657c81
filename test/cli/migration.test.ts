import { readdir, readFile, stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { radioOf, virtualDeviceOf } from '../../src/simulator/virtual-device.ts'
import { allPrinted, createPlace, keysIn, type Place } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
  await place.plan()
})
afterAll(() => place.close())

const documentOf = (text: string): Readonly<Record<string, unknown>> =>
  JSON.parse(text) as Readonly<Record<string, unknown>>

describe('a migration from the plan to the second apply', () => {
  test('the plan is valid, as text and as JSON', async () => {
    const text = await place.ferry(['validate', 'plan.yaml'])
    expect(text.code).toBe(0)
    expect(text.stdout).toContain('VALID')
    const json = await place.ferry(['validate', '--json'])
    expect(documentOf(json.stdout)).toMatchObject({
      kind: 'validate',
      files: [{ file: 'plan.yaml', valid: true }],
    })
  })

  test('status before anything was applied', async () => {
    const ended = await place.ferry(['status', 'plan.yaml'], {
      env: { SOURCE_API_KEY: '', TARGET_API_KEY: '' },
    })
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('nothing was applied yet')
  })

  test('verify before anything was applied finds nothing', async () => {
    const ended = await place.ferry(['verify', 'plan.yaml'])
    expect(ended.code).toBe(8)
    expect(ended.stderr).toContain('NothingApplied')
  })

  test('plan writes the preview to stdout alone, and saves the change set for the owner only', async () => {
    const ended = await place.ferry(['plan', 'plan.yaml', '-o', 'plan.changes'])
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/^building-a /)
    expect(ended.stdout).toContain('ferry apply plan.changes')
    const { mode } = await stat(place.path('plan.changes'))
    expect(mode & 0o777).toBe(0o600)
  })

  test('plan tells by its exit code that changes are pending, on request', async () => {
    expect((await place.ferry(['plan', 'plan.yaml', '--detailed-exitcode'])).code).toBe(2)
  })

  test('every format of plan and show is what it says', async () => {
    const json = documentOf((await place.ferry(['plan', 'plan.yaml', '--json'])).stdout)
    const shown = documentOf((await place.ferry(['show', 'plan.changes', '--format', 'json'])).stdout)
    expect(shown).toEqual(json)
    const markdown = await place.ferry(['plan', 'plan.yaml', '--format', 'markdown'])
    expect(markdown.stdout).toContain('## READY')
    const device = await place.ferry(['show', 'plan.changes', '--device', 'meter-103'])
    expect(device.stdout).toMatch(/^meter-103\n/)
    const group = await place.ferry(['show', 'plan.changes', '--group', 'G1'])
    expect(group.stdout).toContain('G1')
    expect((await place.ferry(['show', 'plan.changes', '--group', 'G99'])).code).toBe(64)
    expect((await place.ferry(['show', 'plan.changes', '--device', 'nobody'])).code).toBe(64)
  })

  test('apply carries the change set out, and says that the devices have to be heard', async () => {
    const ended = await place.ferry(['apply', 'plan.changes', '--yes', '--json'])
    expect(ended.code).toBe(7)
    expect(documentOf(ended.stdout)).toMatchObject({ kind: 'apply', summary: { waiting: 3, failed: 0 } })
    expect(ended.stderr).toContain('Apply 3/3')
  })

  test('verify finds silent devices, and hears them once they have sent', async () => {
    const unheard = await place.ferry(['verify', 'plan.yaml'])
    expect([unheard.code, unheard.stderr]).toEqual([
      8,
      expect.stringContaining('ferry verify plan.yaml --wait 2h'),
    ])
    const target = radioOf(place.simulator.networks[1])
    for (const id of ['meter-102', 'meter-103', 'valve-abp']) {
      const sample = place.simulator.sampleDevices.find((each) => each.id === id)
      if (sample === undefined) throw new Error(`no ${id}`)
      const sent = await virtualDeviceOf(sample).uplink(target, { confirmed: true })
      expect([id, sent.accepted, sent.downlinks.length]).toEqual([id, true, 1])
    }
    const ended = await place.ferry(['verify', 'plan.yaml', '--wait', '20s', '--json'])
    expect(ended.code).toBe(0)
    expect(documentOf(ended.stdout)).toMatchObject({ summary: { devices: 3, heard: 3 } })
  })

  test('status needs no key and no network', async () => {
    const ended = await place.ferry(['status', 'plan.yaml', '--json'], {
      env: { SOURCE_API_KEY: '', TARGET_API_KEY: '' },
    })
    expect(ended.code).toBe(0)
    expect(documentOf(ended.stdout)).toMatchObject({ summary: { devices: 3, heard: 3 } })
  })

  test('a week later an apply retires the source, and the next one changes nothing [edge 87]', async () => {
    await place.write('clock', String(Date.now() + 8 * 86_400_000))
    const env = { FERRY_TEST_CLOCK: place.path('clock') }
    const first = await place.ferry(['apply', 'plan.yaml', '--yes'], { env })
    expect([first.code, first.stdout]).toEqual([0, expect.stringContaining('DONE')])
    const urls = place.simulator.networks.map(({ url }) => `${url}/simulator/v1/requests`)
    await Promise.all(urls.map((url) => fetch(url, { method: 'DELETE' })))
    const state = await place.read('building-a.state.jsonl')
    const second = await place.ferry(['apply', 'plan.yaml', '--yes'], { env })
    expect(second.code).toBe(0)
    for (const url of urls) {
      const { requests } = (await (await fetch(url)).json()) as {
        readonly requests: readonly { readonly method: string }[]
      }
      expect(requests.filter(({ method }) => method !== 'GET')).toEqual([])
    }
    expect(await place.read('building-a.state.jsonl')).toBe(state)
    expect((await place.ferry(['plan', 'plan.yaml', '--detailed-exitcode'], { env })).code).toBe(0)
  })

  test('no key is in anything that was printed or written', async () => {
    const files = await readdir(place.folder, { recursive: true, withFileTypes: true })
    const texts = await Promise.all(
      files
        .filter((file) => file.isFile() && file.name !== 'identity.txt')
        .map((file) => readFile(`${file.parentPath}/${file.name}`, 'latin1')),
    )
    const secrets = [place.env['SOURCE_API_KEY'] ?? '', place.env['TARGET_API_KEY'] ?? '', 'AGE-SECRET-KEY']
    expect(texts.length).toBeGreaterThan(4)
    expect(keysIn([...texts, allPrinted()].join('\n'), secrets)).toEqual([])
  })
})

import { stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPlace, keysIn, type Place } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
  await place.plan()
})
afterAll(() => place.close())

const ESCAPE = '\u001b['

describe('streams', () => {
  test('a result is plain where it is no terminal, and coloured on request', async () => {
    await place.ferry(['plan', 'plan.yaml', '-o', 'plan.changes'])
    expect((await place.ferry(['show', 'plan.changes'])).stdout).not.toContain(ESCAPE)
    const env = { FORCE_COLOR: '1' }
    expect((await place.ferry(['show', 'plan.changes'], { env })).stdout).toContain(ESCAPE)
    expect((await place.ferry(['show', 'plan.changes', '--no-color'], { env })).stdout).not.toContain(ESCAPE)
    expect((await place.ferry(['--no-color', 'show', 'plan.changes'], { env })).stdout).not.toContain(ESCAPE)
  })

  test('no line is wider than 100 columns where the width is not known', async () => {
    const { stdout } = await place.ferry(['show', 'plan.changes'])
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('--json-lines tells every event, and the result last', async () => {
    await place.plan({ file: 'lines.yaml', name: 'lines', include: '{ ids: [tracker-19] }' })
    const { code, stdout } = await place.ferry(['apply', 'lines.yaml', '--yes', '--json-lines'])
    expect(code).toBe(7)
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly event: string; readonly at: string })
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['reading.started', 'apply.started', 'device.done', 'apply.done']),
    )
    expect(events.at(-1)).toMatchObject({
      event: 'result',
      result: { kind: 'apply', summary: { waiting: 1 } },
    })
    for (const { at } of events) expect(at).toMatch(/^\d{4}-\d\d-\d\dT/)
  })

  test('a reader that goes away ends no apply half-way [edge 85]', async () => {
    await place.plan({ file: 'deaf.yaml', name: 'deaf', include: '{ ids: [meter-umlaut, sensor-110] }' })
    const { code } = await place.ferry(['apply', 'deaf.yaml', '--yes', '--json-lines'], { deaf: true })
    expect(code).toBe(7)
    const { stdout } = await place.ferry(['status', 'deaf.yaml', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ summary: { devices: 2, waiting: 2 } })
  })
})

describe('--debug', () => {
  /** A key file that is a folder of the wrong kind makes an error with a cause. */
  test('writes the error with its stack into a file for the owner, without keys', async () => {
    const appKey = 'A1'.repeat(16)
    const { code, stderr } = await place.ferry(['show', appKey, '--debug=trace.log'])
    expect(code).toBe(64)
    expect(stderr).not.toMatch(/^\s+at /m)
    const text = await place.read('trace.log')
    expect(text).toMatch(/^\s+at .+/m)
    expect(text).toContain('ChangeSetUnreadable')
    expect(keysIn(text)).toEqual([])
    expect((await stat(place.path('trace.log'))).mode & 0o777).toBe(0o600)
  })

  test('takes no word that follows it by accident', async () => {
    const { code } = await place.ferry(['--debug', 'plan', 'nowhere.yaml'])
    expect(code).toBe(3)
    expect(await place.read('ferry-debug.log')).toContain('PlanInvalid')
    await expect(place.read('plan')).rejects.toThrow()
  })
})

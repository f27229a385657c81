import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'
import { radioOf, virtualDeviceOf } from '../../src/simulator/virtual-device.ts'
import { createPlace, type Place } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
})
afterAll(() => place.close())

/** The target hears a device of the sample. */
const hear = async (id: string): Promise<void> => {
  const sample = sampleDevices.find((each) => each.id === id)
  if (sample === undefined) throw new Error(`no ${id}`)
  await virtualDeviceOf(sample).uplink(radioOf(place.simulator.networks[1]))
}

test('apply ends at a gate with what it waits for, stays where it is told to, and goes on by itself', async () => {
  await place.plan({
    include: '{ ids: [meter-102, meter-103, sensor-110] }',
    rest: 'rollout: { waves: [1, 1] }\n',
  })
  const first = await place.ferry(['apply', 'plan.yaml', '--yes', '--json'])
  expect(first.code, first.stderr).toBe(7)
  expect(first.stderr).toContain('wave 1: 0 of 1 device heard')
  expect(JSON.parse(first.stdout)).toMatchObject({
    gate: { wave: 'wave 1', heard: 0, of: 1, needed: 1 },
    opens_at: null,
    summary: { waiting: 1, deferred: 2 },
  })
  const order = ['meter-102', 'meter-103']
  let heard = 0
  const staying = await place.ferry(['apply', 'plan.yaml', '--yes', '--wait', '25s'], {
    limit: 60_000,
    // Each wave is heard as soon as the command says that it waits for it.
    onError: (text) => {
      const gates = text.match(/wave \d: \d of \d device heard/g)?.length ?? 0
      if (gates <= heard || heard >= order.length) return
      void hear(order[heard++] ?? '')
    },
  })
  expect(staying.code, staying.stderr).toBe(7)
  expect(staying.stderr).toMatch(/wave 1: 0 of 1[\s\S]*wave 2: 0 of 1/)
  const status = await place.ferry(['status', 'plan.yaml', '--html', 'report.html'])
  expect(status.stdout).toMatch(/sensor-110[\s\S]*3 devices/)
  const page = await readFile(join(place.folder, 'report.html'), 'utf8')
  expect(page).toMatch(/wave 1[\s\S]*wave 2[\s\S]*rest[\s\S]*ferry apply[\s\S]*sensor-110/)
  const unknown = await place.ferry(['rollback', 'plan.yaml', '--wave', '7', '--yes'])
  expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('wave 1, wave 2, rest')])
})

test('apply tells when the change window opens', async () => {
  const day = new Date(Date.now() + 3 * 86_400_000).toUTCString().slice(0, 3)
  await place.plan({
    file: 'shut.yaml',
    name: 'shut',
    include: '{ ids: [valve-abp] }',
    rest: `rollout: { window: "${day} 10:00-11:00 UTC" }\n`,
  })
  const ended = await place.ferry(['apply', 'shut.yaml', '--yes', '--json'])
  expect([ended.code, ended.stderr]).toEqual([7, expect.stringContaining('rollout.window')])
  const opens = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
  expect(JSON.parse(ended.stdout)).toMatchObject({ gate: null, opens_at: `${opens}T10:00:00.000Z` })
})

test('status --watch tells again what has changed, until it is interrupted', async () => {
  await place.plan({ file: 'watched.yaml', name: 'watched', include: '{ ids: [valve-abp] }' })
  let isApplied = false
  const watching = await place.ferry(['status', 'watched.yaml', '--watch'], {
    limit: 60_000,
    onOutput: (text, kill) => {
      if (!isApplied) {
        isApplied = true
        void place.ferry(['apply', 'watched.yaml', '--yes'])
      } else if (text.includes('waiting')) kill('SIGINT')
    },
  })
  expect(watching.code, watching.stderr).toBe(0)
  expect(watching.stdout).toMatch(/0 devices[\s\S]*1 device: 1 waiting/)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeviceChange } from '../../src/domain/change-set.ts'
import { createPlace, type Place } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
})
afterAll(() => place.close())

const POLICY = 'persistSession: true, mutedSource: unmute'

/** The devices of a saved change set. */
const changes = async (file: string): Promise<readonly DeviceChange[]> =>
  (await place.read(file))
    .trim()
    .split('\n')
    .slice(1, -1)
    .map((line) => JSON.parse(line) as DeviceChange)

test('each device of the sample network goes out to a file, and comes back to where it was as it was', async () => {
  await place.plan({ include: '{ all: true }', policy: POLICY })
  const out = await place.ferry(['export', 'plan.yaml', '--with-keys', '-o', 'devices.json'])
  expect(out.code, out.stderr).toBe(0)
  const exported = (await place.read('devices.json')).trim().split('\n').length
  // The file against the network that it was made from.
  const source = place.simulator.networks[0]
  const text = (await place.read('plan.yaml'))
    .replace(/^source:\n(?: {2}.*\n)+/m, 'source: { network: file, path: devices.json }\n')
    .replace(/^(target:\n(?: {2}.*\n)*? {2}url: ).*$/m, `$1${source.url}`)
    .replace(/^( {2}apiKey: \{ env: )TARGET_API_KEY/m, '$1SOURCE_API_KEY')
    .replace(/^( {2}application: ).*$/m, `$1${source.application}`)
    .replace('name: building-a', 'name: back')
  await place.write('back.yaml', text)
  const planned = await place.ferry(['plan', 'back.yaml', '-o', 'back.changes'])
  expect(planned.code, planned.stderr).toBe(0)
  const devices = await changes('back.changes')
  expect(devices.length).toBe(exported)
  const differing = devices.map(({ device, action, fields, findings }) => ({
    device,
    action,
    written: fields.filter(({ verdict }) => verdict === 'write').map(({ path }) => path),
    errors: findings.filter(({ severity }) => severity === 'error').map(({ code }) => code),
  }))
  // A file tells the model once, and not which registries had it: importers, and so ferry, write it to each that takes it.
  const MODEL_EVERYWHERE = {
    device: 'tracker-19',
    action: 'update',
    written: ['version_ids', 'version_ids'],
    errors: [],
  }
  expect(differing.filter(({ action, written }) => action !== 'adopt' || written.length > 0)).toEqual([
    MODEL_EVERYWHERE,
  ])
})

import { spawn } from 'node:child_process'
import { appendFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'
import { radioOf, virtualDeviceOf } from '../../src/simulator/virtual-device.ts'
import { createPlace, ferry, type Place } from './support.ts'

type Store = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>

const storeOf = async (place: Place, side: 0 | 1): Promise<Store> =>
  (await (await fetch(`${place.simulator.networks[side].url}/simulator/v1/store`)).json()) as Store

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

const sampleOf = (id: string) => {
  const sample = sampleDevices.find((each) => each.id === id)
  if (sample === undefined) throw new Error(`no ${id}`)
  return sample
}

describe('escrow', () => {
  let place: Place
  beforeAll(async () => {
    place = await createPlace()
    await place.plan({ include: '{ ids: [meter-103, sensor-110] }' })
    await place.ferry(['apply', 'plan.yaml', '--yes'])
    const target = radioOf(place.simulator.networks[1])
    for (const id of ['meter-103', 'sensor-110']) await virtualDeviceOf(sampleOf(id)).uplink(target)
    await place.ferry(['apply', 'plan.yaml', '--yes'])
  })
  afterAll(() => place.close())

  test('keygen prints the public key, and never writes over an identity', async () => {
    const made = await place.ferry(['escrow', 'keygen'])
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^age1[0-9a-z]+\n$/)])
    expect(await modeOf(place.path('config/ferry/identity.txt'))).toBe(0o600)
    const again = await place.ferry(['escrow', 'keygen'])
    expect([again.code, again.stdout]).toEqual([64, ''])
  })

  test('list needs no identity', async () => {
    const { code, stdout } = await place.ferry(['escrow', 'list', 'plan.yaml', '--json'], {
      env: { FERRY_AGE_IDENTITY: '' },
    })
    expect(code).toBe(0)
    const { records } = JSON.parse(stdout) as {
      readonly records: readonly { readonly device: string; readonly stage: string }[]
    }
    expect(records.map(({ device, stage }) => `${device} ${stage}`).sort()).toEqual([
      'meter-103 A',
      'meter-103 B',
      'sensor-110 A',
      'sensor-110 B',
    ])
  })

  test('restore asks for an identity that can read, and for a device that is there', async () => {
    const without = await place.ferry(['escrow', 'restore', 'plan.yaml', '--device', 'meter-103', '--yes'], {
      env: { FERRY_AGE_IDENTITY: '', XDG_CONFIG_HOME: place.path('nothing') },
    })
    expect([without.code, without.stderr]).toEqual([9, expect.stringContaining('IdentityMissing')])
    const unknown = await place.ferry(['escrow', 'restore', 'plan.yaml', '--device', 'nobody', '--yes'])
    expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('nobody')])
    expect((await place.ferry(['escrow', 'restore', 'plan.yaml', '--device', 'meter-103'])).code).toBe(64)
  })

  test('restore to a file, for the owner only', async () => {
    const { code, stdout } = await place.ferry([
      'escrow',
      'restore',
      'plan.yaml',
      '--device',
      'meter-103',
      '--out',
      'back.json',
    ])
    expect([code, stdout]).toEqual([0, ''])
    expect(await modeOf(place.path('back.json'))).toBe(0o600)
    expect(JSON.parse(await place.read('back.json'))).toMatchObject({
      ids: { device_id: 'meter-103' },
      root_keys: { app_key: { key: 'A2'.repeat(16) } },
      session: { last_f_cnt_up: 70000 },
    })
  })

  test('root keys that were replaced are put back; the source stays muted, and answers nothing', async () => {
    const before = await storeOf(place, 0)
    const key = (store: Store): unknown => store['joinServer']?.['building-a/sensor-110']?.['root_keys']
    expect(JSON.stringify(key(before))).not.toContain('A4A4')
    const { code, stdout } = await place.ferry([
      'escrow',
      'restore',
      'plan.yaml',
      '--device',
      'sensor-110',
      '--yes',
      '--json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      devices: [{ status: 'restored', rootKeys: true, created: [] }],
    })
    const after = await storeOf(place, 0)
    expect(JSON.stringify(key(after)).toUpperCase()).toContain('A4'.repeat(16))
    expect(after['networkServer']).toEqual(before['networkServer'])
    const device = virtualDeviceOf(sampleOf('sensor-110'))
    const joined = await device.join(radioOf(place.simulator.networks[0]))
    expect([joined.joined, joined.missed]).toEqual([false, []])
  })

  test('a device that is gone from the source is created again, muted, with what it had', async () => {
    const { url, apiKey } = place.simulator.networks[0]
    const path = 'applications/building-a/devices/meter-103'
    for (const registry of ['as/', 'ns/', 'js/', '']) {
      const answer = await fetch(`${url}/api/v3/${registry}${path}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${apiKey}` },
      })
      expect(answer.status).toBe(200)
    }
    const ended = await place.ferry(['escrow', 'restore', 'plan.yaml', '--device', 'meter-103', '--yes'])
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('restored')])
    const store = await storeOf(place, 0)
    const id = 'building-a/meter-103'
    expect(store['networkServer']?.[id]).toMatchObject({
      mac_settings: { schedule_downlinks: false },
      session: { dev_addr: '27001002', last_f_cnt_up: 70000, last_n_f_cnt_down: 812 },
    })
    expect(JSON.stringify(store['joinServer']?.[id]).toUpperCase()).toContain('A2'.repeat(16))
    const again = await place.ferry([
      'escrow',
      'restore',
      'plan.yaml',
      '--device',
      'meter-103',
      '--yes',
      '--json',
    ])
    expect(JSON.parse(again.stdout)).toMatchObject({ devices: [{ status: 'unchanged' }] })
  })
})

describe('state, export and init', () => {
  let place: Place
  beforeAll(async () => {
    place = await createPlace()
    await place.plan({ include: '{ ids: [meter-103] }' })
    await place.ferry(['apply', 'plan.yaml', '--yes'])
  })
  afterAll(() => place.close())

  test('state show, repair and compact', async () => {
    const shown = await place.ferry(['state', 'show', 'plan.yaml', '--json'])
    expect(shown.code).toBe(0)
    expect(JSON.parse(shown.stdout)).toMatchObject({ devices: 1, lock: null, runs: [{ result: 'applied' }] })
    expect((await place.ferry(['state', 'repair', 'plan.yaml'])).stdout).toContain('is sound')
    const before = await place.ferry(['status', 'plan.yaml', '--json'])
    const compacted = await place.ferry(['state', 'compact', 'plan.yaml'])
    expect([compacted.code, compacted.stdout]).toEqual([
      0,
      expect.stringMatching(/\d+ records before, \d+ after/),
    ])
    expect((await place.ferry(['status', 'plan.yaml', '--json'])).stdout).toBe(before.stdout)
    const line = '{"t":"fact","device":"meter-103"}\n'
    await appendFile(place.path('building-a.state.jsonl'), `${line}${line}`)
    expect((await place.ferry(['plan', 'plan.yaml'])).code).toBe(5)
    const repaired = await place.ferry(['state', 'repair', 'plan.yaml'])
    expect([repaired.code, repaired.stdout]).toEqual([0, expect.stringContaining('2 lines dropped')])
    expect(repaired.stderr).toContain('meter-103')
    expect(repaired.stderr.trimEnd()).toMatch(
      /the state lost what came after line \d+; .+ while the target serves them$/,
    )
    expect((await place.ferry(['plan', 'plan.yaml'])).code).toBe(0)
  })

  test('export writes what an import reads, for the owner only, and says what it holds', async () => {
    const ended = await place.ferry(['export', 'plan.yaml', '--with-keys', '-o', 'devices.json'])
    expect([ended.code, ended.stdout]).toEqual([0, ''])
    expect(ended.stderr).toContain('in the clear')
    expect(await modeOf(place.path('devices.json'))).toBe(0o600)
    const bare = await place.ferry(['export', 'plan.yaml'])
    expect(Object.keys(JSON.parse(bare.stdout))).toContain('lorawan_version')
    for (const name of ['root_keys', 'session', 'mac_state'])
      expect(JSON.parse(bare.stdout)).not.toHaveProperty(name)
    const piped = await place.ferry(['export', 'plan.yaml', '--with-keys'])
    expect(piped.stdout).toBe(await place.read('devices.json'))
    expect(JSON.parse(piped.stdout)).toMatchObject({
      ids: { device_id: 'meter-103' },
      session: { dev_addr: '27001002' },
    })
  })

  test('export as CSV takes a file for each kind of device that an import would mix up', async () => {
    await place.plan({ file: 'kinds.yaml', name: 'kinds', include: '{ ids: [sensor-110, valve-abp] }' })
    const words = ['export', 'kinds.yaml', '--format', 'csv', '--with-keys']
    const piped = await place.ferry(words)
    expect([piped.code, piped.stdout]).toEqual([64, ''])
    expect(piped.stderr).toContain('CsvNeedsFiles')
    const ended = await place.ferry([...words, '-o', 'fleet.csv'])
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining('fleet.csv, fleet-2.csv')])
    const headings = await Promise.all(
      ['fleet.csv', 'fleet-2.csv'].map(async (file) => (await place.read(file)).split('\n')[0] ?? ''),
    )
    expect(headings.map((line) => line.includes('app_key')).sort()).toEqual([false, true])
    expect(await modeOf(place.path('fleet-2.csv'))).toBe(0o600)
  })

  test('init writes a plan that is valid, once it has seen the application', async () => {
    const [source, target] = place.simulator.networks
    const args = [
      'init',
      'new.yaml',
      ...[
        '--source-url',
        source.url,
        '--source-app',
        source.application,
        '--source-key-env',
        'SOURCE_API_KEY',
      ],
      ...[
        '--target-url',
        target.url,
        '--target-app',
        target.application,
        '--target-key-env',
        'TARGET_API_KEY',
      ],
      '--join-anew',
    ]
    const written = await place.ferry([...args, '--device', 'meter-103'])
    expect([written.code, written.stdout]).toEqual([
      0,
      expect.stringContaining('next  ferry validate new.yaml'),
    ])
    expect(written.stdout).toContain('source: 20 devices')
    expect((await place.ferry(['validate', 'new.yaml'])).code).toBe(0)
    const again = await place.ferry(args)
    expect([again.code, again.stderr]).toEqual([64, expect.stringContaining('PlanExists')])
    const unknown = await place.ferry(
      args.map((word) =>
        word === 'new.yaml' ? 'x.yaml' : word === source.application ? 'building-x' : word,
      ),
    )
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining('building-x')])
    await expect(place.read('x.yaml')).rejects.toThrow()
  })

  test('init writes a plan for a spreadsheet, whose columns it knows by their headings', async () => {
    const [, target] = place.simulator.networks
    const row = `70B3D57ED00000A1,70B3D57ED0000000,${'AB'.repeat(16)},cellar`
    await writeFile(place.path('meters list.csv'), `DevEUI,App EUI,app_key,Remarks\n${row}\n`)
    const radio = ['--frequency-plan', 'EU_863_870_TTN', '--lorawan-version', '1.0.3']
    const args = [
      ...['init', '--source-file', 'meters list.csv', '--join-anew', '--target-url', target.url],
      ...['--target-app', target.application, '--target-key-env', 'TARGET_API_KEY', ...radio],
    ]
    const missing = await place.ferry(args)
    expect([missing.code, missing.stderr]).toEqual([
      64,
      expect.stringContaining('missing: --lorawan-phy-version'),
    ])
    const written = await place.ferry([...args, '--lorawan-phy-version', 'PHY_V1_0_3_REV_A'])
    expect([written.code, written.stdout]).toEqual([0, expect.stringContaining('source: 1 device,')])
    const planned = await place.ferry(['plan', 'meters-list.yaml', '--json'])
    expect(JSON.parse(planned.stdout)).toMatchObject({ kind: 'plan' })
    expect(planned.stdout).toContain('eui-70b3d57ed00000a1')
  })
})

/** Starts `ferry simulate` and answers its first line; `end` terminates it and answers its exit code. */
const simulate = (
  args: readonly string[],
): Promise<{ readonly line: string; end(): Promise<number | null> }> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [resolve('dist/cli/main.js'), 'simulate', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 30_000,
    })
    const ended = new Promise<number | null>((end) => child.once('close', end))
    let line = ''
    child.stdout.on('data', (chunk: Buffer) => {
      line += chunk.toString()
      if (line.endsWith('\n')) {
        done({
          line,
          end: () => {
            child.kill('SIGTERM')
            return ended
          },
        })
      }
    })
  })

interface Told {
  readonly networks: readonly Readonly<Record<string, string>>[]
}

describe('simulate and demo', () => {
  test('prints one line that tells how to reach both networks, and ends with 0 when it is ended', async () => {
    const running = await simulate(['--split'])
    const { networks } = JSON.parse(running.line) as Told
    expect(networks.map(({ name, network }) => [name, network])).toEqual([
      ['source', 'things-stack'],
      ['target', 'things-stack'],
    ])
    for (const { url, apiKey, application, gatewayEui } of networks) {
      expect(gatewayEui).toMatch(/^[0-9A-F]{16}$/)
      const answer = await fetch(
        `${url}/api/v3/ns/applications/${application}/devices/nobody?field_mask=ids`,
        {
          headers: { authorization: `Bearer ${apiKey}` },
        },
      )
      expect(answer.status).toBe(404)
    }
    expect(networks[1]?.['identityUrl']).toMatch(/^http:/)
    expect(await running.end()).toBe(0)
  })

  test('leaves the applications out on request, on ports that are asked for', async () => {
    const running = await simulate(['--empty', '--port', '28471', '--latency', '5', '--rate', '100/1m'])
    const [source] = (JSON.parse(running.line) as Told).networks
    expect(source?.['url']).toBe('http://127.0.0.1:28471')
    const answer = await fetch(`${source?.['url']}/api/v3/applications/building-a`, {
      headers: { authorization: `Bearer ${source?.['apiKey']}` },
    })
    expect(answer.status).toBe(404)
    expect(answer.headers.get('x-rate-limit-limit')).toBe('100')
    await running.end()
  })

  test('a port that is taken', async () => {
    const server = createServer().listen(28481, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { code, stderr } = await ferry(['simulate', '--port', '28481'])
    server.close()
    expect([code, stderr]).toEqual([64, expect.stringContaining('PortTaken')])
  })

  test('the demo proves what it claims, in 80 columns', async () => {
    // Where a check of a pull request runs it, and an organisation has a policy of its own.
    const env = { CI: 'true', FERRY_POLICY: 'nowhere.yaml' }
    const { code, stdout, stderr } = await ferry(['demo'], { env })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/meter-103 +kept +70,001 -> 70,002 heard/)
    expect(stdout).toContain('it changed nothing: 0 write requests on both networks')
    expect(stdout).not.toMatch(/^ {2}NO /m)
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^DONE {2}14 claims held/)
  })
})

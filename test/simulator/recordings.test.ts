import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningSimulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Auth = 'admin' | 'limited' | 'none' | 'malformed' | 'unknown'
interface Step {
  readonly request: {
    readonly method: string
    readonly path: string
    readonly body?: Json
    readonly auth: Auth
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: Json
  }
}
interface Recording {
  readonly steps: readonly Step[]
}

const folder = new URL('../recordings/things-stack/', import.meta.url)
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()
const load = (file: string): Recording => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Recording

/** Steps of each file, from INDEX.md: a step that is not replayed is missed here. */
const stepCounts = new Map(
  [...readFileSync(new URL('INDEX.md', folder), 'utf8').matchAll(/^\| (\S+\.json) \| (\d+) \|/gm)].map(
    ([, file, steps]) => [file ?? '', Number(steps)],
  ),
)

const keyId = /[A-Z2-7]{39}/
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z$/
const unordered = new Set(['rights', 'phy_versions', 'version_info'])

/** Volatile values of one file, recorded to replayed: equal where they recur. */
type Seen = Map<string, string>

const sameWhereItRecurs = (seen: Seen, recorded: string, actual: string, where: string): void => {
  const before = seen.get(recorded)
  if (before === undefined) seen.set(recorded, actual)
  else expect(actual, `${where}: the same value as before`).toBe(before)
}

const compareText = (seen: Seen, recorded: string, actual: string, where: string): void => {
  if (timestamp.test(recorded)) {
    expect(actual, where).toMatch(timestamp)
    expect(actual.length, `${where}: decimals of ${actual}`).toBe(recorded.length)
    sameWhereItRecurs(seen, recorded, actual, where)
  } else if (where.endsWith('.correlation_id')) {
    expect(actual, where).toMatch(/^[0-9a-f]{32}$/)
  } else if (where.endsWith('.dev_addr') && where.startsWith('/ns/dev_addr')) {
    expect(actual, where).toMatch(/^27[0-9A-F]{6}$/)
  } else {
    const recordedId = keyId.exec(recorded)?.[0]
    const actualId = keyId.exec(actual)?.[0]
    if (recordedId === undefined || actualId === undefined) {
      expect(actual, where).toBe(recorded)
      return
    }
    sameWhereItRecurs(seen, recordedId, actualId, where)
    expect(actual.replace(keyId, '<key>'), where).toBe(recorded.replace(keyId, '<key>'))
  }
}

const sorted = (list: readonly Json[]): Json[] =>
  [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const compare = (seen: Seen, recorded: Json, actual: Json | undefined, where: string): void => {
  if (typeof recorded === 'string' && typeof actual === 'string') {
    compareText(seen, recorded, actual, where)
    return
  }
  if (Array.isArray(recorded)) {
    expect(Array.isArray(actual), `${where} is a list`).toBe(true)
    const list = actual as Json[]
    const name = where.split('.').at(-1) ?? ''
    const key = (item: Json): Json => (name === 'version_info' ? (item as { band_id: string }).band_id : item)
    const [left, right] = unordered.has(name)
      ? [
          sorted(recorded.map((item) => [key(item), item])).map((pair) => (pair as Json[])[1] as Json),
          sorted(list.map((item) => [key(item), item])).map((pair) => (pair as Json[])[1] as Json),
        ]
      : [recorded, list]
    expect(right.length, `${where}: items`).toBe(left.length)
    for (const [index, item] of left.entries()) compare(seen, item, right[index], `${where}[${index}]`)
    return
  }
  if (typeof recorded === 'object' && recorded !== null) {
    expect(
      typeof actual === 'object' && actual !== null && !Array.isArray(actual),
      `${where} is an object`,
    ).toBe(true)
    const object = actual as { [name: string]: Json }
    expect(Object.keys(object).sort(), `${where}: fields`).toEqual(Object.keys(recorded).sort())
    for (const [name, value] of Object.entries(recorded))
      compare(seen, value, object[name], `${where}.${name}`)
    return
  }
  expect(actual, where).toEqual(recorded)
}

let running: RunningSimulator | undefined
afterEach(async () => {
  await running?.close()
  running = undefined
})

interface Server {
  readonly url: string
  readonly tokens: Readonly<Record<Auth, string | undefined>>
}

const call = async (
  url: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: Json,
): Promise<Response> =>
  fetch(`${url}/api/v3${path}`, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })

const prepared: Readonly<Record<string, readonly (readonly [method: string, path: string, body: Json])[]>> = {
  'auth-failures.json': [
    [
      'POST',
      '/applications/rec/devices',
      {
        end_device: {
          ids: { device_id: 'otaa-1', dev_eui: '70B3D57ED0090010', join_eui: '70B3D57ED0009000' },
        },
      },
    ],
    [
      'PUT',
      '/js/applications/rec/devices/otaa-1',
      {
        end_device: {
          ids: { dev_eui: '70B3D57ED0090010', join_eui: '70B3D57ED0009000' },
          root_keys: { app_key: { key: 'A1'.repeat(16) } },
        },
        field_mask: { paths: ['root_keys.app_key.key'] },
      },
    ],
    [
      'PUT',
      '/ns/applications/rec/devices/otaa-1',
      {
        end_device: {
          ids: { dev_eui: '70B3D57ED0090010', join_eui: '70B3D57ED0009000' },
          supports_join: true,
          lorawan_version: 'MAC_V1_0_3',
          lorawan_phy_version: 'PHY_V1_0_3_REV_A',
          frequency_plan_id: 'EU_863_870_TTN',
        },
        field_mask: {
          paths: ['supports_join', 'lorawan_version', 'lorawan_phy_version', 'frequency_plan_id'],
        },
      },
    ],
  ],
  'gateways.json': [
    [
      'POST',
      '/users/admin/gateways',
      { gateway: { ids: { gateway_id: 'gw-cloud', eui: 'AA00000000000002' } } },
    ],
  ],
}

const options: Readonly<Record<string, SimulatorOptions>> = {
  'rate-limit.json': {
    rate: { limit: 3, windowMs: 60_000, methods: ['/ttn.lorawan.v3.NsEndDeviceRegistry/Set'] },
  },
}

const start = async (file: string): Promise<Server> => {
  running = await startSimulator({ empty: true, ...options[file] })
  const [{ url, apiKey }] = running.networks
  const must = async (method: string, path: string, body?: Json): Promise<{ [name: string]: Json }> => {
    const response = await call(url, apiKey, method, path, body)
    expect(response.status, `${method} ${path}`).toBe(200)
    return (await response.json()) as { [name: string]: Json }
  }
  await must('DELETE', '/gateways/gw-source')
  for (const id of ['app1', 'other', 'rec'])
    await must('POST', '/users/admin/applications', { application: { ids: { application_id: id } } })
  const admin = await must('POST', '/users/admin/api-keys', { name: 'all2', rights: ['RIGHT_ALL'] })
  const limited = await must('POST', '/applications/rec/api-keys', {
    name: 'limited',
    rights: ['RIGHT_APPLICATION_INFO', 'RIGHT_APPLICATION_DEVICES_READ'],
  })
  for (const [method, path, body] of prepared[file] ?? []) await must(method, path, body)
  return {
    url,
    tokens: {
      admin: String(admin['key']),
      limited: String(limited['key']),
      none: undefined,
      malformed: 'not-a-token',
      unknown: `NNSXS.${'A'.repeat(39)}.${'A'.repeat(52)}`,
    },
  }
}

const compareHeaders = (recorded: Readonly<Record<string, string>>, actual: Headers, where: string): void => {
  for (const [name, value] of Object.entries(recorded)) {
    if (name === 'x-rate-limit-reset' || name === 'x-rate-limit-retry') {
      expect(
        Math.abs(Number(actual.get(name)) - Number(value)),
        `${where}: ${name} ${actual.get(name)}`,
      ).toBeLessThanOrEqual(1)
    } else expect(actual.get(name), `${where}: ${name}`).toBe(value)
  }
  for (const name of ['x-total-count', 'www-authenticate', 'x-rate-limit-limit']) {
    if (recorded[name] === undefined) expect(actual.get(name), `${where}: no ${name}`).toBeNull()
  }
}

describe('the recorded exchanges of a real The Things Stack replay', () => {
  it('has every recorded file and every step of INDEX.md', () => {
    expect(files).toEqual([...stepCounts.keys()].sort())
    for (const file of files) expect(load(file).steps.length, file).toBe(stepCounts.get(file))
  })

  it.each(files)('%s', async (file) => {
    const server = await start(file)
    const seen: Seen = new Map()
    let replayed = 0
    for (const [index, { request, response }] of load(file).steps.entries()) {
      const where = `${request.path} (step ${index + 1})`
      const actual = await call(
        server.url,
        server.tokens[request.auth],
        request.method,
        request.path,
        request.body,
      )
      const body = (await actual.json()) as Json
      expect(actual.status, `${where}: ${JSON.stringify(body)}`).toBe(response.status)
      compareHeaders(response.headers, actual.headers, where)
      compare(seen, response.body, body, request.path)
      replayed += 1
    }
    expect(replayed).toBe(stepCounts.get(file))
  })
})

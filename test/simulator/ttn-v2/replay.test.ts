import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { emptyDevice, type V2Device } from '../../../src/simulator/ttn-v2/device.ts'
import { answerDiscovery } from '../../../src/simulator/ttn-v2/discovery.ts'
import { answerHandler, type V2Answer } from '../../../src/simulator/ttn-v2/handler.ts'
import { createV2Network, euisOf, keyOf, type V2Network } from '../../../src/simulator/ttn-v2/network.ts'
import { createV2RateLimiter, type V2RateLimiter } from '../../../src/simulator/ttn-v2/rate.ts'

const FOLDER = 'test/recordings/ttn-v2'

interface Recorded {
  readonly request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }
  readonly response: {
    readonly status: number
    readonly headers: readonly (readonly [string, string])[]
    readonly body_text: string
    readonly body_json?: unknown
  }
}

const lowerCase = (headers: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))

const KEYS = [
  ['AAAAdevicesonlyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'field-app', ['devices']],
  ['BBBBsettingsdevicesBBBBBBBBBBBBBBBBBBBBBBBBBB', 'field-app', ['settings', 'devices']],
  ['CCCCmessagesonlyCCCCCCCCCCCCCCCCCCCCCCCCCCCCC', 'field-app', ['messages']],
  ['DDDDotherappDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD', 'other-app', ['settings', 'devices', 'delete']],
] as const

interface Scene {
  readonly network: V2Network
  limiter: V2RateLimiter
  now: Date
}

const put = ({ network }: Scene, device: V2Device): void => {
  network.devices.set(keyOf(device.appId, device.devId), device)
  network.euis.set(euisOf(device), keyOf(device.appId, device.devId))
}

const changed = (scene: Scene, devId: string, change: Partial<V2Device>): void => {
  const found = scene.network.devices.get(keyOf('field-app', devId))
  if (found === undefined) throw new Error(`no device ${devId}`)
  put(scene, { ...found, ...change })
}

const unlimited: V2RateLimiter = { check: () => undefined }

/** What happened between two recorded exchanges that is no exchange itself: by other tools, by radio, by an operator. */
const BETWEEN: Readonly<Record<string, (scene: Scene) => void>> = {
  '031-list-after-join': (scene) => {
    put(scene, {
      ...emptyDevice('field-app', 'cli-otaa'),
      appEui: '70B3D57ED0001111',
      devEui: '0011223344550004',
      appKey: '000102030405060708090A0B0C0D0E04',
      uses32BitFCnt: true,
      latitude: 51.5,
      longitude: -0.12,
    })
    const joined = recorded('031-list-after-join').response.body_json as {
      readonly devices: readonly {
        readonly dev_id: string
        readonly lorawan_device: Record<string, string>
      }[]
    }
    const { dev_addr, nwk_s_key, app_s_key } =
      joined.devices.find(({ dev_id }) => dev_id === 'otaa-joined')?.lorawan_device ?? {}
    changed(scene, 'otaa-joined', {
      devAddr: dev_addr ?? '',
      nwkSKey: nwk_s_key ?? '',
      appSKey: app_s_key ?? '',
    })
  },
  '082-get-otaa-joined-with-downlinks': (scene) =>
    changed(scene, 'otaa-joined', {
      fCntUp: 8,
      fCntDown: 2,
      lastSeen: lastSeenIn('082-get-otaa-joined-with-downlinks'),
    }),
  '121-delete-attr6b': (scene) =>
    put(scene, { ...emptyDevice('field-app', 'attr6b'), devEui: '0011223344550014' }),
  '130-rate-limited': (scene) => {
    scene.limiter = createV2RateLimiter(5, () => 0)
    for (let count = 0; count < 5; count += 1) scene.limiter.check('field-app')
  },
  '140-discovery-handlers': (scene) => {
    scene.limiter = unlimited
  },
  '152-lost-get-first': ({ network }) => network.euis.delete('70B3D57ED0001111/0011223344550030'),
  '160-ns-down-get': ({ network }) => {
    network.reach.networkServer = false
  },
  '164-ns-back-get': ({ network }) => {
    network.reach.networkServer = true
  },
  '170-list-40000-unpaged': (scene) => {
    const { network } = scene
    network.applications.set('other-app', {
      ...(network.applications.get('field-app') as object),
      appId: 'other-app',
    } as never)
    for (let number = 0; number < 40_000; number += 1)
      put(scene, {
        ...emptyDevice('other-app', `device-${number}`),
        devEui: number.toString(16).padStart(16, '0'),
      })
  },
}

const recorded = (name: string): Recorded =>
  JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recorded

const lastSeenIn = (name: string): bigint => {
  const { lorawan_device } = recorded(name).response.body_json as {
    readonly lorawan_device: { readonly last_seen: string }
  }
  return BigInt(lorawan_device.last_seen)
}

const ask = (scene: Scene, { request }: Recorded): V2Answer => {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  if (request.url.startsWith('{discovery}'))
    return answerDiscovery(
      scene.network,
      'http://localhost:8084',
      request.method,
      request.url.slice('{discovery}'.length),
    )
  const body =
    request.body === null
      ? ''
      : typeof request.body === 'string'
        ? request.body
        : JSON.stringify(request.body)
  return answerHandler(scene.network, scene.limiter, {
    method: request.method,
    target: request.url,
    headers,
    body,
  })
}

/** Numbers of bytes, keys and addresses of components differ from server to server. */
const comparable = (name: string, text: string): unknown => {
  if (text.includes('larger than max')) return text.replace(/\d+ vs/g, 'N vs')
  if (!name.includes('discovery') || !text.startsWith('{') || text.includes('"error"')) return text
  return JSON.parse(text, (key, value: unknown) =>
    ['service_version', 'public_key', 'certificate', 'net_address'].includes(key)
      ? typeof value
      : key === 'id'
        ? String(value).replace(/^(local|v2l)-/, '')
        : value,
  )
}

describe('the recorded exchanges of a real Stack V2', () => {
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace(/\.json$/, ''))
    .sort()
  const scene: Scene = {
    network: { ...createV2Network('AA555A0000000003', () => scene.now), handlerId: 'v2l-handler' },
    limiter: unlimited,
    now: new Date(),
  }
  for (const [secret, application, rights] of KEYS)
    scene.network.accessKeys.set(`ttn-account-v2.${secret}`, { application, rights })

  // Each sees what those before it did.
  it.each(names)('%s', (name) => {
    const exchange = recorded(name)
    const headers = lowerCase(exchange.response.headers)
    scene.now = new Date(headers['date'] ?? 0)
    BETWEEN[name]?.(scene)
    const answer = ask(scene, exchange)
    expect(answer.status, answer.body).toBe(exchange.response.status)
    for (const header of [
      'content-type',
      'x-content-type-options',
      'grpc-metadata-selected',
      'grpc-metadata-total',
    ])
      expect(answer.headers[header], header).toBe(headers[header])
    // The account server was a stand-in: what it says is not V2's.
    if (exchange.response.body_text.includes('"STUB')) return
    expect(comparable(name, answer.body)).toEqual(comparable(name, exchange.response.body_text))
  })
})

import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { FerryError, NetworkError } from '../../../src/domain/errors.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { createThingsStack } from '../../../src/networks/things-stack/index.ts'
import { API_KEY, notFound, type Reply, type Stub, startStub } from './stub.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const stub = async (...args: Parameters<typeof startStub>): Promise<Stub> => {
  const started = await startStub(...args)
  cleanups.push(started.close)
  return started
}

const failing = async (work: Promise<unknown>): Promise<NetworkError> => {
  const error: unknown = await work.then(
    () => new Error('did not fail'),
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(NetworkError)
  return error as NetworkError
}

const device = (index: number) => ({ ids: { device_id: `dev-${String(index).padStart(5, '0')}` } })

describe('listing', () => {
  /** Serves pages out of a number of devices that may change with each request. */
  const serving = (counts: (request: number) => number) => {
    let request = 0
    return (_: unknown, url: URL): Reply => {
      request += 1
      const count = counts(request)
      const [limit, page] = [Number(url.searchParams.get('limit')), Number(url.searchParams.get('page'))]
      const all = Array.from({ length: count }, (_item, index) => device(index))
      const part = all.slice((page - 1) * limit, page * limit)
      return [200, part.length === 0 ? {} : { end_devices: part }, { 'x-total-count': String(count) }]
    }
  }
  const listed = async (server: Stub) => {
    const pages = []
    for await (const page of server.open().list()) pages.push(page)
    return pages
  }

  test('asks for large pages, by id, with attributes', async () => {
    const server = await stub(serving(() => 2500))
    expect((await listed(server)).map(({ length }) => length)).toEqual([1000, 1000, 500])
    const { searchParams } = new URL(server.seen[0]?.path ?? '', 'http://stub')
    expect(Object.fromEntries(searchParams)).toEqual({
      field_mask: 'attributes',
      order: 'device_id',
      limit: '1000',
      page: '1',
    })
    expect(server.seen).toHaveLength(3)
  })

  test('begins again where devices came or went meanwhile [edge 78]', async () => {
    const server = await stub(serving((request) => (request < 3 ? 2500 : 2400)))
    expect((await listed(server)).flat()).toHaveLength(2400)
    expect(server.seen).toHaveLength(6)
  })

  test('gives up where they never come to rest', async () => {
    const server = await stub(serving((request) => 2000 + request))
    expect(await failing(listed(server))).toMatchObject({ code: 'ListingMoved' })
  })

  test('begins again where pages overlap', async () => {
    let request = 0
    const server = await stub((_, url) => {
      request += 1
      const page = Number(url.searchParams.get('page'))
      const from = page === 1 ? 0 : request < 3 ? 999 : 1000
      const part = Array.from({ length: page === 1 ? 1000 : 5 }, (_item, index) => device(from + index))
      return [200, { end_devices: part }, { 'x-total-count': '1005' }]
    })
    expect(new Set((await listed(server)).flat().map(({ deviceId }) => deviceId)).size).toBe(1005)
  })

  test('goes on until a page is short where no count is told', async () => {
    const counted = serving(() => 2300)
    const server = await stub((seen, url) => {
      const [status, body] = counted(seen, url) ?? [500, {}]
      return [status, body]
    })
    expect((await listed(server)).flat()).toHaveLength(2300)
    expect(server.seen).toHaveLength(3)
  })
})

describe('preflight', () => {
  const working = (url: URL): Reply => {
    if (url.pathname === '/api/v3/auth_info') return [200, { api_key: { api_key: { id: 'ONE' } } }]
    if (url.pathname === '/api/v3/applications/app/rights')
      return [200, { rights: ['RIGHT_APPLICATION_ALL'] }]
    return notFound('pkg/redis', 'not_found')
  }

  test('finds a registry that a host does not serve', async () => {
    const server = await stub((_, url) => (url.pathname.includes('/ns/') ? undefined : working(url)))
    const found = await server.open().preflight('read-source')
    expect(found).toMatchObject([{ code: 'RegistryNotServed', severity: 'error' }])
    expect(found[0]?.message).toMatch(/^127\.0\.0\.1:\d+ does not serve the Network Server$/)
  })

  test('finds an Identity Server that is elsewhere', async () => {
    const server = await stub((_, url) => (url.pathname.includes('/auth_info') ? undefined : working(url)))
    expect(await server.open().preflight('read-source')).toMatchObject([{ code: 'RegistryNotServed' }])
  })

  test('finds a credential that nobody recognises, though the answer is 200', async () => {
    const server = await stub((_, url) => (url.pathname.includes('/auth_info') ? [200, {}] : working(url)))
    expect(await server.open().preflight('read-source')).toMatchObject([{ code: 'CredentialRefused' }])
  })

  test('says to which application a key belongs, and that it ends soon', async () => {
    const info = {
      api_key: {
        api_key: { id: 'ONE', expires_at: new Date(Date.now() + 3_600_000).toISOString() },
        entity_ids: { application_ids: { application_id: 'other' } },
      },
    }
    const server = await stub((_, url) => {
      if (url.pathname.includes('/auth_info')) return [200, info]
      return url.pathname.includes('/rights') ? [200, {}] : working(url)
    })
    const found = await server.open().preflight('read-source')
    expect(found).toMatchObject([{ code: 'NoApplicationRights' }])
    expect(found[0]?.message).toContain('belongs to other')

    const ending = await stub((_, url) => (url.pathname.includes('/auth_info') ? [200, info] : working(url)))
    expect(await ending.open().preflight('read-source')).toMatchObject([
      { code: 'CredentialExpires', severity: 'warning' },
    ])
  })

  test('asks each registry at its own host, with the key', async () => {
    const elsewhere = await stub((_, url) => working(url))
    const server = await stub((_, url) => working(url))
    await server.open({ identity: elsewhere.url, join: elsewhere.url }).preflight('migrate-target')
    expect(elsewhere.seen.map(({ path }) => path.split('?')[0])).toEqual([
      '/api/v3/auth_info',
      '/api/v3/applications/app/rights',
      '/api/v3/js/applications/app/devices/ferry-preflight',
    ])
    expect(server.seen.map(({ path }) => path.split('/')[3]).sort()).toEqual(['as', 'ns'])
    for (const { headers } of [...server.seen, ...elsewhere.seen]) {
      expect(headers['authorization']).toBe(`Bearer ${API_KEY}`)
    }
  })

  test('throws where the host does not answer', async () => {
    const server = await stub(() => [503, {}])
    expect(await failing(server.open().preflight('read-source'))).toMatchObject({ code: 'ServerError' })
    const gone = server.open()
    await server.close()
    cleanups.length = 0
    expect(await failing(gone.preflight('read-source'))).toMatchObject({ code: expect.any(String) })
  })
})

describe('reading', () => {
  test('takes nothing but a registry that does not know the device for absent', async () => {
    const absent = await stub((_, url) => {
      if (url.pathname.includes('/js/')) return notFound('pkg/joinserver', 'device_not_found')
      if (/\/(ns|as)\//.test(url.pathname)) return notFound('pkg/redis', 'not_found')
      return notFound('pkg/identityserver/store', 'end_device_not_found')
    })
    expect(await absent.open().read('dev')).toEqual({ ids: { deviceId: 'dev' }, registries: {} })
    for (const reply of [
      undefined,
      notFound('pkg/crypto/cryptoutil', 'key_not_found'),
      notFound('pkg/identityserver/store', 'application_not_found'),
      [403, { code: 7 }],
      [500, { code: 13 }],
    ] as const) {
      const server = await stub((_, url) =>
        url.pathname.includes('/js/') ? reply : [200, { ids: { device_id: 'dev' } }],
      )
      expect((await failing(server.open().read('dev'))).fault.registry).toBe('join-server')
    }
  })

  test('stops at EUIs that contradict each other [edge 76]', async () => {
    const server = await stub((_, url) => [
      200,
      {
        ids: {
          device_id: 'dev',
          dev_eui: url.pathname.includes('/as/') ? '70B3D57ED0000002' : '70B3D57ED0000001',
        },
      },
    ])
    const error = await failing(server.open().read('dev'))
    expect(error).toMatchObject({
      code: 'IdsDiffer',
      fault: { registry: 'application-server', effect: 'none' },
    })
    expect(error.message).toContain('70B3D57ED0000002')
  })

  test('names the field that is wrapped [edge 21]', async () => {
    const server = await stub((_, url) => [
      200,
      {
        ids: { device_id: 'dev' },
        ...(url.pathname.includes('/js/')
          ? { root_keys: { app_key: { encrypted_key: 'QUJD', kek_label: 'x' } } }
          : {}),
      },
    ])
    const error = await failing(server.open().read('dev'))
    expect(error).toMatchObject({ code: 'WrappedKey', fault: { registry: 'join-server' } })
    expect(error.message).toContain('root_keys.app_key.key of dev')
    expect(error.message).not.toContain('QUJD')
  })

  test('goes on without the fields that an older server does not know [edge 102]', async () => {
    const forbidden_paths = ['lora_alliance_profile_ids', 'serial_number']
    const server = await stub((_, url) => {
      const asked = url.searchParams.get('field_mask')?.split(',') ?? []
      if (!asked.some((path) => forbidden_paths.includes(path))) return [200, { ids: { device_id: 'dev' } }]
      const namespace = 'pkg/rpcmiddleware/validator'
      const known = forbidden_paths.filter((path) => asked.includes(path))
      const detail = { namespace, name: 'field_mask_paths', attributes: { forbidden_paths: known } }
      return [400, { code: 3, message: 'error', details: [detail] }]
    })
    const port = server.open()
    await port.read('dev')
    const first = server.seen.length
    expect(first).toBe(6)
    await port.read('dev')
    expect(server.seen).toHaveLength(first + 4)
  })

  test('stops at a refusal that names no field', async () => {
    const detail = { namespace: 'pkg/rpcmiddleware/validator', name: 'field_mask_paths' }
    const server = await stub(() => [400, { code: 3, details: [detail] }])
    expect(await failing(server.open().read('dev'))).toMatchObject({ code: 'ForbiddenPath' })
  })

  test('asks for default MAC settings once', async () => {
    const server = await stub(() => [200, { rx1_delay: 1 }])
    const port = server.open()
    await Promise.all([port.defaultMacSettings('EU', 'PHY'), port.defaultMacSettings('EU', 'PHY')])
    await port.defaultMacSettings('EU', 'OTHER')
    expect(server.seen).toHaveLength(2)
  })

  test('leaves out facts that the server does not tell [edge 101]', async () => {
    const server = await stub(() => undefined)
    expect(await server.open().facts()).toEqual({
      devAddrPrefixes: [],
      frequencyPlans: [],
      phyVersions: {},
      serverAddresses: {},
    })
  })
})

describe('writing', () => {
  const ids = { deviceId: 'dev' }

  test('sends one request with a mask of exactly what is set and cleared', async () => {
    const server = await stub(() => [200, {}])
    const port = server.open()
    await port.write({
      registry: 'network-server',
      ids,
      fields: { 'mac_settings.rx1_delay': 5, 'session.keys.f_nwk_s_int_key.key': new Secret('AB') },
      clear: ['mac_settings.schedule_downlinks'],
    })
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]).toMatchObject({ method: 'PUT', path: '/api/v3/ns/applications/app/devices/dev' })
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
      end_device: {
        ids: { device_id: 'dev', application_ids: { application_id: 'app' } },
        mac_settings: { rx1_delay: 5 },
        session: { keys: { f_nwk_s_int_key: { key: 'AB' } } },
      },
      field_mask: {
        paths: [
          'mac_settings.rx1_delay',
          'session.keys.f_nwk_s_int_key.key',
          'mac_settings.schedule_downlinks',
        ],
      },
    })
  })

  test('creates on the Identity Server by POST', async () => {
    const server = await stub(() => [200, {}])
    await server.open().write({ registry: 'identity-server', ids, fields: { name: 'x' }, create: true })
    expect(server.seen[0]).toMatchObject({ method: 'POST', path: '/api/v3/applications/app/devices' })
  })

  test('is not done twice where the effect is unknown', async () => {
    const server = await stub(() => [503, {}])
    const error = await failing(server.open().write({ registry: 'join-server', ids, fields: {} }))
    expect(error).toMatchObject({ code: 'ServerError', fault: { effect: 'unknown' } })
    expect(server.seen).toHaveLength(1)
  })
})

describe('the queue of downlinks', () => {
  const path = '/api/v3/as/applications/app/devices/dev/down'
  const own = `as:downlink:${'0'.repeat(26)}`
  const rpc = `rpc:/ttn.lorawan.v3.AppAs/DownlinkQueuePush:${'0'.repeat(26)}`

  test('is told in its order, without the ids that the network itself gave', async () => {
    const downlinks = [
      {
        session_key_id: 'AZMc0o1bHkqQm0h2VYk0Pw==',
        f_port: 15,
        f_cnt: 7,
        frm_payload: 'vu8=',
        decoded_payload: { led: true },
        confirmed: true,
        priority: 'NORMAL',
        class_b_c: { absolute_time: '2100-01-01T00:00:00Z' },
        correlation_ids: ['mine', own, rpc, 'as:other'],
      },
      { f_port: 1, correlation_ids: [own] },
    ]
    const server = await stub(() => [200, { downlinks, session: { downlinks: [{ f_port: 9 }] } }])
    expect(await server.open().downlinkQueue('dev')).toEqual([
      {
        fPort: 15,
        payload: 'vu8=',
        confirmed: true,
        priority: 'NORMAL',
        classBC: { absolute_time: '2100-01-01T00:00:00Z' },
        correlationIds: ['mine', 'as:other'],
      },
      { fPort: 1, payload: '', confirmed: false, correlationIds: [] },
    ])
    expect(server.seen[0]).toMatchObject({ method: 'GET', path })
  })

  const downlink = {
    fPort: 1,
    payload: Buffer.from('a made-up payload').toString('base64'),
    confirmed: true,
    priority: 'HIGH',
    classBC: { gateways: [{ gateway_ids: { gateway_id: 'one' } }] },
    correlationIds: ['mine'],
  }

  test('is appended to in one request', async () => {
    const server = await stub(() => [200, {}])
    const plain = { fPort: 2, payload: '', confirmed: false, correlationIds: [] }
    await server.open().pushDownlinks('dev', [downlink, plain])
    await server.open().pushDownlinks('dev', [])
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]).toMatchObject({ method: 'POST', path: `${path}/push` })
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
      downlinks: [
        {
          f_port: 1,
          frm_payload: downlink.payload,
          confirmed: true,
          priority: 'HIGH',
          class_b_c: downlink.classBC,
          correlation_ids: ['mine'],
        },
        { f_port: 2, frm_payload: '' },
      ],
    })
  })

  test.each([500, 502, 503, 504])('is not appended to twice after a %i', async (status) => {
    const echo = { code: 14, message: `could not send ${downlink.payload}` }
    const server = await stub(() => [status, echo])
    const error = await failing(server.open().pushDownlinks('dev', [downlink]))
    expect(error).toMatchObject({ code: 'ServerError', fault: { effect: 'unknown' } })
    expect(server.seen).toHaveLength(1)
    expect(inspect(error, { depth: 20 }) + JSON.stringify(error)).not.toContain(downlink.payload)
  })

  test('is appended to again where the server certainly refused', async () => {
    let refused = false
    const server = await stub(() => {
      const reply = refused ? ([200, {}] as const) : ([429, {}] as const)
      refused = true
      return reply
    })
    await server.open().pushDownlinks('dev', [downlink])
    expect(server.seen).toHaveLength(2)
  })
})

test('a new device address comes from the host of the Network Server, with the key', async () => {
  const network = await stub(() => [200, { dev_addr: '260b1234' }])
  const identity = await stub(() => [200, {}])
  const port = network.open({ identity: identity.url })
  expect(await port.newDevAddr()).toBe('260B1234')
  expect(network.seen[0]).toMatchObject({ method: 'GET', path: '/api/v3/ns/dev_addr' })
  expect(network.seen[0]?.headers['authorization']).toBe(`Bearer ${API_KEY}`)
  expect(identity.seen).toEqual([])
  const other = await stub(() => [200, {}])
  expect(await failing(other.open().newDevAddr())).toMatchObject({ code: 'DevAddrMissing' })
})

describe('a credential', () => {
  const openAt =
    (url: string, insecure: boolean, servers = {}) =>
    () =>
      createThingsStack({
        end: { network: 'things-stack', url, servers, application: 'app', apiKey: { env: 'KEY' }, insecure },
        apiKey: new Secret(API_KEY),
        maxConcurrency: 1,
        env: {},
      })

  test('is sent over plain http or unchecked TLS on this machine alone', () => {
    const unsafe = expect.objectContaining({ code: 'UnsafeConnection', kind: 'plan-invalid' })
    expect(openAt('http://stack.example.org', true)).toThrow(unsafe)
    expect(openAt('https://stack.example.org', true)).toThrow(unsafe)
    expect(openAt('http://127.0.0.1.example.org', true)).toThrow(unsafe)
    expect(openAt('https://stack.example.org', false, { join: 'http://js.example.org' })).toThrow(unsafe)
    expect(openAt('https://stack.example.org', false)).not.toThrow()
    expect(openAt('https://127.0.0.1:8885', true)).not.toThrow()
    expect(openAt('http://localhost:1885', false)).not.toThrow()
  })

  test('that no header can hold is refused without being shown', () => {
    for (const text of ['', 'two words', 'line\nbreak', 'ünïcode']) {
      const open = () =>
        createThingsStack({
          end: {
            network: 'things-stack',
            url: 'https://stack.example.org',
            servers: {},
            application: 'app',
            apiKey: { env: 'KEY' },
            insecure: false,
          },
          apiKey: new Secret(text),
          maxConcurrency: 1,
          env: {},
        })
      expect(open).toThrow(FerryError)
      expect(open).toThrow(expect.objectContaining({ code: 'CredentialMalformed', kind: 'credentials' }))
    }
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningSimulator, startSimulator } from '../../src/simulator/index.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

let simulator: RunningSimulator
let admin: string
beforeEach(async () => {
  simulator = await startSimulator()
  admin = simulator.networks[0].apiKey
})
afterEach(() => simulator.close())

const call = async (
  method: string,
  path: string,
  body?: unknown,
  token: string | null = admin,
): Promise<Answer> => {
  const response = await fetch(`${simulator.networks[0].url}/api/v3${path}`, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

const device = '/applications/building-a/devices'
const errorOf = ({ body }: Answer) =>
  (
    body['details'] as { namespace: string; name: string; attributes?: Record<string, unknown> }[] | undefined
  )?.[0]
const named = (answer: Answer): string => `${errorOf(answer)?.namespace}:${errorOf(answer)?.name}`

const keyWith = async (...rights: readonly string[]): Promise<string> => {
  const { body } = await call('POST', '/applications/building-a/api-keys', {
    name: 'test',
    rights: rights.map((right) => `RIGHT_APPLICATION_${right}`),
  })
  return String(body['key'])
}

const missing = (answer: Answer): unknown => errorOf(answer)?.attributes?.['missing']

describe('rights', () => {
  const reads: readonly (readonly [path: string, missing: readonly string[]])[] = [
    [`${device}/meter-102`, []],
    [`/ns${device}/meter-102`, []],
    [`/ns${device}/meter-102?field_mask=mac_settings,mac_state.current_parameters`, []],
    [
      `/ns${device}/meter-102?field_mask=session.keys.session_key_id,session.last_f_cnt_up,session.dev_addr`,
      [],
    ],
    [`/ns${device}/meter-102?field_mask=session.keys`, ['DEVICES_READ_KEYS']],
    [`/ns${device}/meter-102?field_mask=mac_state`, ['DEVICES_READ_KEYS']],
    [`/ns${device}/meter-102?field_mask=session`, ['TRAFFIC_READ', 'DEVICES_READ_KEYS']],
    [`/js${device}/meter-102?field_mask=used_dev_nonces,root_keys.root_key_id`, []],
    [`/js${device}/meter-102?field_mask=root_keys`, ['DEVICES_READ_KEYS']],
    [`/as${device}/meter-102?field_mask=formatters,session.dev_addr`, []],
    [`/as${device}/meter-102?field_mask=session`, ['DEVICES_READ_KEYS']],
    ['/as/applications/building-a/link', ['SETTINGS_BASIC']],
    [`/as${device}/meter-102/down`, ['TRAFFIC_READ']],
  ]

  it.each(reads)('to read %s with DEVICES_READ alone lack %j', async (path, names) => {
    const answer = await call('GET', path, undefined, await keyWith('DEVICES_READ'))
    if (names.length === 0) return expect(answer.status).toBe(200)
    expect(answer.status).toBe(403)
    expect(named(answer)).toBe('pkg/auth/rights:insufficient_application_rights')
    expect([...(missing(answer) as string[])].sort()).toEqual(
      names.map((name) => `RIGHT_APPLICATION_${name}`).sort(),
    )
  })

  const writes: readonly (readonly [
    path: string,
    device: object,
    mask: readonly string[],
    missing: readonly string[],
  ])[] = [
    [`/ns${device}/meter-102`, { session: { last_f_cnt_up: 9 } }, ['session.last_f_cnt_up'], []],
    [
      `/ns${device}/meter-102`,
      { session: { keys: { session_key_id: 'AAAA' } } },
      ['session.keys.session_key_id'],
      ['DEVICES_WRITE_KEYS'],
    ],
    [
      `/js${device}/meter-102`,
      { ids: { dev_eui: '70B3D57ED0100001', join_eui: '70B3D57ED0001000' }, last_join_nonce: 5 },
      ['last_join_nonce'],
      [],
    ],
    [
      `/js${device}/meter-102`,
      { ids: { dev_eui: '70B3D57ED0100001', join_eui: '70B3D57ED0001000' }, root_keys: { root_key_id: 'x' } },
      ['root_keys.root_key_id'],
      ['DEVICES_WRITE_KEYS'],
    ],
    [`/as${device}/meter-102`, { session: { last_a_f_cnt_down: 9 } }, ['session.last_a_f_cnt_down'], []],
    [
      `/as${device}/meter-102`,
      { session: { keys: { session_key_id: 'AAAA' } } },
      ['session.keys.session_key_id'],
      ['DEVICES_WRITE_KEYS'],
    ],
  ]

  it.each(writes)(
    'to write %s %j %j with DEVICES_WRITE alone lack %j',
    async (path, end_device, paths, names) => {
      const answer = await call(
        'PUT',
        path,
        { end_device, field_mask: { paths } },
        await keyWith('DEVICES_WRITE'),
      )
      expect(answer.status).toBe(names.length === 0 ? 200 : 403)
      if (names.length > 0) expect(missing(answer)).toEqual(names.map((name) => `RIGHT_APPLICATION_${name}`))
    },
  )

  it('of a key end at its application, whether another exists or not', async () => {
    await call('POST', '/users/admin/applications', { application: { ids: { application_id: 'other' } } })
    const key = await keyWith('DEVICES_READ')
    for (const application of ['other', 'missing']) {
      const answer = await call('GET', `/applications/${application}/devices`, undefined, key)
      expect(answer.status).toBe(403)
      expect(named(answer)).toBe('pkg/auth/rights:no_application_rights')
    }
    expect((await call('GET', '/applications/missing/devices', undefined, key)).status).toBe(403)
    expect(named(await call('GET', '/applications/missing'))).toBe(
      'pkg/identityserver/store:application_not_found',
    )
  })

  it('are handed on only by those who hold them', async () => {
    const key = await keyWith('SETTINGS_API_KEYS', 'DEVICES_READ')
    const grant = (right: string) =>
      call('POST', '/applications/building-a/api-keys', { name: 'more', rights: [right] }, key)
    expect((await grant('RIGHT_APPLICATION_DEVICES_READ')).status).toBe(200)
    expect(missing(await grant('RIGHT_APPLICATION_DEVICES_WRITE'))).toEqual([
      'RIGHT_APPLICATION_DEVICES_WRITE',
    ])
  })

  it('come after validation: a bad id is 400 with any token', async () => {
    expect((await call('GET', `${device}/Bad_ID`, undefined, null)).status).toBe(400)
    expect((await call('GET', `${device}/meter-102?field_mask=nope`, undefined, 'garbage')).status).toBe(400)
    expect(named(await call('GET', `${device}/meter-102?field_mask=nope`, undefined, 'garbage'))).toBe(
      'pkg/rpcmiddleware/validator:field_mask_paths',
    )
    expect(named(await call('GET', `${device}/meter-102`, undefined, 'garbage'))).toBe('pkg/auth:token')
  })
})

describe('the four registries', () => {
  it('know nothing of each other', async () => {
    expect((await call('DELETE', `${device}/meter-102`)).status).toBe(200)
    for (const registry of ['ns', 'js', 'as'])
      expect((await call('GET', `/${registry}${device}/meter-102`)).status, registry).toBe(200)
    expect((await call('GET', `${device}/meter-102`)).status).toBe(404)
    expect((await call('GET', `${device}/sensor-half`)).status).toBe(200)
    for (const registry of ['ns', 'js', 'as'])
      expect((await call('GET', `/${registry}${device}/sensor-half`)).status, registry).toBe(404)
  })

  it('each refuse a pair of EUIs that another device holds, also in another application', async () => {
    await call('POST', '/users/admin/applications', { application: { ids: { application_id: 'other' } } })
    const ids = { device_id: 'twin', dev_eui: '70B3D57ED0100001', join_eui: '70B3D57ED0001000' }
    const holder = {
      application_id: 'building-a',
      device_id: 'meter-102',
      dev_eui: ids.dev_eui,
      join_eui: ids.join_eui,
    }
    const identity = await call('POST', '/applications/other/devices', { end_device: { ids } })
    expect([identity.status, named(identity)]).toEqual([409, 'pkg/identityserver:end_device_euis_taken'])
    expect(errorOf(identity)?.attributes).toEqual(holder)
    for (const registry of ['ns', 'js', 'as']) {
      const answer = await call('PUT', `/${registry}/applications/other/devices/twin`, {
        end_device: { ids },
        field_mask: { paths: [] },
      })
      expect([answer.status, named(answer)], registry).toEqual([
        409,
        'pkg/internal/registry:end_device_euis_taken',
      ])
      expect(errorOf(answer)?.attributes).toEqual(holder)
    }
  })

  it('free id and EUIs at once when a device is deleted', async () => {
    const ids = { device_id: 'meter-102', dev_eui: '70B3D57ED0100001', join_eui: '70B3D57ED0001000' }
    await call('DELETE', `${device}/meter-102`)
    expect((await call('POST', device, { end_device: { ids } })).status).toBe(200)
    await call('DELETE', `/ns${device}/meter-102`)
    expect(
      (await call('PUT', `/ns${device}/meter-102`, { end_device: { ids }, field_mask: { paths: [] } }))
        .status,
    ).toBe(200)
  })

  it('let pairs without a JoinEUI be', async () => {
    for (const id of ['abp-a', 'abp-b']) {
      expect(
        (await call('POST', device, { end_device: { ids: { device_id: id, dev_eui: '70B3D57ED01000AA' } } }))
          .status,
      ).toBe(200)
    }
  })

  it('refuse other EUIs on update, apart from the Join Server which ignores them', async () => {
    const update = (registry: string) =>
      call('PUT', `/${registry}${device}/meter-102`, {
        end_device: {
          ids: { dev_eui: '70B3D57ED01000BB', join_eui: '70B3D57ED0001000' },
          last_join_nonce: 4,
        },
        field_mask: { paths: registry === 'js' ? ['last_join_nonce'] : [] },
      })
    expect(named(await update('ns'))).toBe('pkg/networkserver/redis:read_only_field')
    const join = await update('js')
    expect([join.status, (join.body['ids'] as { dev_eui: string }).dev_eui]).toEqual([
      200,
      '70B3D57ED0100001',
    ])
  })
})

describe('lists', () => {
  const fill = async (count: number): Promise<void> => {
    await call('POST', '/users/admin/applications', { application: { ids: { application_id: 'many' } } })
    for (let index = 0; index < count; index += 1) {
      const number = String(index).padStart(3, '0')
      await call('POST', '/applications/many/devices', {
        end_device: { ids: { device_id: `dev-${number}` }, name: `N ${number}` },
      })
    }
  }
  const idsOf = ({ body }: Answer): string[] =>
    ((body['end_devices'] ?? []) as { ids: { device_id: string } }[]).map(({ ids }) => ids.device_id)

  it('hold 100 by default, up to 1000 on request; search never more than 100', async () => {
    await fill(105)
    const first = await call('GET', '/applications/many/devices')
    expect([idsOf(first).length, first.headers.get('x-total-count')]).toEqual([100, '105'])
    expect(idsOf(await call('GET', '/applications/many/devices?limit=1000')).length).toBe(105)
    expect(idsOf(await call('GET', '/applications/many/devices?page=2')).length).toBe(5)
    const search = await call('GET', '/search/applications/many/devices?id_contains=dev&limit=1000')
    expect([idsOf(search).length, search.headers.get('x-total-count')]).toEqual([100, '105'])
    expect(
      idsOf(await call('GET', '/search/applications/many/devices?id_contains=dev&limit=1000&page=2')),
    ).toEqual([])
  })

  it('sort by a few fields, and fall back to the id for the others', async () => {
    await fill(3)
    const order = async (name: string) => idsOf(await call('GET', `/applications/many/devices?order=${name}`))
    expect(await order('-name')).toEqual(['dev-002', 'dev-001', 'dev-000'])
    expect(await order('-dev_eui')).toEqual(['dev-000', 'dev-001', 'dev-002'])
  })
})

describe('the Network Server', () => {
  const ids = { device_id: 'import-1', dev_eui: '70B3D57ED01000C1', join_eui: '70B3D57ED0001000' }
  const basics = {
    supports_join: true,
    lorawan_version: 'MAC_V1_0_3',
    lorawan_phy_version: 'PHY_V1_0_3_REV_A',
    frequency_plan_id: 'EU_863_870_TTN',
  }
  const key = 'B1'.repeat(16)
  const session = {
    dev_addr: '270000C1',
    keys: { session_key_id: 'AAAAAAAAAAAAAAAAAAAAAQ==', f_nwk_s_int_key: { key } },
    last_f_cnt_up: 5,
  }
  const leaves = [
    'session.dev_addr',
    'session.keys.session_key_id',
    'session.keys.f_nwk_s_int_key.key',
    'session.last_f_cnt_up',
  ]
  const set = (end_device: object, ...paths: readonly string[]) =>
    call('PUT', `/ns${device}/import-1`, { end_device: { ids, ...end_device }, field_mask: { paths } })
  const read = async (mask: string) => (await call('GET', `/ns${device}/import-1?field_mask=${mask}`)).body
  const importSession = () =>
    set(
      { ...basics, session: { ...session, started_at: '2024-01-01T00:00:00Z' } },
      ...Object.keys(basics),
      ...leaves,
      'session.started_at',
    )

  it('sets started_at to now with the first write of a session, and to what is sent with a second', async () => {
    expect((await importSession()).status).toBe(200)
    expect((await read('session.started_at'))['session']).not.toEqual({ started_at: '2024-01-01T00:00:00Z' })
    await set({ session: { started_at: '2024-01-01T00:00:00Z' } }, 'session.started_at')
    expect((await read('session.started_at'))['session']).toEqual({ started_at: '2024-01-01T00:00:00Z' })
  })

  it('copies the one network key below LoRaWAN 1.1, and wants all three from there on', async () => {
    await importSession()
    expect((await read('session.keys'))['session']).toMatchObject({
      keys: { s_nwk_s_int_key: { key }, nwk_s_enc_key: { key } },
    })
    await call('DELETE', `/ns${device}/import-1`)
    const newer = await set(
      { ...basics, lorawan_version: 'MAC_V1_1', lorawan_phy_version: 'PHY_V1_1_REV_B', session },
      ...Object.keys(basics),
      ...leaves,
    )
    expect(errorOf(newer)?.attributes).toEqual({ field: 'session.keys.nwk_s_enc_key.key' })
  })

  it('writes a MAC state that another network gave, unchanged', async () => {
    const { body } = await call('GET', `/ns${device}/meter-103?field_mask=mac_state`)
    expect(
      (
        await set(
          { ...basics, session, mac_state: body['mac_state'] },
          ...Object.keys(basics),
          ...leaves,
          'mac_state',
        )
      ).status,
    ).toBe(200)
    expect((await read('mac_state'))['mac_state']).toEqual(body['mac_state'])
  })

  it('ties MAC state and session together', async () => {
    await importSession()
    expect(errorOf(await set({}, 'session'))?.attributes).toEqual({ field: 'session' })
    expect(errorOf(await set({}, 'mac_state'))?.attributes).toEqual({ field: 'mac_state' })
    expect((await set({}, 'session', 'mac_state')).status).toBe(200)
    const cleared = await read('session,mac_state')
    expect(cleared).not.toHaveProperty('session')
    expect(cleared).not.toHaveProperty('mac_state')
  })

  it('refuses what the mask covers and it does not store', async () => {
    const answer = await set(
      { ...basics, session: { ...session, last_a_f_cnt_down: 3 } },
      ...Object.keys(basics),
      'session',
    )
    expect([named(answer), errorOf(answer)?.attributes]).toEqual([
      'pkg/rpcmiddleware/validator:non_zero_path',
      { path: 'session.last_a_f_cnt_down' },
    ])
  })

  it('stores an all-zero key when a wrapped one alone is sent with a new device', async () => {
    const wrapped = {
      ...session,
      keys: { ...session.keys, f_nwk_s_int_key: { encrypted_key: 'AAAA', kek_label: 'theirs' } },
    }
    expect((await set({ ...basics, session: wrapped }, ...Object.keys(basics), ...leaves)).status).toBe(200)
    expect((await read('session.keys'))['session']).toMatchObject({
      keys: { f_nwk_s_int_key: { key: '0'.repeat(32) } },
    })
  })

  it('keeps supports_join and multicast as they were made', async () => {
    await set(basics, ...Object.keys(basics))
    expect(
      errorOf(
        await set(
          { multicast: true, supports_class_c: true, supports_join: true },
          'multicast',
          'supports_class_c',
        ),
      )?.name,
    ).toBe('field_value')
  })

  it('resets an OTAA device to nothing and an ABP device to its keys', async () => {
    const otaa = await call('PATCH', `/ns${device}/meter-102`, {
      field_mask: { paths: ['session', 'mac_state'] },
    })
    expect(otaa.body).not.toHaveProperty('session')
    expect(otaa.body).toMatchObject({ ids: { dev_addr: '27001001' } })
    const abp = await call('PATCH', `/ns${device}/valve-abp`, {
      field_mask: { paths: ['session', 'mac_state'] },
    })
    expect(abp.body).toMatchObject({
      session: { dev_addr: '27001008', keys: { f_nwk_s_int_key: { key: 'B8'.repeat(16) } } },
      mac_state: { current_parameters: { rx1_delay: 1 } },
    })
    expect(abp.body['session']).not.toHaveProperty('last_f_cnt_up')
  })

  it('takes false for schedule_downlinks as a value of its own, and null as none', async () => {
    await set(
      { ...basics, mac_settings: { schedule_downlinks: false } },
      ...Object.keys(basics),
      'mac_settings.schedule_downlinks',
    )
    expect((await read('mac_settings'))['mac_settings']).toEqual({ schedule_downlinks: false })
    await set({ mac_settings: { schedule_downlinks: null } }, 'mac_settings.schedule_downlinks')
    expect((await read('mac_settings'))['mac_settings']).toEqual({})
  })
})

describe('the Join and the Application Server', () => {
  it('keep root keys apart: an absent NwkKey removes the stored one, an absent AppKey is refused', async () => {
    const ids = { dev_eui: '70B3D57ED0100005', join_eui: '70B3D57ED0001000' }
    const set = (root_keys: object, ...paths: readonly string[]) =>
      call('PUT', `/js${device}/sensor-nwkkey`, { end_device: { ids, root_keys }, field_mask: { paths } })
    expect((await set({}, 'root_keys.nwk_key.key')).status).toBe(200)
    const { body } = await call('GET', `/js${device}/sensor-nwkkey?field_mask=root_keys`)
    expect(body['root_keys']).toEqual({ app_key: { key: 'A5'.repeat(16) }, root_key_id: 'made-up-key-5' })
    expect(errorOf(await set({}, 'root_keys.app_key.key'))?.attributes).toEqual({
      field: 'root_keys.app_key.key',
    })
  })

  it('refuse the masks that only the other may write', async () => {
    const answer = await call('PUT', `/as${device}/meter-102`, {
      end_device: {},
      field_mask: { paths: ['formatters', 'session', 'pending_session', 'root_keys'] },
    })
    expect(errorOf(answer)?.attributes).toEqual({
      forbidden_paths: ['session', 'pending_session', 'root_keys'],
    })
  })

  it('need a device to queue for', async () => {
    const push = (id: string) =>
      call('POST', `/as${device}/${id}/down/push`, { downlinks: [{ f_port: 1, frm_payload: 'AQ==' }] })
    expect((await push('meter-102')).status).toBe(200)
    expect((await push('sensor-half')).status).toBe(404)
    expect((await push('sensor-new')).status).toBe(400)
  })
})

import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Fields, type FieldValue, REGISTRIES, type Registry } from '../../../src/domain/device.ts'
import type { Json } from '../../../src/domain/json.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { FIELDS, isWritable, readMask } from '../../../src/networks/things-stack/fields.ts'
import {
  deviceBody,
  fieldsOf,
  idsOf,
  refusedPaths,
  WrappedKey,
} from '../../../src/networks/things-stack/records.ts'
import { recordedExchanges } from './recordings.ts'

const KEY = 'A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3'

const plain = (fields: Fields): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([path, value]) => [path, value instanceof Secret ? value.reveal() : value]),
  )

const hexKey = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase())

const value = fc
  .oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string(), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.jsonValue(), { minKeys: 1, maxKeys: 3 }),
  )
  .map((made) => structuredClone(made) as Json)

type Field = readonly [string, FieldValue]

const fieldOf = (registry: Registry): fc.Arbitrary<Field> =>
  fc
    .constantFrom(...FIELDS[registry].filter(({ use }) => use === 'carried'))
    .chain((rule): fc.Arbitrary<Field> => {
      if (rule.kind === 'secret') return hexKey.map((key): Field => [rule.path, new Secret(key)])
      if (rule.kind === 'value') return value.map((made): Field => [rule.path, made])
      const name = fc.constantFrom('rx1_delay', 'adr', 'schedule_downlinks', 'new_setting')
      return fc.tuple(name, value).map(([member, made]): Field => [`${rule.path}.${member}`, made])
    })

const write = fc.constantFrom(...REGISTRIES).chain((registry) =>
  fc.tuple(
    fc.constant(registry),
    fc.array(fieldOf(registry), { maxLength: 12 }).map((fields): Fields => Object.fromEntries(fields)),
  ),
)

describe('fields of a registry', () => {
  test('come back as they were sent, whatever they are', () => {
    fc.assert(
      fc.property(write, ([registry, fields]) => {
        const body = deviceBody('app', { deviceId: 'dev' }, fields)
        expect(plain(fieldsOf(registry, body))).toEqual(plain(fields))
        expect(refusedPaths(registry, fields)).toEqual([])
      }),
    )
  })

  test('never show a key but in the body of a request', () => {
    fc.assert(
      fc.property(write, ([registry, fields]) => {
        const read = fieldsOf(registry, deviceBody('app', { deviceId: 'dev' }, fields))
        const shown = inspect(read, { depth: 20 }) + JSON.stringify(read)
        for (const one of Object.values(fields)) {
          if (one instanceof Secret) expect(shown).not.toContain(one.reveal())
        }
      }),
    )
  })

  test('of a recorded device hold every value that the server told and that is carried', () => {
    const body = recordedExchanges.find(
      ({ file, request }) =>
        file === 'otaa-session.json' && request.method === 'GET' && request.path.startsWith('/ns'),
    )?.response.body
    const fields = plain(fieldsOf('network-server', body))
    expect(Object.keys(fields)).toEqual([
      'mac_state',
      'session.dev_addr',
      'session.keys.session_key_id',
      'session.keys.f_nwk_s_int_key.key',
      'session.keys.s_nwk_s_int_key.key',
      'session.keys.nwk_s_enc_key.key',
      'session.last_f_cnt_up',
      'session.last_n_f_cnt_down',
      'session.started_at',
    ])
    expect(fields['mac_state']).toHaveProperty('current_parameters.channels')
  })

  test('keep an explicit false and 0, and leave out what is empty or absent', () => {
    const fields = fieldsOf('network-server', {
      supports_join: false,
      mac_settings: {
        schedule_downlinks: false,
        status_count_periodicity: 0,
        adr: { disabled: {} },
        use_adr: null,
      },
      version_ids: {},
      session: {},
      mac_state: null,
    })
    expect(fields).toEqual({
      supports_join: false,
      'mac_settings.schedule_downlinks': false,
      'mac_settings.status_count_periodicity': 0,
      'mac_settings.adr': { disabled: {} },
    })
  })

  test('hold nothing that belongs to the old cluster [edge 22]', () => {
    const fields = fieldsOf('join-server', {
      net_id: '000013',
      provisioner_id: 'p',
      provisioning_data: {},
      network_server_address: 'old.example.org',
      network_server_kek_label: 'old',
      application_server_kek_label: 'old',
      application_server_id: 'old',
      claim_authentication_code: { value: 'CODE' },
      last_join_nonce: 3,
    })
    expect(fields).toEqual({ last_join_nonce: 3 })
  })

  test('keep a claim code as a secret, which no write may hold', () => {
    const fields = fieldsOf('identity-server', {
      claim_authentication_code: { value: 'MADEUPCODE1', valid_from: '2020-01-01T00:00:00Z' },
    })
    expect(Object.keys(fields)).toEqual(['claim_authentication_code.value'])
    expect(inspect(fields, { depth: 20 })).not.toContain('MADEUPCODE1')
    expect(refusedPaths('identity-server', fields)).toEqual(['claim_authentication_code.value'])
  })

  test('show that a join-accept is queued, without the keys in it', () => {
    const queued_join_accept = { keys: { f_nwk_s_int_key: { key: KEY } }, payload: 'AAAA' }
    const state = { lorawan_version: 'MAC_V1_0_3', queued_join_accept }
    const fields = fieldsOf('network-server', { mac_state: state, pending_mac_state: state })
    expect(inspect(fields, { depth: 20 })).not.toContain(KEY)
    expect(fields['pending_mac_state']).toHaveProperty('queued_join_accept', {})
    const body = deviceBody('app', { deviceId: 'dev' }, { mac_state: fields['mac_state'] ?? null })
    expect(body['mac_state']).toEqual({ lorawan_version: 'MAC_V1_0_3' })
  })

  test('stop at a key that is wrapped', () => {
    const wrapped = { encrypted_key: 'AAAA', kek_label: 'ns/old' }
    const session = { keys: { f_nwk_s_int_key: wrapped } }
    expect(() => fieldsOf('network-server', { session })).toThrow(WrappedKey)
    expect(() => fieldsOf('join-server', { root_keys: { app_key: wrapped } })).toThrow(
      expect.objectContaining({ path: 'root_keys.app_key.key' }),
    )
  })

  test('go on without an AppSKey that the Application Server keeps wrapped on purpose [edge 24]', () => {
    const session = { dev_addr: '26010000', keys: { app_s_key: { encrypted_key: 'AAAA' } } }
    expect(fieldsOf('application-server', { session, skip_payload_crypto_override: true })).toEqual({
      skip_payload_crypto_override: true,
      'session.dev_addr': '26010000',
    })
    expect(() => fieldsOf('application-server', { session, skip_payload_crypto_override: false })).toThrow(
      WrappedKey,
    )
  })
})

describe('what may be written', () => {
  test.each([
    ['identity-server', 'activated_at'],
    ['identity-server', 'last_seen_at'],
    ['identity-server', 'claim_authentication_code'],
    ['identity-server', 'ids.dev_eui'],
    ['join-server', 'net_id'],
    ['join-server', 'provisioner_id'],
    ['join-server', 'root_keys.app_key.encrypted_key'],
    ['network-server', 'ids.dev_addr'],
    ['network-server', 'pending_session.dev_addr'],
    ['network-server', 'pending_mac_state'],
    ['network-server', 'session'],
    ['network-server', 'session.keys.app_s_key.key'],
    ['network-server', 'mac_settings'],
    ['network-server', 'mac_settings.__proto__'],
    ['application-server', 'session.last_f_cnt_up'],
    ['application-server', 'pending_session.dev_addr'],
  ] as const)('is not, on the %s, %s', (registry, path) => {
    expect(isWritable(registry, path, 'set')).toBe(false)
    expect(refusedPaths(registry, { [path]: 'x' })).toEqual([path])
  })

  test('can be cleared as a whole where the server takes that', () => {
    expect(refusedPaths('network-server', {}, ['session', 'mac_state', 'pending_session'])).toEqual([])
    expect(refusedPaths('application-server', {}, ['session'])).toEqual(['session'])
  })

  test('is not set and cleared at once', () => {
    expect(refusedPaths('identity-server', { name: 'x' }, ['name'])).toEqual(['name'])
  })
})

describe('a read', () => {
  test('asks for sessions in parts, which needs no right on traffic', () => {
    const mask = readMask('network-server')
    expect(mask).toContain('session.keys')
    expect(mask).toContain('mac_settings')
    expect(mask).not.toContain('session')
    expect(new Set(mask).size).toBe(mask.length)
    expect(readMask('join-server')).toContain('root_keys')
  })
})

describe('ids', () => {
  test('are parsed, and a DevEUI of zeros is none', () => {
    expect(
      idsOf({ ids: { device_id: 'a', dev_eui: '70b3d57ed0000001', join_eui: '0000000000000000' } }),
    ).toEqual({
      deviceId: 'a',
      devEui: '70B3D57ED0000001',
      joinEui: '0000000000000000',
    })
    expect(idsOf({ ids: { device_id: 'a', dev_eui: '0000000000000000' } })).toEqual({ deviceId: 'a' })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedDeviceId } from '../../../src/domain/accepted-id.ts'
import { acceptedIdentity } from '../../../src/domain/accepted-identity.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { recordOf } from '../../../src/networks/ttn-v2/mapping.ts'

const DEFAULTS = {
  frequencyPlan: 'EU_863_870_TTN',
  lorawanVersion: 'MAC_V1_0_2',
  lorawanPhyVersion: 'PHY_V1_0_2_REV_B',
}
const [APP_KEY, NWK_S_KEY, APP_S_KEY] = ['5A', '5B', '5C'].map((use) => `${use}01`.repeat(8))

const device = (lorawan: object, more: object = {}) =>
  ({
    app_id: 'building-v2',
    dev_id: 'meter-1',
    ...more,
    lorawan_device: {
      app_id: 'building-v2',
      dev_id: 'meter-1',
      app_eui: '70B3D57ED000A000',
      dev_eui: '70B3D57ED00A0001',
      dev_addr: '',
      nwk_s_key: '',
      app_s_key: '',
      app_key: '',
      ...lorawan,
    },
  }) as never
const SESSION = { dev_addr: '26000A01', nwk_s_key: NWK_S_KEY, app_s_key: APP_S_KEY }

/** At least three letters and digits, single hyphens between them, 36 characters at most. */
const TAKEN = /^(?=.{3,36}$)[a-z0-9](?:-?[a-z0-9]){2,}$/

describe('a device of a Stack V2 as registries would hold it', () => {
  it('says that its counters have 16 bits, where they have', () => {
    const settings = (lorawan: object) =>
      recordOf(device({ ...SESSION, ...lorawan }), DEFAULTS).registries['network-server']
    expect(settings({})?.['mac_settings.supports_32_bit_f_cnt']).toBe(false)
    expect(settings({ uses32_bit_f_cnt: true })?.['mac_settings.supports_32_bit_f_cnt']).toBe(true)
  })

  it('takes f_cnt_down, the next to use, for the last that was: one is skipped, and none is used twice', () => {
    const { registries } = recordOf(device({ ...SESSION, f_cnt_up: 70_001, f_cnt_down: 1 }), DEFAULTS)
    expect(registries['network-server']).toMatchObject({
      'session.last_f_cnt_up': 70_001,
      'session.last_n_f_cnt_down': 1,
    })
    expect(registries['application-server']).toMatchObject({ 'session.last_a_f_cnt_down': 1 })
  })

  it('gives its session the same id at each reading, and none of its keys', () => {
    const id = (fCntUp: number) =>
      recordOf(device({ ...SESSION, app_key: APP_KEY, f_cnt_up: fCntUp }), DEFAULTS).registries[
        'network-server'
      ]?.['session.keys.session_key_id']
    expect(id(1)).toBe(id(2))
    expect(Buffer.from(String(id(1)), 'base64')).toHaveLength(16)
  })

  it('has an identity alone where it has no key, and zeros are none', () => {
    for (const zero of ['', '0'.repeat(32)])
      expect(Object.keys(recordOf(device({ app_key: zero }), DEFAULTS).registries)).toEqual([
        'identity-server',
      ])
  })

  it('tells a location in the decimals of a 32-bit float, and none at 0/0 [edge 72]', () => {
    const at = (latitude: number, longitude: number) =>
      recordOf(device({}, { latitude, longitude, altitude: -2 }), DEFAULTS).registries['identity-server']?.[
        'locations'
      ]
    expect(at(52.379188537597656, 4.899431228637695)).toEqual({
      user: { latitude: 52.37919, longitude: 4.899431, altitude: -2, source: 'SOURCE_REGISTRY' },
    })
    expect(at(0, 0)).toBeUndefined()
  })

  it('keeps no key in the open, whatever it is printed as', () => {
    const record = recordOf(device({ ...SESSION, app_key: APP_KEY }), DEFAULTS)
    for (const key of [APP_KEY, NWK_S_KEY, APP_S_KEY]) expect(JSON.stringify(record)).not.toContain(key)
    expect(record.registries['join-server']?.['root_keys.app_key.key']).toBeInstanceOf(Secret)
  })
})

describe('names in the form that the target takes', () => {
  it('are taken by it, stay where they are taken, and do not depend on the run', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: 'binary' }), (id) => {
        const accepted = acceptedDeviceId(id)
        expect(accepted).toMatch(TAKEN)
        expect(acceptedDeviceId(accepted)).toBe(accepted)
        if (TAKEN.test(id)) expect(accepted).toBe(id)
      }),
    )
  })

  it('of attributes lose no value, and no two become one', () => {
    const pairs = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 64, unit: 'binary' }),
      fc.string({ maxLength: 64 }),
      {
        maxKeys: 10,
      },
    )
    fc.assert(
      fc.property(pairs, (attributes) => {
        const { attributes: accepted = {} } = acceptedIdentity({ attributes }, 'meter-1')
        const first = Object.values(attributes).map((value) => [...value].slice(0, 200).join(''))
        if (first.length <= 10) expect(Object.values(accepted).sort()).toEqual(first.sort())
        else expect(Object.keys(accepted)).toHaveLength(10)
        for (const name of Object.keys(accepted)) expect(name).toMatch(TAKEN)
      }),
    )
  })

  it('keep the old id where there is room for it', () => {
    expect(acceptedIdentity({}, 'a_b').attributes).toEqual({ 'old-id': 'a_b' })
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key-${index}`, 'v']))
    expect(Object.keys(acceptedIdentity({ attributes: ten }, 'a_b').attributes ?? {})).toHaveLength(10)
  })
})

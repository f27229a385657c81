import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/domain/secret.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { keysOf, register } from '../support/fleet.ts'
import { METER, VALVE } from '../support/meters.ts'
import { startMigration } from '../support/migration.ts'
import { at } from '../support/scenario.ts'
import { storeOf } from '../support/stack-api.ts'

interface Awkward {
  /** Name of the test, with the number of the case. */
  readonly is: string
  readonly spec: DeviceSpec
  readonly plan?: string
  /** Codes that the preview tells of it, among others. */
  readonly told: readonly string[]
  readonly ends: 'crosses' | 'is left alone'
  /** Fields of the target's Network Server, where it crosses. */
  readonly held?: object
}

const KEEP = 'policy: { persistSession: true }'

const CLAIM_CODE = 'MADEUPCODE1'

const CASES: readonly Awkward[] = [
  {
    is: 'LoRaWAN 1.0 with AppKey alone [edge 15]',
    spec: METER,
    told: [],
    ends: 'crosses',
  },
  {
    is: 'LoRaWAN 1.0 with a NwkKey, by which its joins are checked [edge 16]',
    spec: { ...METER, nwkKey: true, rootKeyId: 'made-up-id' },
    told: ['JoinsWithNwkKey'],
    ends: 'crosses',
  },
  {
    is: 'LoRaWAN 1.1 with both root keys and three network keys [edge 17]',
    spec: { ...METER, version: 'MAC_V1_1', phy: 'PHY_V1_1_REV_B', usedDevNonces: [], lastDevNonce: 3 },
    told: [],
    ends: 'crosses',
    held: {
      session: { keys: { s_nwk_s_int_key: { key: keysOf({ ...METER, version: 'MAC_V1_1' }).sNwkSIntKey } } },
    },
  },
  {
    is: 'OTAA that never joined [edge 27]',
    spec: { id: 'meter-new', number: 8, mode: 'otaa' },
    told: ['NeverJoined'],
    ends: 'crosses',
  },
  {
    is: 'a 32-bit counter near its end [edge 34]',
    spec: { ...METER, fCntUp: 0xfffffff0 },
    told: ['CounterNearEnd'],
    ends: 'crosses',
    held: { session: { last_f_cnt_up: 0xfffffff0 } },
  },
  {
    is: 'the highest JoinNonce that there is [edge 46]',
    spec: { ...METER, lastJoinNonce: 0xffffff },
    plan: 'policy: { persistSession: false }',
    told: ['JoinNonceExhausted'],
    ends: 'is left alone',
  },
  {
    is: 'a DevAddr that gateways of the target are not known to hear [edge 52]',
    spec: METER,
    plan: `${KEEP}\ncoverage: { gateways: unknown }`,
    told: ['DevAddrNotCovered'],
    ends: 'is left alone',
  },
  {
    is: 'a frequency plan that the target does not know [edge 54]',
    spec: METER,
    plan: `${KEEP}\ndevices: { include: [{ all: true }], overrides: [{ match: "*", set: { frequencyPlan: MADE_UP_1 } }] }`,
    told: ['UnknownFrequencyPlan'],
    ends: 'is left alone',
  },
  {
    is: 'a frequency plan of another band than that of its session [edge 55]',
    spec: METER,
    plan: `${KEEP}\ndevices: { include: [{ all: true }], overrides: [{ match: "*", set: { frequencyPlan: US_902_928_FSB_2 } }] }`,
    told: ['BandMismatch'],
    ends: 'is left alone',
  },
  {
    is: 'class B, with its periodicity and its timeout [edge 60]',
    spec: {
      ...METER,
      classB: true,
      macSettings: { ping_slot_periodicity: 'PING_EVERY_4S', class_b_timeout: '120s' },
    },
    told: [],
    ends: 'crosses',
    held: {
      supports_class_b: true,
      mac_settings: { ping_slot_periodicity: 'PING_EVERY_4S', class_b_timeout: '120s' },
    },
  },
  {
    is: 'class C with fixed keys, and its timeout [edge 61]',
    spec: { ...VALVE, classC: true, macSettings: { class_c_timeout: '300s' } },
    told: [],
    ends: 'crosses',
    held: { supports_class_c: true, mac_settings: { class_c_timeout: '300s' } },
  },
  {
    is: 'ADR of its own, which is one of several forms [edge 64]',
    spec: {
      ...METER,
      macSettings: { adr: { static: { data_rate_index: 3, tx_power_index: 2, nb_trans: 1 } } },
    },
    told: [],
    ends: 'crosses',
    held: { mac_settings: { adr: { static: { data_rate_index: 3, tx_power_index: 2, nb_trans: 1 } } } },
  },
  {
    is: 'status requests that are switched off, and said to be [edge 66]',
    spec: { ...METER, macSettings: { status_time_periodicity: '0s', status_count_periodicity: 0 } },
    told: [],
    ends: 'crosses',
    held: { mac_settings: { status_time_periodicity: '0s', status_count_periodicity: 0 } },
  },
  {
    is: 'another frequency plan of its band, and a session that keeps its channels [edge 56]',
    spec: { ...METER, plan: 'US_902_928_FSB_2', phy: 'PHY_V1_0_3_REV_A' },
    plan: `${KEEP}
devices:
  include: [{ all: true }]
  overrides: [{ all: true, set: { frequencyPlan: US_902_928_FSB_1 } }]`,
    told: ['OtherChannels'],
    ends: 'crosses',
    held: { frequency_plan_id: 'US_902_928_FSB_1' },
  },
  {
    is: 'a claim code, which stays behind and is shown nowhere [edge 25]',
    spec: { ...METER, identity: { claim_authentication_code: { value: CLAIM_CODE } } },
    told: ['ClaimCodeStays'],
    ends: 'crosses',
  },
  {
    is: 'a model that no repository of the target has [edge 71]',
    spec: {
      ...METER,
      identity: { version_ids: { brand_id: 'made-up', model_id: 'model-1', band_id: 'EU_863_870' } },
    },
    told: [],
    ends: 'crosses',
  },
]

describe('a device with', () => {
  it.each(CASES)('$is $ends', async ({ spec, plan = KEEP, told, ends, held }) => {
    const migration = await startMigration()
    try {
      const { source, target } = migration
      await register(source, spec)
      await migration.writePlan(plan)
      const { changeSet } = await migration.plan()
      const [change] = changeSet.devices
      const codes = change?.findings.map(({ code }) => code) ?? []
      for (const code of told) expect(codes).toContain(code)
      await migration.apply()
      const [from, to] = [await storeOf(source), await storeOf(target)]
      const key = `${source.application}/${spec.id}`
      const isMuted = at(from.networkServer[key], 'mac_settings', 'schedule_downlinks') === false
      const isThere = to.networkServer[key] !== undefined
      expect([change?.action, isMuted, isThere]).toEqual(
        ends === 'crosses' ? ['create', true, true] : ['blocked', false, false],
      )
      if (spec.identity?.['claim_authentication_code'] !== undefined) {
        expect(JSON.stringify([changeSet, to, await migration.stateText()])).not.toContain(CLAIM_CODE)
        const [entry] = await migration.escrowEntries()
        const kept = entry?.record.registries['identity-server']?.['claim_authentication_code.value']
        expect(kept instanceof Secret ? kept.reveal() : kept).toBe(CLAIM_CODE)
      }
      if (held !== undefined) expect(to.networkServer[key]).toMatchObject(held)
      if (ends === 'crosses')
        expect(at(to.networkServer[key], 'mac_settings', 'schedule_downlinks')).not.toBe(false)
    } finally {
      await migration.close()
    }
  })
})

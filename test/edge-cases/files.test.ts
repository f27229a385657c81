import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Migration, startMigration } from '../support/migration.ts'
import { at } from '../support/scenario.ts'
import { storeOf } from '../support/stack-api.ts'

const KEY = 'AB'.repeat(16)
const KEEP = 'policy: { persistSession: true }'
const ANEW = 'policy: { persistSession: false }'

const BASICS = {
  lorawan_version: 'MAC_V1_0_3',
  lorawan_phy_version: 'PHY_V1_0_3_REV_A',
  frequency_plan_id: 'EU_863_870_TTN',
}
const IDS = { device_id: 'meter-1', dev_eui: '70B3D57ED0000001', join_eui: '70B3D57ED0000000' }
const OTAA = { ids: IDS, ...BASICS, supports_join: true, root_keys: { app_key: { key: KEY } } }
const NETWORK_KEYS = {
  f_nwk_s_int_key: { key: 'C1'.repeat(16) },
  s_nwk_s_int_key: { key: 'C1'.repeat(16) },
  nwk_s_enc_key: { key: 'C1'.repeat(16) },
}
const SESSION = {
  dev_addr: '27000001',
  keys: { ...NETWORK_KEYS, app_s_key: { key: 'C4'.repeat(16) } },
  last_f_cnt_up: 7,
}

const OTHER = { ...OTAA, ids: { ...IDS, device_id: 'meter-2', dev_eui: '70B3D57ED0000002' } }
const ABP = { ids: IDS, ...BASICS }

interface Awkward {
  /** Name of the test, with the number of the case. */
  readonly is: string
  readonly file: string
  /** More of the plan's source, and what comes after it. */
  readonly source?: string
  readonly plan: string
  /** By device: what the preview says, and the codes that it tells among others. */
  readonly told: Readonly<Record<string, readonly [action: string, ...codes: readonly string[]]>>
  /** Of the target, by device; a registry that is not named is not looked at. */
  readonly held?: Readonly<Record<string, object>>
}

const lines = (...devices: readonly object[]): string =>
  devices.map((device) => JSON.stringify(device)).join('\n')
const CSV = 'columns: { devEui: DevEUI, joinEui: JoinEUI, appKey: AppKey, lorawanVersion: Version }'
const DEFAULTS =
  'defaults: { frequencyPlan: EU_863_870_TTN, lorawanVersion: 1.0.3, lorawanPhyVersion: RP002_V1_0_1 }'

const CASES: readonly Awkward[] = [
  {
    is: 'a pair of EUIs that two devices have: neither moves [edge 4]',
    file: lines(OTAA, { ...OTAA, ids: { ...IDS, device_id: 'meter-2' } }),
    plan: ANEW,
    told: { 'meter-1': ['blocked', 'DuplicateEuis'], 'meter-2': ['blocked', 'DuplicateEuis'] },
  },
  {
    is: 'a DevEUI that two devices have with other JoinEUIs: both move [edge 4]',
    file: lines(OTAA, { ...OTAA, ids: { ...IDS, device_id: 'meter-2', join_eui: '70B3D57ED0000009' } }),
    plan: ANEW,
    told: { 'meter-1': ['create'], 'meter-2': ['create'] },
  },
  {
    is: 'a start of its session that is no time, and one before there was LoRaWAN [edge 43]',
    file: lines(
      { ...OTAA, session: { ...SESSION, started_at: 'yesterday' } },
      { ...OTHER, session: { ...SESSION, dev_addr: '27000002', started_at: '0001-01-01T00:00:00Z' } },
    ),
    plan: KEEP,
    told: { 'meter-1': ['create', 'TimeLeftOut'], 'meter-2': ['create', 'TimeLeftOut'] },
    held: {
      'meter-1': { session: { dev_addr: '27000001' } },
      'meter-2': { session: { dev_addr: '27000002' } },
    },
  },
  {
    is: 'the DevAddr of another device, and its own keys: both move [edge 53]',
    file: lines(
      { ...OTAA, session: SESSION },
      { ...OTHER, session: { ...SESSION, keys: { ...SESSION.keys, app_s_key: { key: 'C5'.repeat(16) } } } },
    ),
    plan: KEEP,
    told: { 'meter-1': ['create'], 'meter-2': ['create'] },
    held: {
      'meter-1': { session: { dev_addr: '27000001' } },
      'meter-2': { session: { dev_addr: '27000001' } },
    },
  },
  {
    is: 'the DevAddr and the session keys of another device: neither moves [edge 53]',
    file: lines({ ...ABP, session: SESSION }, { ...ABP, ids: OTHER.ids, session: SESSION }),
    plan: KEEP,
    told: { 'meter-1': ['blocked', 'DuplicateSession'], 'meter-2': ['blocked', 'DuplicateSession'] },
  },
  {
    is: 'a formatter that is longer than the target takes [edge 69]',
    file: lines({
      ...OTAA,
      formatters: {
        up_formatter: 'FORMATTER_JAVASCRIPT',
        up_formatter_parameter: `// ${'x'.repeat(40_960)}`,
        down_formatter: 'FORMATTER_CAYENNELPP',
      },
    }),
    plan: ANEW,
    told: { 'meter-1': ['create', 'FormatterTooLong'] },
    held: { 'meter-1': { ids: { device_id: 'meter-1' } } },
  },
  {
    is: 'a JoinEUI of zeros, which is one [edge 10]',
    file: lines({ ...OTAA, ids: { ...IDS, join_eui: '0000000000000000' } }),
    plan: ANEW,
    told: { 'meter-1': ['create'] },
    held: { 'meter-1': { ids: { join_eui: '0000000000000000' } } },
  },
  {
    is: 'no JoinEUI of a device that joins [edge 11]',
    file: lines({ ...OTAA, ids: { device_id: 'meter-1', dev_eui: IDS.dev_eui } }),
    plan: ANEW,
    told: { 'meter-1': ['blocked', 'JoinEuiMissing'] },
  },
  {
    is: 'no JoinEUI, and one in the plan for all such devices [edge 11]',
    file: lines({ ...OTAA, ids: { device_id: 'meter-1', dev_eui: IDS.dev_eui } }),
    source: 'defaults: { frequencyPlan: EU_863_870_TTN, joinEui: "70B3D57ED0000009" }',
    plan: ANEW,
    told: { 'meter-1': ['create'] },
    held: { 'meter-1': { ids: { join_eui: '70B3D57ED0000009' } } },
  },
  {
    is: 'fixed keys and no DevEUI, below LoRaWAN 1.0.4 [edge 12]',
    file: lines({ ids: { device_id: 'valve-1' }, ...BASICS, session: SESSION }),
    plan: KEEP,
    told: { 'valve-1': ['create'] },
    held: { 'valve-1': { session: { dev_addr: '27000001' } } },
  },
  {
    is: 'fixed keys and no DevEUI, of LoRaWAN 1.0.4 [edge 12]',
    file: lines({
      ids: { device_id: 'valve-1' },
      ...BASICS,
      lorawan_version: 'MAC_V1_0_4',
      lorawan_phy_version: 'RP002_V1_0_1',
      session: SESSION,
    }),
    plan: KEEP,
    told: { 'valve-1': ['blocked', 'DevEuiMissing'] },
  },
  {
    is: 'EUIs in another spelling, and one that looks reversed [edge 13]',
    file: lines(
      { ...OTAA, ids: { ...IDS, dev_eui: '70-b3-d5-7e-d0-00-00-01' } },
      { ...OTAA, ids: { ...IDS, device_id: 'meter-2', dev_eui: '020000D07ED5B370' } },
    ),
    plan: ANEW,
    told: { 'meter-1': ['create'], 'meter-2': ['create', 'EuiReversed'] },
    held: { 'meter-1': { ids: { dev_eui: '70B3D57ED0000001' } } },
  },
  {
    is: 'a multicast group, which nothing waits for in a file [edge 62]',
    file: lines({
      ids: { device_id: 'lamps', dev_eui: '70B3D57ED0000005' },
      ...BASICS,
      multicast: true,
      supports_class_c: true,
      session: { ...SESSION, last_f_cnt_up: undefined, last_n_f_cnt_down: 25 },
    }),
    plan: KEEP,
    told: { lamps: ['create'] },
    held: { lamps: { multicast: true, session: { last_n_f_cnt_down: 25 + 1_000 } } },
  },
  {
    is: 'LoRaWAN 1.1 without NwkKey [edge 18]',
    file: lines({ ...OTAA, lorawan_version: 'MAC_V1_1', lorawan_phy_version: 'PHY_V1_1_REV_B' }),
    plan: ANEW,
    told: { 'meter-1': ['blocked', 'NwkKeyMissing'] },
  },
  {
    is: 'a session of LoRaWAN 1.0 with network keys that differ [edge 19]',
    file: lines({
      ...OTAA,
      session: { ...SESSION, keys: { ...SESSION.keys, s_nwk_s_int_key: { key: 'E9'.repeat(16) } } },
    }),
    plan: KEEP,
    told: { 'meter-1': ['blocked', 'NetworkKeysDiffer'] },
  },
  {
    is: 'a key that is none: 31 hex digits, and base64 [edge 30]',
    file: lines(
      { ...OTAA, root_keys: { app_key: { key: KEY.slice(1) } } },
      {
        ...OTAA,
        ids: { ...IDS, device_id: 'meter-2', dev_eui: '70B3D57ED0000002' },
        root_keys: { app_key: { key: 'q6urq6urq6urq6urq6urqw==' } },
      },
    ),
    plan: ANEW,
    told: { 'meter-1': ['blocked', 'FileValueWrong'], 'meter-2': ['blocked', 'FileValueWrong'] },
  },
  {
    is: 'a session of a device that joins without the id of its keys: it gets one, and one with fixed keys none [edge 42]',
    file: lines(
      { ...OTAA, session: SESSION },
      { ids: { device_id: 'valve-1', dev_eui: '70B3D57ED0000002' }, ...BASICS, session: SESSION },
    ),
    plan: KEEP,
    told: { 'meter-1': ['create'], 'valve-1': ['create'] },
    held: { 'meter-1': { session: { keys: { session_key_id: expect.stringMatching(/^[\w+/]{22}==$/) } } } },
  },
  {
    is: 'JoinNonces that nobody has told, from LoRaWAN 1.0.4 on [edge 45]',
    file: `DevEUI;JoinEUI;AppKey;Version\n${IDS.dev_eui};${IDS.join_eui};${KEY};1.0.4`,
    source: `${CSV}, ${DEFAULTS}`,
    plan: ANEW,
    told: { 'eui-70b3d57ed0000001': ['create'] },
    held: { 'eui-70b3d57ed0000001': { last_join_nonce: 0x10000 } },
  },
  {
    is: 'more nonces than the target keeps: the newest ten go along [edge 47]',
    file: lines({ ...OTAA, used_dev_nonces: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }),
    plan: ANEW,
    told: { 'meter-1': ['create'] },
    held: { 'meter-1': { used_dev_nonces: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] } },
  },
  {
    is: 'ids that the target does not take, under which no two devices become one [edge 1, 2, 3]',
    file: lines(
      { ...OTAA, ids: { ...IDS, device_id: `Zähler ${'x'.repeat(60)}` } },
      ...['a_b', 'a-b'].map((id, index) => ({
        ...OTAA,
        ids: { ...IDS, device_id: id, dev_eui: `70B3D57ED000000${index + 2}` },
      })),
    ),
    plan: ANEW,
    told: {
      [`Zähler ${'x'.repeat(60)}`]: ['create', 'IdRenamed'],
      a_b: ['blocked', 'DuplicateTargetId'],
      'a-b': ['blocked', 'DuplicateTargetId'],
    },
  },
  {
    is: 'more attributes than the target takes, under keys that it does not take [edge 67]',
    file: lines({
      ...OTAA,
      attributes: Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`Key_${index + 10}`, 'v'])),
    }),
    plan: ANEW,
    told: { 'meter-1': ['create', 'AttributesRenamed', 'AttributesDropped'] },
    held: { 'meter-1': { attributes: { 'key-10': 'v', 'key-19': 'v' } } },
  },
  {
    is: 'a name and a description that are too long, cut between characters [edge 68]',
    file: lines({ ...OTAA, name: '🚰'.repeat(60), description: 'ü'.repeat(2_001) }),
    plan: ANEW,
    told: { 'meter-1': ['create', 'TextCut'] },
    held: { 'meter-1': { name: '🚰'.repeat(50), description: 'ü'.repeat(2_000) } },
  },
]

const held = async ({ target }: Migration, id: string): Promise<object> => {
  const store = await storeOf(target)
  const key = `${target.application}/${id}`
  return {
    ...store.applicationServer[key],
    ...store.joinServer[key],
    ...store.networkServer[key],
    ...store.identityServer[key],
  }
}

describe('a file that has', () => {
  it.each(CASES)('$is', async ({ file, source = '', plan, told, held: wanted = {} }) => {
    const migration = await startMigration()
    try {
      const path = await migration.writePlan(plan)
      const name = source.includes('columns') ? 'fleet.csv' : 'devices.json'
      const text = (await migration.planText()).replace(
        /^source: .*$/m,
        `source: { network: file, path: ${name}${source === '' ? '' : `, ${source}`} }`,
      )
      await writeFile(path, text)
      await writeFile(join(migration.folder, name), file)
      const { devices } = (await migration.plan()).changeSet
      expect(devices.map(({ device, action }) => [device, action]).sort()).toEqual(
        Object.entries(told)
          .map(([device, [action]]) => [device, action])
          .sort(),
      )
      for (const { device, findings } of devices) {
        const [, ...codes] = told[device] ?? ['']
        for (const code of codes) expect(findings.map((finding) => finding.code)).toContain(code)
      }
      await migration.apply({ confirmed: 'all', allow: { 'blocked-devices': 9 } })
      const there = (await storeOf(migration.target)).networkServer
      for (const { target, action } of devices) {
        const device = there[`${migration.target.application}/${target}`]
        const isServed = device !== undefined && at(device, 'mac_settings', 'schedule_downlinks') !== false
        expect([target, isServed]).toEqual([target, action === 'create'])
      }
      for (const [id, fields] of Object.entries(wanted))
        expect(await held(migration, id)).toMatchObject(fields)
    } finally {
      await migration.close()
    }
  })
})

import { describe, expect } from 'vitest'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import { killedAt } from '../support/ports-that-fail.ts'
import {
  applied,
  at,
  expectNoJoin,
  expectServed,
  expectSilent,
  results,
  type Stage,
  scenario,
} from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'
import { callV2 } from '../support/v2.ts'

/** Of V2: what it spoke with every device. */
const V2 = { version: 'MAC_V1_0_2', phy: 'PHY_V1_0_2_REV_B' }
const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', ...V2, fCntUp: 1_200, nFCntDown: 12 }
const NEW: DeviceSpec = { id: 'meter-new', number: 2, mode: 'otaa', ...V2 }
const VALVE: DeviceSpec = { id: 'valve-1', number: 3, mode: 'abp', ...V2, fCntUp: 70_001, nFCntDown: 8 }
const KEEP = 'policy: { persistSession: true }'
const JOIN = 'policy: { persistSession: false }'

const v2Device = async (stage: Stage, id: string): Promise<Record<string, unknown>> =>
  callV2(stage.source, 'GET', `/devices/${id}`)

const lorawan = async (stage: Stage, id: string): Promise<Record<string, unknown>> =>
  (await v2Device(stage, id))['lorawan_device'] as Record<string, unknown>

/** The target answers it; what V2 may have sent unseen is skipped. */
const expectAnswered = async (stage: Stage, id: string): Promise<void> => {
  const uplink = await stage.device(id).uplink(stage.air, { confirmed: true })
  expect(uplink, id).toMatchObject({ accepted: true, missed: [], downlinks: [{ ack: true }] })
  expect(at(await stage.held('target', 'ns', id), 'session', 'last_f_cnt_up')).toBe(uplink.fCnt)
}

const expectCleared = async (stage: Stage, id: string): Promise<void> => {
  expect(await lorawan(stage, id)).toMatchObject({ app_key: '', nwk_s_key: '', app_s_key: '', dev_addr: '' })
}

const control = (stage: Stage, path: string, body: object): Promise<unknown> =>
  call(stage.source, 'POST', `/simulator/v1/${path}`, body)

describe('from a Stack V2, keeping the session', () => {
  scenario({
    promise: 'OTAA and ABP go on with their counters, also above 65 535, and V2 holds no key of them',
    golden: 'ttn-v2-kept',
    fleet: [METER, VALVE],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      for (const { id } of [METER, VALVE]) {
        await expectCleared(stage, id)
        await expectSilent(stage, id)
        await expectAnswered(stage, id)
        await expectServed(stage, id)
      }
      await expectNoJoin(stage, 'meter-1')
      await applied(stage, { migrated: 2 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise:
      'the target hears it at once on each channel that V2 gave it, in the windows that it opens [edge 57]',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      const device = stage.device('meter-1')
      // It joins on V2, which adds five channels to the three of the band.
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { waiting: 1 })
      const channels = [868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9].map((mhz) =>
        Math.round(mhz * 1e6),
      )
      for (const frequency of channels) {
        const uplink = await device.uplink(stage.radio('target'), { confirmed: true, frequency })
        expect(uplink, String(frequency)).toMatchObject({
          accepted: true,
          missed: [],
          downlinks: [{ ack: true }],
        })
      }
      const state = at(await stage.held('target', 'ns', 'meter-1'), 'mac_state')
      expect(state).toMatchObject({
        current_parameters: { rx2_data_rate_index: 3, rx2_frequency: '869525000' },
        desired_parameters: { rx1_delay: 5 },
      })
    },
  })

  scenario({
    promise: 'the final write is not taken for done where only the first one was',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      // The second write to the Network Server is the final one; the target falls over before it has an effect.
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [{ method: 'PUT', path: '^/ns/', nth: 2, times: 1, when: 'before', do: { status: 503 } }],
      })
      await applied(stage, { waiting: 1 })
      const state = at(await stage.held('target', 'ns', 'meter-1'), 'mac_state', 'current_parameters')
      expect(at(state, 'channels')).toHaveLength(8)
      expect(at(state, 'rx2_data_rate_index')).toBe(3)
    },
  })

  scenario({
    promise: 'a 16-bit device is told to be one, for the target would take it for 32 bits [edge 33]',
    fleet: [{ ...VALVE, fCntUp: 65_530, macSettings: { supports_32_bit_f_cnt: false } }],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(at(await stage.held('target', 'ns', 'valve-1'), 'mac_settings', 'supports_32_bit_f_cnt')).toBe(
        false,
      )
      for (let frame = 0; frame < 4; frame += 1)
        expect(await stage.device('valve-1').uplink(stage.air)).toMatchObject({ accepted: true })
    },
  })

  scenario({
    promise: 'a device that never joined joins on the target alone, and its old AppKey opens V2 no more',
    fleet: [NEW],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect((await lorawan(stage, 'meter-new'))['app_key']).not.toBe(keysOf(NEW).appKey)
      expect(await stage.device('meter-new').join(stage.radio('source'))).toMatchObject({ joined: false })
      expect(await stage.device('meter-new').join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, 'meter-new')
    },
  })

  scenario({
    promise: 'one that joins on V2 between preview and apply is stale, and V2 goes on serving it',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    ends: async (stage, approved) => {
      await stage.device('meter-1').join(stage.radio('source'))
      await stage.device('meter-1').uplink(stage.radio('source'))
      await applied(stage, { stale: 1 }, { approved })
      expect(await lorawan(stage, 'meter-1')).toMatchObject({ app_key: keysOf(METER).appKey })
      await applied(stage, { waiting: 1 })
      await expectAnswered(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'deleted on V2 once it was heard',
    fleet: [METER],
    fromV2: true,
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await expect(v2Device(stage, 'meter-1')).rejects.toThrow(/not found/)
      await expectAnswered(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a rollback puts the whole device back on V2, with the counters of the target [edge 94]',
    fleet: [
      {
        ...METER,
        attributes: { 'Floor Number': '3' },
        identity: { description: 'in the attic', latitude: 52.379189, longitude: 4.899431, altitude: -2 },
      },
    ],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      const before = await v2Device(stage, 'meter-1')
      await applied(stage, { waiting: 1 })
      for (let frame = 0; frame < 3; frame += 1) await expectAnswered(stage, 'meter-1')
      let told: readonly string[] = []
      await stage.rollBack({
        confirm: async (rows) => {
          told = rows.flatMap(({ losses }) => losses)
          return true
        },
      })
      expect(told).toContain('windows-stay')
      const after = await v2Device(stage, 'meter-1')
      const { lorawan_device: radio, ...rest } = after
      const { lorawan_device: was, ...restBefore } = before
      expect(rest).toEqual(restBefore)
      const { f_cnt_up, f_cnt_down, last_seen: _seen, ...keys } = radio as Record<string, unknown>
      expect(was).toMatchObject(keys)
      expect(f_cnt_up).toBe(1_203)
      expect(Number(f_cnt_down)).toBeGreaterThan(15)
      expect(await stage.held('target', 'is', 'meter-1')).toBeUndefined()
      // The target had told it to listen after 5 s, and V2 sends after 1 s: it is heard, and hears V2 once it has joined.
      const device = stage.device('meter-1')
      expect(await device.uplink(stage.air, { confirmed: true })).toMatchObject({
        accepted: true,
        downlinks: [],
      })
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      expect(await device.uplink(stage.air, { confirmed: true })).toMatchObject({
        downlinks: [{ ack: true }],
      })
    },
  })
})

const DECODER = 'function Decoder(bytes, port) { return { t: bytes[0] }; }'
const VALIDATOR = 'function Validator(fields, port) { return fields.t > 0; }'

const setFunctions = async (stage: Stage): Promise<void> =>
  void (await callV2(stage.source, 'PUT', '', {
    app_id: stage.source.application,
    decoder: DECODER,
    validator: VALIDATOR,
  }))

const linkOf = async (stage: Stage): Promise<unknown> =>
  ((await call(stage.target, 'GET', '/simulator/v1/store'))['applicationLinks'] as Record<string, unknown>)[
    stage.target.application
  ]

describe('payload functions of a Stack V2', () => {
  scenario({
    promise: 'become default formatters of the application, before a device crosses, and once',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    before: setFunctions,
    ends: async (stage, planned) => {
      expect(planned.findings.map(({ code }) => code)).toContain('FormattersCarried')
      await applied(stage, { waiting: 1 }, { approved: planned })
      expect(await linkOf(stage)).toMatchObject({
        default_formatters: {
          up_formatter: 'FORMATTER_JAVASCRIPT',
          up_formatter_parameter: expect.stringContaining(VALIDATOR),
        },
      })
      const { changeSet } = await stage.plan()
      expect(changeSet.formatters).toBeUndefined()
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'are left where the target has others, and that is told',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    before: async (stage) => {
      await setFunctions(stage)
      await call(stage.target, 'PUT', `/as/applications/${stage.target.application}/link`, {
        link: { default_formatters: { up_formatter: 'FORMATTER_CAYENNELPP' } },
        field_mask: { paths: ['default_formatters'] },
      })
    },
    ends: async (stage, planned) => {
      expect(planned.findings.map(({ code }) => code)).toContain('FormattersDiffer')
      await applied(stage, { waiting: 1 })
      expect(await linkOf(stage)).toMatchObject({
        default_formatters: { up_formatter: 'FORMATTER_CAYENNELPP' },
      })
    },
  })

  scenario({
    promise: 'that change after the preview refuse the whole change set, and nothing is written',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    before: setFunctions,
    ends: async (stage, approved) => {
      await callV2(stage.source, 'PUT', '', { app_id: stage.source.application, decoder: `${DECODER} ` })
      await expect(stage.apply({ approved })).rejects.toMatchObject({ code: 'ChangeSetStale' })
      expect(await linkOf(stage)).toBeUndefined()
      expect(await lorawan(stage, 'meter-1')).toMatchObject({ app_key: keysOf(METER).appKey })
    },
  })
})

describe('half-way from a Stack V2', () => {
  scenario({
    promise: 'keys that somebody gave back to V2 keep the target silent, until they are gone',
    fleet: [METER],
    fromV2: true,
    plan: `${KEEP}\nrollout: { maxConcurrency: 1 }`,
    ends: async (stage) => {
      const before = await v2Device(stage, 'meter-1')
      const isUnmute = (record: { readonly t: string; readonly step?: string }): boolean =>
        record.t === 'intent' && record.step === 'unmute-target'
      await expect(stage.applyThrough(killedAt(isUnmute))).rejects.toThrow()
      await expectCleared(stage, 'meter-1')
      await callV2(stage.source, 'PUT', '/devices/meter-1', before)
      const refused = await applied(stage, { failed: 1 })
      expect(results(refused)).toEqual({ 'meter-1': 'SourceReturned' })
      expect(await stage.device('meter-1').uplink(stage.air, { confirmed: true })).toMatchObject({
        downlinks: [{ ack: true }],
      })
      await callV2(stage.source, 'PUT', '/devices/meter-1', {
        ...before,
        lorawan_device: {
          ...(before['lorawan_device'] as object),
          app_key: '',
          nwk_s_key: '',
          app_s_key: '',
          dev_addr: '',
        },
      })
      await applied(stage, { waiting: 1 })
      await expectAnswered(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a target that refuses to speak after the clearing is told as urgent',
    fleet: [METER],
    fromV2: true,
    plan: `${KEEP}\nrollout: { maxConcurrency: 1 }`,
    ends: async (stage) => {
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [{ method: 'PUT', registry: 'ns', path: 'meter-1', nth: 3, times: 9, do: { status: 400 } }],
      })
      const outcome = await applied(stage, { failed: 1 })
      expect(JSON.stringify(outcome.result.devices)).toContain(
        'no network answers it: run ferry apply again at once',
      )
      await call(stage.target, 'DELETE', '/simulator/v1/faults')
      await applied(stage, { waiting: 1 })
      await expectAnswered(stage, 'meter-1')
    },
  })
})

describe('from a Stack V2, joining anew', () => {
  scenario({
    promise: 'V2 serves the old session until the device joins, which the target alone answers',
    golden: 'ttn-v2-joining',
    fleet: [METER],
    fromV2: true,
    plan: JOIN,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const held = await lorawan(stage, 'meter-1')
      expect(held).toMatchObject({ dev_addr: keysOf(METER).devAddr, f_cnt_up: 1_200 })
      expect(held['app_key']).not.toBe(keysOf(METER).appKey)
      const uplink = await stage.device('meter-1').uplink(stage.air, { confirmed: true })
      expect(uplink).toMatchObject({ accepted: true, downlinks: [{ ack: true }] })
      expect(await stage.device('meter-1').join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'deleted on V2 after the import: the target alone knows it then',
    fleet: [METER],
    fromV2: true,
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expect(v2Device(stage, 'meter-1')).rejects.toThrow(/not found/)
      await stage.device('meter-1').join(stage.air)
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'an ABP device has to keep its session, be reset or be re-programmed',
    fleet: [VALVE],
    fromV2: true,
    plan: JOIN,
    ends: async (_stage, planned) => {
      expect(actions(planned)).toEqual({ 'valve-1': 'blocked' })
      expect(codes(planned, 'valve-1')).toEqual(['AbpNeedsDecision'])
    },
  })

  scenario({
    promise: 'a rollback gives V2 its AppKey back',
    fleet: [METER],
    fromV2: true,
    plan: JOIN,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.rollBack()
      expect((await lorawan(stage, 'meter-1'))['app_key']).toBe(keysOf(METER).appKey)
      expect(await stage.device('meter-1').join(stage.air)).toMatchObject({ joined: true })
    },
  })
})

describe('what a Stack V2 holds', () => {
  scenario({
    promise: 'a device without any key is told, and is never carried as zeros [edge 20]',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    before: async (stage) => {
      await callV2(stage.source, 'PUT', '/devices/keyless', {
        dev_id: 'keyless',
        lorawan_device: {
          app_id: stage.source.application,
          dev_id: 'keyless',
          app_eui: '70B3D57ED0009000',
          dev_eui: '70B3D57ED00F00EE',
        },
      })
    },
    ends: async (stage, planned) => {
      expect(codes(planned, 'keyless')).toEqual(['NoKeysOnSource'])
      await applied(stage, { waiting: 1, blocked: 1 }, { allow: { 'blocked-devices': 1 } })
      expect(await stage.held('target', 'is', 'keyless')).toBeUndefined()
    },
  })

  const LONG = `${'a-'.repeat(35)}a`
  scenario({
    promise: 'ids and attributes that the target does not take are written in its form [edge 1, 2, 67]',
    fleet: [
      { ...METER, id: 'ab', attributes: { 'Floor Number': '3', x: '1', site: 'depot' } },
      { ...METER, id: LONG, number: 4 },
    ],
    renamed: { ab: 'device-ab', [LONG]: 'a-a-a-a-a-a-a-a-a-a-a-a-a-a-04e6d7bd' },
    fromV2: true,
    plan: KEEP,
    ends: async (stage, planned) => {
      expect(codes(planned, 'ab')).toEqual(expect.arrayContaining(['IdRenamed', 'AttributesRenamed']))
      await applied(stage, { waiting: 2 })
      expect((await stage.held('target', 'is', 'device-ab'))?.['attributes']).toEqual({
        'attribute-x': '1',
        'floor-number': '3',
        site: 'depot',
        'old-id': 'ab',
      })
    },
  })

  scenario({
    promise: 'a key that another tool parked in an attribute is told, and shown nowhere',
    fleet: [{ ...VALVE, attributes: { parked: 'A9'.repeat(16) } }],
    fromV2: true,
    plan: KEEP,
    ends: async (stage, planned) => {
      expect(codes(planned, 'valve-1')).toContain('AttributeLooksSecret')
      expect(JSON.stringify(planned)).not.toContain('A9'.repeat(16))
      const outcome = await applied(stage, { waiting: 1 })
      expect(JSON.stringify(outcome) + (await stage.stateText())).not.toContain('A9'.repeat(16))
    },
  })

  scenario({
    promise: 'two ids that become one are both left, before anything is written [edge 3]',
    fleet: [
      { ...METER, id: 'meter_b' },
      { ...METER, id: 'meter-b', number: 4 },
    ],
    renamed: { meter_b: 'meter-b' },
    fromV2: true,
    plan: KEEP,
    ends: async (_stage, planned) => {
      expect(actions(planned)).toEqual({ meter_b: 'blocked', 'meter-b': 'blocked' })
      expect(codes(planned, 'meter_b')).toContain('DuplicateTargetId')
    },
  })

  scenario({
    promise:
      'a device that its network server lost is told: a reading has registered it again with counters from 0',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    before: async (stage) =>
      void (await control(stage, 'lose', { device: `${stage.source.application}/meter-1` })),
    ends: async (_stage, planned) => {
      expect(codes(planned, 'meter-1')).toContain('CountersUnknown')
    },
  })

  scenario({
    promise: 'the rate limit in mid-run is waited for, and nobody is told of a failure [edge 82]',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      const body = {
        error: 'x',
        code: 2,
        message: 'Internal error: [ResourceExhausted] Rate limit for client "x" reached',
      }
      await control(stage, 'faults', { faults: [{ nth: 6, times: 2, do: { status: 500, body } }] })
      await applied(stage, { waiting: 1 })
      await expectAnswered(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a network server that is down blocks its devices, and a later run goes on [edge 93]',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    ends: async (stage) => {
      await control(stage, 'network-server', { up: false })
      const { changeSet } = await stage.plan()
      expect(actions(changeSet)).toEqual({ 'meter-1': 'blocked' })
      await control(stage, 'network-server', { up: true })
      await applied(stage, { waiting: 1 })
      await expectAnswered(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'EUIs that the target holds already are found before V2 is touched',
    fleet: [METER],
    fromV2: true,
    plan: KEEP,
    before: async (stage) => register(stage.target, { ...METER, id: 'other' }),
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked' })
      expect(await lorawan(stage, 'meter-1')).toMatchObject({ app_key: keysOf(METER).appKey })
    },
  })
})

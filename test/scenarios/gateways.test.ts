import { describe, expect } from 'vitest'
import { radioOf } from '../../src/simulator/virtual-device.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { actions } from '../support/migration.ts'
import { applied, expectServed, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const meter = (number: number): DeviceSpec => ({
  id: `meter-${number}`,
  number,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
})
const FLEET = [1, 2, 3].map(meter)
/** Base64 of a made-up key. */
const LNS_KEY = Buffer.from('a made-up key of a gateway').toString('base64')

const ROOF_1 = 'AA555A0000000011'
const ROOF_2 = 'AA555A0000000012'

const registerGateway = async (
  { source }: Pick<Stage, 'source'>,
  id: string,
  eui: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> => {
  await call(source, 'POST', '/users/admin/gateways', {
    gateway: {
      ids: { gateway_id: id, eui },
      name: `Gateway ${id}`,
      frequency_plan_ids: ['EU_863_870_TTN'],
      gateway_server_address: 'old.example.org',
      antennas: [{ gain: 3, location: { latitude: 52.1, longitude: 4.9, altitude: 30 } }],
      enforce_duty_cycle: true,
      ...more,
    },
  })
}

/** A device is heard by a gateway of the source. */
const hearThrough = async (stage: Stage, id: string, gatewayEui: string): Promise<void> => {
  const outcome = await stage.device(id).uplink(radioOf({ url: stage.source.url, gatewayEui }))
  expect(outcome.accepted).toBe(true)
}

const PLAN = `policy: { persistSession: true }
coverage: { gateways: unknown }
gateways: { include: [{ match: "roof-*" }], owner: { user: admin } }`

describe('gateways', () => {
  scenario({
    promise:
      'go with their devices: registered with all that describes them, in the order that keeps coverage',
    golden: 'gateways',
    fleet: FLEET,
    plan: PLAN,
    seesAll: true,
    before: async (stage) => {
      await registerGateway(stage, 'roof-1', ROOF_1, { lbs_lns_secret: { value: LNS_KEY } })
      await registerGateway(stage, 'roof-2', ROOF_2)
      await hearThrough(stage, 'meter-1', ROOF_1)
      await hearThrough(stage, 'meter-2', ROOF_1)
      for (const id of ['meter-2', 'meter-3']) await hearThrough(stage, id, ROOF_2)
    },
    ends: async (stage, planned) => {
      expect(actions(planned)).toEqual({ 'meter-1': 'create', 'meter-2': 'create', 'meter-3': 'create' })
      expect(planned.gateways).toMatchObject([
        { gateway: 'roof-1', action: 'create', carries: 2, loses: { count: 1, examples: ['meter-1'] } },
        { gateway: 'roof-2', action: 'create', carries: 2, loses: { examples: ['meter-2', 'meter-3'] } },
      ])
      const first = await applied(stage, { waiting: 3 })
      expect(first.gateways).toEqual([
        { gateway: 'roof-1', target: 'roof-1', status: 'registered' },
        { gateway: 'roof-2', target: 'roof-2', status: 'registered' },
      ])
      const { gateway_server_address: server, ...held } = await call(
        stage.target,
        'GET',
        '/gateways/roof-1?field_mask=name,antennas,frequency_plan_ids,enforce_duty_cycle,lbs_lns_secret,gateway_server_address',
      )
      expect(server).toBe('127.0.0.1')
      expect(held).toMatchObject({
        ids: { gateway_id: 'roof-1', eui: ROOF_1 },
        name: 'Gateway roof-1',
        frequency_plan_ids: ['EU_863_870_TTN'],
        enforce_duty_cycle: true,
        antennas: [{ gain: 3, location: { latitude: 52.1, longitude: 4.9, altitude: 30 } }],
        lbs_lns_secret: { value: LNS_KEY },
      })
      expect((await stage.verify()).gateways).toMatchObject([{ status: 'never' }, { status: 'never' }])
      await stage.device('meter-1').uplink(radioOf({ url: stage.target.url, gatewayEui: ROOF_1 }))
      expect((await stage.verify()).gateways).toMatchObject([
        { gateway: 'roof-1', status: 'connected' },
        { gateway: 'roof-2', status: 'never' },
      ])
      const written = [
        JSON.stringify(planned),
        JSON.stringify(first.gateways),
        await stage.stateText(),
      ].join()
      for (const secret of [LNS_KEY, 'a made-up key']) expect(written).not.toContain(secret)
      const again = await stage.plan()
      expect(again.changeSet.gateways).toMatchObject([
        { gateway: 'roof-1', action: 'same', lnsKey: 'same' },
        { gateway: 'roof-2', action: 'same', lnsKey: 'none' },
      ])
      await applied(stage, { waiting: 2, migrated: 1 })
    },
  })

  scenario({
    promise: 'whose move would leave devices without any are not moved, unless somebody says so',
    fleet: [...FLEET, meter(9)],
    plan: `devices: { include: [{ all: true }], exclude: [{ ids: [meter-9] }] }\n${PLAN}`,
    seesAll: true,
    before: async (stage) => {
      await registerGateway(stage, 'roof-1', ROOF_1)
      await registerGateway(stage, 'roof-2', ROOF_2)
      for (const id of ['meter-1', 'meter-9']) await hearThrough(stage, id, ROOF_1)
      await hearThrough(stage, 'meter-2', ROOF_2)
      await hearThrough(stage, 'meter-3', ROOF_2)
    },
    ends: async (stage, planned) => {
      expect(planned.gateways?.find(({ gateway }) => gateway === 'roof-1')).toMatchObject({
        loses: { examples: ['meter-1'] },
        orphans: { count: 1, examples: ['meter-9'] },
      })
      expect(planned.guards).toContainEqual(
        expect.objectContaining({ name: 'orphaned-devices', used: 1, limit: 0, ok: false }),
      )
      await expect(stage.apply()).rejects.toMatchObject({ kind: 'blocked', code: 'GuardRefused' })
      await expect(call(stage.target, 'GET', '/gateways/roof-1')).rejects.toThrow('404')
      for (const { id } of FLEET) await expectServed(stage, id, 'source')
      const allowed = await applied(stage, { waiting: 3 }, { allow: { 'orphaned-devices': 1 } })
      expect(allowed.gateways).toHaveLength(2)
    },
  })

  scenario({
    promise: 'whose id another one has on the target are left alone until the plan renames them',
    fleet: FLEET.slice(0, 1),
    plan: PLAN,
    seesAll: true,
    before: async (stage) => {
      await registerGateway(stage, 'roof-1', ROOF_1)
      await registerGateway(stage, 'roof-2', ROOF_2)
      await registerGateway({ source: stage.target }, 'roof-1', 'AA555A00000000FF')
      await registerGateway({ source: stage.target }, 'other-name', ROOF_2)
      await hearThrough(stage, 'meter-1', ROOF_2)
    },
    ends: async (stage, planned) => {
      expect(planned.gateways).toMatchObject([
        { gateway: 'roof-1', action: 'blocked', findings: [{ code: 'GatewayIdTaken' }] },
        { gateway: 'roof-2', target: 'other-name', action: 'update', settings: ['name'] },
      ])
      await stage.writePlan(PLAN.replace('owner:', 'rename: { roof-1: roof-1b }, owner:'))
      const outcome = await applied(stage, { waiting: 1 })
      expect(outcome.gateways).toEqual([
        { gateway: 'roof-1', target: 'roof-1b', status: 'registered' },
        { gateway: 'roof-2', target: 'other-name', status: 'updated' },
      ])
      const { ids } = await call(stage.target, 'GET', '/gateways/roof-1b')
      expect(ids).toEqual({ gateway_id: 'roof-1b', eui: ROOF_1 })
    },
  })

  scenario({
    promise: 'that a key can not see are said so, and a device keeps what coverage the plan knows of',
    fleet: FLEET.slice(0, 1),
    plan: PLAN,
    sourceRights: ['RIGHT_APPLICATION_ALL'],
    ends: async (stage, planned) => {
      await expect(stage.apply()).rejects.toMatchObject({ kind: 'blocked', code: 'GatewaysNotSeen' })
      expect(planned.findings).toContainEqual(
        expect.objectContaining({ code: 'GatewaysNotSeen', severity: 'error' }),
      )
      expect(planned.devices[0]).toMatchObject({
        action: 'blocked',
        findings: expect.arrayContaining([expect.objectContaining({ code: 'DevAddrNotCovered' })]),
      })
    },
  })

  scenario({
    promise:
      'that a silent device was heard by last are told as the likely reason, by verify and then by status',
    fleet: FLEET.slice(0, 2),
    plan: 'policy: { persistSession: true }\nverify: { heardWithin: 1h }',
    seesAll: true,
    before: async (stage) => {
      await registerGateway(stage, 'roof-1', ROOF_1)
      await hearThrough(stage, 'meter-1', ROOF_1)
      await hearThrough(stage, 'meter-2', ROOF_1)
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      await expectServed(stage, 'meter-2')
      stage.pass(2 * 3_600_000)
      const absent = 'none of the gateways that heard it last on the source is on the target (roof-1)'
      const foreign = expect.stringContaining("DevAddr is not of the target's blocks")
      const { rows } = await stage.verify()
      expect(rows).toMatchObject([{ status: 'silent', reasons: [absent, foreign] }, { status: 'heard' }])
      const silence = (text: string): number => text.match(/"name":"silent"/g)?.length ?? 0
      expect(silence(await stage.stateText())).toBe(1)

      await registerGateway({ source: stage.target }, 'roof-1', ROOF_1)
      const away = 'none of the gateways that heard it last on the source is connected to the target (roof-1)'
      for (const _again of [1, 2])
        expect((await stage.verify()).rows[0]).toMatchObject({ reasons: [away, foreign] })
      expect(silence(await stage.stateText()), 'written where it changed').toBe(2)
      await expectServed(stage, 'meter-1')
      expect((await stage.verify()).rows[0]).toMatchObject({ status: 'heard' })
    },
  })
})

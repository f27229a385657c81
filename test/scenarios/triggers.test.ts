import { describe, expect } from 'vitest'
import { appliedEnd } from '../../src/cli/applied.ts'
import { antennaOf } from '../../src/simulator/index.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { METER_11 } from '../support/meters.ts'
import { codes } from '../support/migration.ts'
import {
  applied,
  at,
  expectNoJoin,
  expectServed,
  queue,
  queued,
  type Stage,
  scenario,
  type Virtual,
} from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  usedDevNonces: [3],
}
const FLEET = [METER, METER_11]
const LAMP: DeviceSpec = { ...METER, id: 'lamp-1', number: 3, classC: true }
const HOUR = 3_600_000

const triggered = (more = ''): string =>
  `policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF"${more} } }`
const OBEYS: Virtual = { options: { rejoinOn: { fPort: 42, payload: Buffer.from([0xff]) } } }
const ALL_OBEY = { 'meter-1': OBEYS, 'meter-11': OBEYS }

const settle = async (stage: Stage, fleet: readonly DeviceSpec[] = FLEET): Promise<void> => {
  for (const { id } of fleet)
    for (let left = 4; left > 0; left--) await stage.device(id).uplink(stage.radio('source'))
}

const joinsTarget = async (stage: Stage, id: string): Promise<void> => {
  const device = stage.device(id)
  expect(device.wantsJoin).toBe(true)
  expect(await device.join(stage.air)).toMatchObject({ joined: true })
  await expectServed(stage, id)
}

const sourceIsSilent = async (stage: Stage, id: string): Promise<void> =>
  expect(at(await stage.held('source', 'ns', id), 'mac_settings', 'schedule_downlinks')).toBe(false)

describe('a downlink of the source that makes a device join', () => {
  for (const confirmed of [false, true])
    scenario({
      promise: `is sent after its next uplink (${confirmed ? 'confirmed' : 'unconfirmed'}): it leaves, and the target answers`,
      ...(confirmed ? { golden: 'triggered-confirmed' } : {}),
      fleet: FLEET,
      virtual: ALL_OBEY,
      plan: triggered(confirmed ? ', confirmed: true' : ''),
      before: (stage) => settle(stage),
      ends: async (stage) => {
        await applied(stage, { waiting: 2 })
        for (const { id } of FLEET) {
          await expectNoJoin(stage, id)
          const { downlinks } = await stage.device(id).uplink(stage.air)
          expect(downlinks.map(({ fPort, confirmed: asks }) => [fPort, asks])).toEqual([[42, confirmed]])
          await joinsTarget(stage, id)
        }
        await applied(stage, { migrated: 2 })
        for (const { id } of FLEET) {
          await sourceIsSilent(stage, id)
          expect(await queued(stage, 'source', id)).toEqual([])
          await expectServed(stage, id)
        }
        expect((await stage.apply()).status).toBe('nothing-to-do')
      },
    })

  scenario({
    promise: 'is sent to a class C device at once',
    fleet: [LAMP],
    virtual: { 'lamp-1': { options: { ...OBEYS.options, deviceClass: 'C' } } },
    plan: triggered(),
    before: (stage) => settle(stage, [LAMP]),
    ends: async (stage) => {
      const antenna = antennaOf(stage.source)
      await antenna.forget()
      await applied(stage, { waiting: 1 })
      const { downlinks } = stage.device('lamp-1').hear(await antenna.transmissions())
      expect(downlinks.map(({ fPort }) => fPort)).toEqual([42])
      await joinsTarget(stage, 'lamp-1')
      await applied(stage, { migrated: 1 })
      await sourceIsSilent(stage, 'lamp-1')
    },
  })

  scenario({
    promise:
      'that a device does not obey leaves it with the source, which serves it; it is reported when its time is over',
    fleet: [METER],
    plan: triggered(),
    before: (stage) => settle(stage, [METER]),
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const { downlinks } = await stage.device('meter-1').uplink(stage.air)
      expect(downlinks.map(({ fPort }) => fPort)).toEqual([42])
      await expectServed(stage, 'meter-1', 'source')
      const { result } = await applied(stage, { waiting: 1 })
      expect(appliedEnd(result.counts)).toBe('partial')
      stage.pass(25 * HOUR)
      const { changeSet } = await stage.plan()
      expect(changeSet.devices).toMatchObject([{ action: 'wait', status: 'silent' }])
      expect(codes(changeSet, 'meter-1')).toContain('NotHeardInTime')
      expect((await stage.verify()).rows).toMatchObject([{ status: 'silent' }])
      await expectServed(stage, 'meter-1', 'source')
      expect(
        at(await stage.held('source', 'ns', 'meter-1'), 'mac_settings', 'schedule_downlinks'),
      ).toBeUndefined()
      // Late is not never.
      stage.device('meter-1').powerCycle()
      await expectNoJoin(stage, 'meter-1')
      await joinsTarget(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
      await sourceIsSilent(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'that an application takes out of the queue is told, and queued again',
    fleet: [METER],
    virtual: ALL_OBEY,
    plan: triggered(),
    before: (stage) => settle(stage, [METER]),
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await queue(stage, 'source', 'meter-1', [{ fPort: 10, payload: 'AQ==' }], 'replace')
      await stage.apply()
      expect(await stage.stateText()).toContain('TriggerDropped')
      await stage.apply()
      expect(await queued(stage, 'source', 'meter-1')).toEqual(['10 AQ==', '42 /w=='])
      const { downlinks } = await stage.device('meter-1').uplink(stage.air)
      expect(downlinks.map(({ fPort }) => fPort)).toEqual([10])
      await stage.device('meter-1').uplink(stage.air)
      await joinsTarget(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'is not queued where the device has left by itself before',
    fleet: [METER],
    virtual: ALL_OBEY,
    plan: triggered(),
    before: (stage) => settle(stage, [METER]),
    ends: async (stage) => {
      const result = await stage.applyThrough({
        network: (port, side) =>
          side === 'source'
            ? port
            : {
                ...port,
                write: async (write) => {
                  await port.write(write)
                  if (write.clear?.includes('mac_settings.schedule_downlinks') !== true) return
                  stage.device('meter-1').powerCycle()
                  await joinsTarget(stage, 'meter-1')
                },
              },
      })
      expect(result.counts).toMatchObject({ migrated: 1 })
      expect(await queued(stage, 'source', 'meter-1')).toEqual([])
      await sourceIsSilent(stage, 'meter-1')
      await expectServed(stage, 'meter-1')
    },
  })
})

describe('without a downlink', () => {
  scenario({
    promise: 'somebody makes it join by hand, which the preview asks for',
    golden: 'joined-by-hand',
    fleet: FLEET,
    plan: 'policy: { persistSession: false, rejoin: { trigger: manual } }',
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toContain('JoinByHand')
      await applied(stage, { waiting: 2 })
      for (const { id } of FLEET) {
        stage.device(id).powerCycle()
        await joinsTarget(stage, id)
      }
      await applied(stage, { migrated: 2 })
    },
  })

  const now = Date.now()
  scenario({
    promise: 'it is silent until it notices by itself: told from its interval',
    fleet: [METER, LAMP],
    simulator: { clock: () => clock() },
    plan: 'policy: { persistSession: false, rejoin: { trigger: none } }',
    before: async (stage) => {
      for (let sent = 0; sent < 3; sent++) {
        passed += HOUR
        await stage.device('meter-1').uplink(stage.radio('source'))
      }
    },
    ends: async (stage, planned) => {
      const told = (id: string): string | undefined =>
        planned.devices
          .find(({ device }) => device === id)
          ?.findings.find(({ code }) => code === 'SilentUntilJoin')?.message
      expect(told('meter-1')).toContain('4 days')
      expect(told('lamp-1')).toContain('not known')
      await applied(stage, { waiting: 2 })
    },
  })
  let passed = 0
  const clock = (): Date => new Date(now + passed)
})

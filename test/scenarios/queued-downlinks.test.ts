import { describe, expect } from 'vitest'
import { antennaOf } from '../../src/simulator/index.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { METER_11 } from '../support/meters.ts'
import { codes } from '../support/migration.ts'
import {
  applied,
  aroundMute,
  at,
  expectServed,
  type Item,
  queue,
  queued,
  results,
  type Side,
  type Stage,
  scenario,
} from '../support/scenario.ts'

const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5 }
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 3,
  mode: 'abp',
  fCntUp: 50,
  nFCntDown: 3,
  macSettings: { rx1_delay: 1 },
}
const FLEET = [METER, METER_11, VALVE]
const LAMP: DeviceSpec = { ...METER, id: 'lamp-1', number: 4, classC: true }

const ITEMS: readonly Item[] = [
  { fPort: 10, payload: 'AQ==' },
  { fPort: 11, payload: 'Ag==', confirmed: true, priority: 'HIGH' },
  // Twice the same.
  { fPort: 10, payload: 'AQ==' },
]
const WAITING = ITEMS.map(({ fPort, payload }) => `${fPort} ${payload}`)

/** The device has all that the source would tell it first. */
const settle = async (stage: Stage, id: string, side: Side = 'source'): Promise<void> => {
  for (let left = 4; left > 0; left--) await stage.device(id).uplink(stage.radio(side))
}

const withQueue =
  (fleet: readonly DeviceSpec[], items = ITEMS) =>
  async (stage: Stage): Promise<void> => {
    for (const { id } of fleet) {
      await settle(stage, id)
      await queue(stage, 'source', id, items)
    }
  }

/** What the device gets of applications with so many uplinks: `port payload`, with `!` where it is to be confirmed. */
const delivered = async (stage: Stage, id: string, uplinks: number): Promise<readonly string[]> => {
  const got: string[] = []
  for (let left = uplinks; left > 0; left--) {
    const { downlinks, missed } = await stage.device(id).uplink(stage.air)
    expect(missed).toEqual([])
    for (const { fPort, payload, confirmed } of downlinks)
      if (fPort !== undefined && fPort > 0)
        got.push(`${fPort} ${payload.toString('base64')}${confirmed ? ' !' : ''}`)
  }
  return got
}

describe('downlinks that wait on the source', () => {
  scenario({
    promise: 'stay there, counted in the preview, where the plan does not say otherwise [edge 50]',
    golden: 'queue-reported',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }',
    before: withQueue(FLEET),
    ends: async (stage, planned) => {
      for (const { id } of FLEET) {
        const finding = planned.devices
          .find(({ device }) => device === id)
          ?.findings.find(({ code }) => code === 'QueuedDownlinksLost')
        expect(finding).toMatchObject({ severity: 'warning', message: expect.stringMatching(/^3 /) })
      }
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) {
        expect(await queued(stage, 'target', id)).toEqual([])
        expect(await queued(stage, 'source', id)).toEqual(WAITING)
        expect(await delivered(stage, id, 4)).toEqual([])
      }
    },
  })

  scenario({
    promise: 'are copied in their order, and each is delivered once by the target [edge 50]',
    golden: 'queue-copied',
    fleet: FLEET,
    plan: 'policy: { persistSession: true, queuedDownlinks: copy }',
    before: withQueue(FLEET),
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toContain('DownlinksCopied')
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) {
        expect(await queued(stage, 'target', id)).toEqual(WAITING)
        expect(await delivered(stage, id, 6)).toEqual(['10 AQ==', '11 Ag== !', '10 AQ=='])
        expect(await queued(stage, 'target', id)).toEqual([])
        await expectServed(stage, id)
      }
      await applied(stage, { migrated: 3 })
      for (const { id } of FLEET) expect(await queued(stage, 'target', id)).toEqual([])
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'come after what an application queued on the target meanwhile, which stays',
    fleet: [METER],
    plan: 'policy: { persistSession: true, queuedDownlinks: copy }',
    before: withQueue([METER]),
    ends: async (stage) => {
      await stage.applyThrough({
        network: aroundMute('after', () =>
          queue(stage, 'target', 'meter-1', [{ fPort: 42, payload: 'BA==' }]),
        ),
      })
      expect(await queued(stage, 'target', 'meter-1')).toEqual(['42 BA==', ...WAITING])
      expect(await delivered(stage, 'meter-1', 6)).toEqual(['42 BA==', '10 AQ==', '11 Ag== !', '10 AQ=='])
    },
  })

  let passed = 0
  const LATER = 2 * 3_600_000
  scenario({
    promise: 'are delivered to a class C device through gateways of the target, also those of a certain time',
    golden: 'queue-copied-class-c',
    fleet: [LAMP],
    virtual: { 'lamp-1': { options: { deviceClass: 'C' } } },
    simulator: { clock: () => new Date(Date.now() + passed) },
    plan: 'policy: { persistSession: true, queuedDownlinks: copy }',
    before: async (stage) => {
      passed = 0
      await settle(stage, 'lamp-1')
      const absolute_time = new Date(Date.now() + LATER).toISOString()
      await queue(stage, 'source', 'lamp-1', [
        {
          fPort: 10,
          payload: 'AQ==',
          class_b_c: { gateways: [{ gateway_ids: { gateway_id: 'gw-source' } }], absolute_time },
        },
        { fPort: 11, payload: 'Ag==' },
      ])
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(await queued(stage, 'target', 'lamp-1')).toEqual(['10 AQ==', '11 Ag=='])
      expect(await stage.device('lamp-1').uplink(stage.air)).toMatchObject({ accepted: true, missed: [] })
      const antenna = antennaOf(stage.target)
      await antenna.forget()
      passed = LATER + 1000
      const { downlinks, missed } = stage.device('lamp-1').hear(await antenna.transmissions())
      expect(missed).toEqual([])
      expect(downlinks.map(({ fPort }) => fPort)).toEqual([10, 11])
      expect(await queued(stage, 'target', 'lamp-1')).toEqual([])
      await applied(stage, { migrated: 1 })
    },
  })
})

describe('a device that waits for its queue', () => {
  const PLAN = 'policy: { persistSession: true, queuedDownlinks: wait-empty }'

  scenario({
    promise: 'is deferred before anything is written, and crosses once all was sent',
    golden: 'queue-awaited',
    fleet: FLEET,
    plan: PLAN,
    before: withQueue(FLEET),
    ends: async (stage, planned) => {
      for (const { id } of FLEET) expect(codes(planned, id)).toContain('QueueNotEmpty')
      const [source, target] = [await stage.store('source'), await stage.store('target')]
      expect(results(await applied(stage, { deferred: 3 }))).toEqual(
        Object.fromEntries(FLEET.map(({ id }) => [id, 'QueueNotEmpty'])),
      )
      expect(await stage.store('source')).toEqual(source)
      expect(await stage.store('target')).toEqual(target)
      for (const { id } of FLEET) {
        expect(await delivered(stage, id, 5)).toEqual(['10 AQ==', '11 Ag== !', '10 AQ=='])
        expect(await queued(stage, 'source', id)).toEqual([])
      }
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) await expectServed(stage, id)
      await applied(stage, { migrated: 3 })
    },
  })

  scenario({
    promise: 'has its source started again where one is queued between the look and the mute',
    fleet: FLEET,
    plan: PLAN,
    before: withQueue(FLEET, []),
    ends: async (stage) => {
      const result = await stage.applyThrough({
        network: aroundMute('before', (id) => queue(stage, 'source', id, [{ fPort: 10, payload: 'AQ==' }])),
      })
      expect(result.devices.map(({ status, error }) => [status, error?.code])).toEqual(
        FLEET.map(() => ['deferred', 'QueueNotEmpty']),
      )
      for (const { id } of FLEET) {
        expect(at(await stage.held('source', 'ns', id), 'mac_settings', 'schedule_downlinks')).toBeUndefined()
        expect(await delivered(stage, id, 2)).toEqual(['10 AQ=='])
      }
      await stage.promisesHold()
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) await expectServed(stage, id)
    },
  })
})

describe('a key that may not see queues', () => {
  const RIGHTS = [
    'RIGHT_APPLICATION_INFO',
    'RIGHT_APPLICATION_DEVICES_READ',
    'RIGHT_APPLICATION_DEVICES_READ_KEYS',
    'RIGHT_APPLICATION_DEVICES_WRITE',
    'RIGHT_APPLICATION_DEVICES_WRITE_KEYS',
  ]
  const GROUP: DeviceSpec = { id: 'lamps', number: 5, mode: 'multicast', classC: true, nFCntDown: 25 }

  scenario({
    promise:
      'suffices where queues are reported alone; a group is blocked, and a plan that needs them is refused',
    golden: 'queue-unseen',
    fleet: [METER, GROUP],
    sourceRights: RIGHTS,
    plan: 'policy: { persistSession: true }',
    before: withQueue([METER]),
    ends: async (stage, planned) => {
      expect(codes(planned, 'lamps')).toEqual(['QueueUnknown'])
      for (const policy of ['copy', 'wait-empty']) {
        await stage.writePlan(`policy: { persistSession: true, queuedDownlinks: ${policy} }`)
        await expect(stage.plan()).rejects.toMatchObject({ code: 'MissingRight', kind: 'credentials' })
      }
      await stage.writePlan('policy: { persistSession: true }')
      await applied(stage, { waiting: 1, blocked: 1 })
      expect(await stage.device('meter-1').uplink(stage.air, { confirmed: true })).toMatchObject({
        downlinks: [{ ack: true }],
        missed: [],
      })
    },
  })
})

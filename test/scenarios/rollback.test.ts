import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { METER, METER_11, VALVE } from '../support/meters.ts'
import { lasting } from '../support/promises.ts'
import { applied, at, expectNoJoin, expectServed, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const FLEET = [METER, METER_11, VALVE]
const GROUP: DeviceSpec = { id: 'lamps', number: 4, mode: 'multicast', classC: true, nFCntDown: 25 }

/** Counters and MAC states move; what a source is apart from them has to be as it was. */
const MOVES = [
  'last_f_cnt_up',
  'last_n_f_cnt_down',
  'last_a_f_cnt_down',
  'mac_state',
  'used_dev_nonces',
  'last_dev_nonce',
  'last_join_nonce',
  'last_seen_at',
  'activated_at',
]

const undone = async (stage: Stage, devices: number): Promise<void> => {
  const outcome = await stage.rollBack()
  if (outcome.status !== 'done') throw new Error(outcome.status)
  expect(outcome.devices.map(({ status, error }) => error?.code ?? status)).toEqual(
    Array.from({ length: devices }, () => 'undone'),
  )
}

/** A Network Server keeps the settings of a device of which the last was cleared, as an empty object. */
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0

const registered = async (stage: Stage, side: 'source' | 'target'): Promise<unknown> =>
  JSON.parse(
    JSON.stringify(lasting(await stage.store(side)), (name, value: unknown) =>
      MOVES.includes(name) || isEmpty(value) ? undefined : value,
    ),
  )

describe('a rollback', () => {
  scenario({
    promise:
      'of sessions gives them back with what the target counted, and the source serves them as before [edge 94]',
    fleet: [...FLEET, GROUP],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      const before = await registered(stage, 'source')
      await applied(stage, { waiting: 3, migrated: 1 })
      for (const { id } of FLEET) await expectServed(stage, id)
      await applied(stage, { migrated: 4 })
      await undone(stage, 4)
      expect(await registered(stage, 'source')).toEqual(before)
      for (const { id } of FLEET) {
        expect(await stage.held('target', 'is', id)).toBeUndefined()
        await expectServed(stage, id, 'source')
        if (id !== 'valve-1')
          expect(await stage.device(id).join(stage.radio('target'))).toMatchObject({ joined: false })
      }
      // And it may be migrated once more, with its session.
      await applied(stage, { waiting: 3, migrated: 1 })
      for (const { id } of FLEET) await expectServed(stage, id)
    },
  })

  scenario({
    promise: 'of deleted sources registers them anew, within one network after the target is gone',
    fleet: FLEET,
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const { id } of FLEET) await expectServed(stage, id)
      await undone(stage, 3)
      for (const { id } of FLEET) {
        expect(await stage.held('target', 'is', id)).toBeUndefined()
        await expectServed(stage, id, 'source')
        expect(at(await stage.held('source', 'ns', id), 'mac_settings', 'schedule_downlinks')).toBeUndefined()
      }
    },
  })

  scenario({
    promise: 'that ended between the two writes of a session gives it the start it had all the same',
    fleet: [METER_11],
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    ends: async (stage) => {
      const startOf = async (): Promise<unknown> =>
        at(await stage.held('source', 'ns', 'meter-11'), 'session', 'started_at')
      const began = await startOf()
      await applied(stage, { waiting: 1 })
      await call(stage.source, 'POST', '/simulator/v1/faults', {
        faults: [{ method: 'PUT', path: '/ns/applications/meters/', nth: 2, times: 1, do: { status: 400 } }],
      })
      const broken = await stage.rollBack()
      expect(broken).toMatchObject({ devices: [{ status: 'failed' }] })
      expect(await startOf()).not.toBe(began)
      await undone(stage, 1)
      expect(await startOf()).toBe(began)
    },
  })

  scenario({
    promise:
      'of a device that joined on the target lets it join again on the source, with no nonce used twice',
    fleet: FLEET.slice(0, 1),
    plan: 'policy: { persistSession: false }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const device = stage.device('meter-1')
      await device.join(stage.air)
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await expectNoJoin(stage, 'meter-1')
      await undone(stage, 1)
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await expectServed(stage, 'meter-1', 'source')
    },
  })

  scenario({
    promise: 'of one device leaves the others, and a device that was re-programmed and heard',
    fleet: FLEET.slice(0, 2),
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      const outcome = await stage.rollBack({ devices: ['meter-1'] })
      expect(outcome).toMatchObject({ status: 'done', devices: [{ device: 'meter-1', status: 'undone' }] })
      await expectServed(stage, 'meter-1', 'source')
      await expectServed(stage, 'meter-11')
      await expect(stage.rollBack({ devices: ['nobody'] })).rejects.toMatchObject({
        code: 'DeviceNotInState',
      })
    },
  })
})

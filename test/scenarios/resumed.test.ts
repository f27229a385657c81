import { describe, expect } from 'vitest'
import type { NetworkPort, RegistryWrite } from '../../src/index.ts'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import {
  applied,
  at,
  expectServed,
  remove,
  type Side,
  type Stage,
  scenario,
  virtualOf,
} from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}
const VALVE: DeviceSpec = { id: 'valve-1', number: 2, mode: 'abp', fCntUp: 100, nFCntDown: 5 }
const NEVER: DeviceSpec = { id: 'spare-1', number: 3, mode: 'otaa' }
const KEEPING = 'policy: { persistSession: true, preventRejoin: none }\nrollout: { maxFailures: 10 }'
const MUTE = 'mac_settings.schedule_downlinks'

/** A run that is killed just before a write that `when` chooses. */
const killedBefore = async (
  stage: Stage,
  side: Side,
  when: (write: RegistryWrite) => boolean,
): Promise<void> => {
  const wrap = (network: NetworkPort, which: Side): NetworkPort =>
    which !== side
      ? network
      : {
          ...network,
          write: async (write) => {
            if (when(write)) throw new Error('killed')
            await network.write(write)
          },
        }
  await expect(stage.applyThrough({ network: wrap })).rejects.toThrow('killed')
}

const writesSessionAgain = (write: RegistryWrite): boolean => write.fields['session.started_at'] !== undefined
const unmutes = (write: RegistryWrite): boolean => write.clear?.includes(MUTE) === true

/** What a person does who sees a silent device and does not know of the migration. */
const unmuteByHand = (stage: Stage, side: Side, id: string): Promise<unknown> =>
  call(stage[side], 'PUT', `/ns/applications/meters/devices/${id}`, {
    end_device: { ids: { device_id: id } },
    field_mask: { paths: [MUTE] },
  })

describe('a run that goes on', () => {
  for (const [where, when] of [
    ['before its final write', writesSessionAgain],
    ['just before the target spoke', unmutes],
  ] as const)
    scenario({
      promise: `stops a source again that somebody started ${where}, and takes its newest counters`,
      fleet: [METER],
      plan: KEEPING,
      ends: async (stage) => {
        await killedBefore(stage, 'target', when)
        await unmuteByHand(stage, 'source', 'meter-1')
        for (let uplink = 0; uplink < 3; uplink++)
          await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true })
        await applied(stage, { waiting: 1 })
        await stage.promisesHold()
        await expectServed(stage, 'meter-1')
      },
    })

  scenario({
    promise: 'does not delete another device that took the id on the source',
    fleet: [METER],
    plan: 'policy: { persistSession: true, deleteSource: after-import }',
    ends: async (stage) => {
      const killed = stage.applyThrough({
        network: (network, side) =>
          side === 'target'
            ? network
            : {
                ...network,
                remove: async (registry, ids) => {
                  if (registry === 'network-server') throw new Error('killed')
                  return network.remove(registry, ids)
                },
              },
      })
      await expect(killed).rejects.toThrow('killed')
      await remove(stage, 'source', 'meter-1', ['/ns', '/js', ''])
      await register(stage.source, { ...METER, number: 9 })
      const before = await stage.store('source')
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked' })
      expect(codes(planned, 'meter-1')).toContain('SourceReplaced')
      expect((await stage.apply()).status).toBe('nothing-to-do')
      const after = await stage.store('source')
      for (const registry of ['identityServer', 'joinServer', 'networkServer', 'applicationServer'] as const)
        expect(after[registry]).toEqual(before[registry])
    },
  })

  scenario({
    promise: 'says of a device that a person registered by hand that it was not moved by us',
    onBoth: true,
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      const others = { ...stage.target, application: 'others' }
      await call(stage.target, 'POST', '/users/admin/applications', {
        application: { ids: { application_id: 'others' } },
      })
      await register(others, METER)
      await applied(stage, { failed: 1 })
      for (const registry of ['/as', '/ns', '/js', ''])
        await call(stage.target, 'DELETE', `${registry}/applications/others/devices/meter-1`)
      await register(stage.target, METER)
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).toEqual({ 'meter-1': 'adopt' })
      expect(codes(planned, 'meter-1')).toContain('NotMovedByUs')
    },
  })

  scenario({
    promise: 'blocks a device that is left out of the plan while its source is silent',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await killedBefore(stage, 'target', writesSessionAgain)
      await stage.writePlan(
        `devices: { include: [{ all: true }], exclude: [{ ids: [meter-1] }] }\n${KEEPING}`,
      )
      const planned = (await stage.plan()).changeSet
      expect(codes(planned, 'meter-1')).toContain('ExcludedWhileCrossing')
      await stage.writePlan(KEEPING)
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'finishes an undo that was interrupted',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      const others = { ...stage.target, application: 'others' }
      await call(stage.target, 'POST', '/users/admin/applications', {
        application: { ids: { application_id: 'others' } },
      })
      await register(others, { ...METER, without: ['ns', 'as'] })
      await call(stage.target, 'DELETE', '/applications/others/devices/meter-1')
      const killed = stage.applyThrough({
        network: (network, side) =>
          side === 'source'
            ? network
            : {
                ...network,
                remove: async () => {
                  throw new Error('killed')
                },
              },
      })
      await expect(killed).rejects.toThrow('killed')
      await call(stage.target, 'DELETE', '/js/applications/others/devices/meter-1')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'keeps the course of a crossing when the policy has changed',
    fleet: [VALVE],
    plan: KEEPING,
    ends: async (stage) => {
      await killedBefore(stage, 'target', writesSessionAgain)
      await stage.writePlan(
        'devices: { include: [{ all: true }], overrides: [{ ids: [valve-1], set: { deviceId: valve-9 } }] }\npolicy: { persistSession: false }',
      )
      expect(actions((await stage.plan()).changeSet)).toEqual({ 'valve-1': 'resume' })
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'valve-1')
    },
  })
})

describe('a device that never joined, where sessions are to be kept', () => {
  scenario({
    promise:
      'and joins on the source after the preview is left alone, and crosses with its session in the next run',
    fleet: [NEVER],
    plan: KEEPING,
    ends: async (stage) => {
      const device = stage.device('spare-1')
      let hasJoined = false
      const result = await stage.applyThrough({
        network: (network, side) => ({
          ...network,
          read: async (id) => {
            if (side === 'source' && !hasJoined) {
              hasJoined = true
              await device.join(stage.radio('source'))
              await device.uplink(stage.radio('source'))
            }
            return network.read(id)
          },
        }),
      })
      expect(result.counts).toMatchObject({ stale: 1 })
      expect(
        at(await stage.held('source', 'ns', 'spare-1'), 'mac_settings', 'schedule_downlinks'),
      ).toBeUndefined()
      await applied(stage, { waiting: 1 })
      expect(await device.uplink(stage.air)).toMatchObject({ accepted: true })
      await applied(stage, { migrated: 1 })
    },
  })
})

describe('a target that refuses late', () => {
  scenario({
    promise: 'has the source started again, and the next run crosses with what the source counted since',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            registry: 'ns',
            method: 'PUT',
            nth: 2,
            when: 'before',
            do: { status: 400, body: { code: 3, message: 'no' } },
          },
        ],
      })
      await applied(stage, { failed: 1 })
      expect(
        at(await stage.held('source', 'ns', 'meter-1'), 'mac_settings', 'schedule_downlinks'),
      ).toBeUndefined()
      await stage.promisesHold()
      for (let uplink = 0; uplink < 2; uplink++)
        await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true })
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })
})

describe('what is heard', () => {
  scenario({
    promise: 'is an ABP device that restarts by itself, where its resets are carried',
    fleet: [{ ...VALVE, macSettings: { resets_f_cnt: true } }],
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const keys = keysOf(VALVE)
      const restarted = virtualOf({ ...VALVE, fCntUp: 0, nFCntDown: 0 })
      for (let uplink = 0; uplink < 3; uplink++) await restarted.uplink(stage.radio('target'))
      expect(at(await stage.held('target', 'ns', 'valve-1'), 'session', 'dev_addr')).toBe(keys.devAddr)
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'is no device whose registration on the target is broken',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      expect((await stage.verify()).rows).toMatchObject([{ status: 'heard' }])
      await remove(stage, 'target', 'meter-1', ['/ns'])
      expect((await stage.verify()).rows).toMatchObject([{ status: 'differs' }])
    },
  })
})

describe('a device that the target does not hear', () => {
  scenario({
    promise: 'waits at first, and is told as silent when its time is over [edge 90]',
    fleet: [METER],
    plan: `${KEEPING}\nverify: { heardWithin: 6h }`,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect((await stage.verify()).rows).toMatchObject([{ status: 'waiting' }])
      expect(codes((await stage.plan()).changeSet, 'meter-1')).not.toContain('NotHeardInTime')
      stage.pass(7 * 3_600_000)
      expect((await stage.verify()).rows).toMatchObject([{ status: 'silent' }])
      const { changeSet } = await stage.plan()
      expect(codes(changeSet, 'meter-1')).toContain('NotHeardInTime')
      expect(changeSet.devices).toMatchObject([{ action: 'wait', status: 'silent' }])
      await stage.device('meter-1').uplink(stage.air)
      expect((await stage.verify()).rows).toMatchObject([{ status: 'heard' }])
    },
  })
})

describe('waiting to be heard', () => {
  const THREE = [1, 2, 3].map((number) => ({ ...METER, id: `meter-${number}`, number }))
  const readsOf = async (stage: Stage, id: string): Promise<number> => {
    const { requests } = await call(stage.target, 'GET', '/simulator/v1/requests')
    const path = `/ns/applications/meters/devices/${id}?`
    return (requests as readonly { readonly method: string; readonly path: string }[]).filter(
      (request) => request.method === 'GET' && request.path.startsWith(path),
    ).length
  }

  scenario({
    promise: 'asks for a device only when it was seen since, and for all of them now and then',
    fleet: THREE,
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      const [before, others] = [await readsOf(stage, 'meter-1'), await readsOf(stage, 'meter-2')]
      let rounds = 0
      const { rows } = await stage.verify({
        wait: 120_000,
        onRound: async () => {
          rounds += 1
          if (rounds === 3) await stage.device('meter-1').uplink(stage.air)
        },
      })
      expect(rows.map(({ status }) => status)).toEqual(['heard', 'waiting', 'waiting'])
      expect(rounds).toBe(12)
      // The plan, the first look, the one after the uplink; of a silent one the plan, the first look, and each sixth.
      expect((await readsOf(stage, 'meter-1')) - before).toBe(3)
      expect((await readsOf(stage, 'meter-2')) - others).toBe(4)
    },
  })
})

describe('a device that sends once a day', () => {
  scenario({
    promise: 'is not called silent after an hour, nor before two days are over',
    fleet: [METER],
    plan: `${KEEPING}\nverify: { heardWithin: 1h }`,
    before: async (stage) => {
      for (const _day of [1, 2, 3]) await stage.device('meter-1').uplink(stage.radio('source'))
      const held = await stage.held('source', 'ns', 'meter-1')
      const state = held?.['mac_state'] as { readonly recent_uplinks: readonly object[] }
      const days = state.recent_uplinks.map((uplink, index) => ({
        ...uplink,
        received_at: `2026-01-0${index + 1}T06:00:00Z`,
      }))
      await call(stage.source, 'PUT', '/ns/applications/meters/devices/meter-1', {
        end_device: {
          ids: held?.['ids'],
          mac_state: { ...state, recent_uplinks: days },
        },
        field_mask: { paths: ['mac_state'] },
      })
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      stage.pass(47 * 3_600_000)
      expect((await stage.verify()).rows).toMatchObject([{ status: 'waiting' }])
      stage.pass(2 * 3_600_000)
      expect((await stage.verify()).rows).toMatchObject([{ status: 'silent' }])
      const [change] = (await stage.plan()).changeSet.devices
      expect(change?.findings.map(({ message }) => message)).toContain(
        'the target has not heard it within 48 h of being let go',
      )
      await stage.device('meter-1').uplink(stage.air)
      expect((await stage.verify()).rows).toMatchObject([{ status: 'heard' }])
    },
  })
})

describe('a canary', () => {
  scenario({
    promise: 'that is left out does not hold the others back',
    fleet: [METER, VALVE],
    plan: `policy: { persistSession: true, preventRejoin: none }\nrollout: { canary: 1 }`,
    ends: async (stage) => {
      await applied(stage, { waiting: 1, skipped: 1 })
      await stage.writePlan(
        'devices: { include: [{ all: true }], exclude: [{ ids: [meter-1] }] }\npolicy: { persistSession: true, preventRejoin: none }\nrollout: { canary: 1 }',
      )
      await applied(stage, { waiting: 1 })
    },
  })
})

describe('one device that can not be read', () => {
  scenario({
    promise: 'does not stop the others, even when it is gone from the source [edge 79]',
    fleet: [METER, VALVE],
    plan: 'policy: { persistSession: true, deleteSource: after-import }',
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [{ registry: 'ns', method: 'GET', path: 'meter-1', when: 'before', do: { status: 500 } }],
      })
      await stage.device('valve-1').uplink(stage.air)
      await applied(stage, { migrated: 1, blocked: 1 })
    },
  })
})

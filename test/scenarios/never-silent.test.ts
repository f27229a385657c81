import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { NetworkError } from '../../src/domain/errors.ts'
import type { NetworkPort, RegistryWrite } from '../../src/index.ts'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import { applied, at, expectServed, remove, type Side, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}
const METER_2: DeviceSpec = { ...METER, id: 'meter-2', number: 2 }
const NEVER: DeviceSpec = { id: 'spare-1', number: 3, mode: 'otaa' }
const KEEPING = 'policy: { persistSession: true, preventRejoin: none }\nrollout: { maxFailures: 10 }'
const MUTE = 'mac_settings.schedule_downlinks'

/** What a network does with writes and deletes, by what `act` says of each: it may throw, or look and let pass. */
const through =
  (side: Side, act: (write: RegistryWrite) => Promise<void> | void) =>
  (network: NetworkPort, which: Side): NetworkPort =>
    which !== side
      ? network
      : {
          ...network,
          write: async (write) => {
            await act(write)
            await network.write(write)
          },
        }

const killed = (): never => {
  throw new Error('killed')
}

const refused = (effect: 'none' | 'unknown' = 'none'): never => {
  const fault = { effect, request: 'PUT /', ...(effect === 'none' ? { status: 400 } : {}) }
  throw new NetworkError('Refused', 'the network refuses', fault)
}

const isMuted = async (stage: Stage, side: Side, id: string): Promise<boolean> =>
  at(await stage.held(side, 'ns', id), 'mac_settings', 'schedule_downlinks') === false

const put = (stage: Stage, side: Side, id: string, registry: '' | '/ns', fields: object): Promise<unknown> =>
  call(stage[side], 'PUT', `${registry}/applications/meters/devices/${id}`, {
    end_device: { ids: { device_id: id }, ...fields },
    field_mask: { paths: Object.keys(fields) },
  })

const replaceRootKey = (stage: Stage, key: string): Promise<unknown> =>
  call(stage.source, 'PUT', '/js/applications/meters/devices/meter-1', {
    end_device: {
      ids: { device_id: 'meter-1', dev_eui: keysOf(METER).devEui, join_eui: keysOf(METER).joinEui },
      root_keys: { app_key: { key } },
    },
    field_mask: { paths: ['root_keys.app_key.key'] },
  })

const refuseOnce = (stage: Stage, path: string): Promise<unknown> =>
  call(stage.target, 'POST', '/simulator/v1/faults', {
    faults: [
      {
        registry: 'ns',
        method: 'PUT',
        path,
        times: 1,
        when: 'before',
        do: { status: 400, body: { code: 3, message: 'no' } },
      },
    ],
  })

const isFinal = (write: RegistryWrite): boolean => write.fields['session.started_at'] !== undefined
const isUnmute = (write: RegistryWrite): boolean => write.clear?.includes(MUTE) === true

describe('no run leaves a device without a network', () => {
  scenario({
    promise: 'when it joined for the first time between two runs: its session is what is carried',
    fleet: [NEVER],
    plan: KEEPING,
    ends: async (stage) => {
      await expect(stage.applyThrough({ network: through('source', killed) })).rejects.toThrow('killed')
      await stage.device('spare-1').join(stage.radio('source'))
      await stage.device('spare-1').uplink(stage.radio('source'))
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'spare-1')
    },
  })

  scenario({
    promise: 'when the plan keeps sessions only since its source was stopped',
    fleet: [METER],
    plan: 'policy: { persistSession: false, preventRejoin: none }',
    ends: async (stage) => {
      const run = stage.applyThrough({
        journal: (journal) => ({
          ...journal,
          append: async (records) =>
            records.some((record) => record.t === 'outcome' && record.step === 'read-again')
              ? killed()
              : journal.append(records),
        }),
      })
      await expect(run).rejects.toThrow('killed')
      await stage.writePlan(KEEPING)
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'when its root keys change while it crosses: the source is started again',
    fleet: [METER],
    plan: KEEPING,
    onBoth: true,
    ends: async (stage) => {
      const act = async (): Promise<void> => void (await replaceRootKey(stage, 'F101'.repeat(8)))
      const { counts } = await stage.applyThrough({ network: through('source', act) })
      expect(counts).toMatchObject({ stale: 1 })
      expect(await isMuted(stage, 'source', 'meter-1')).toBe(false)
    },
  })

  scenario({
    promise: 'when another device fails for ever and no failure is allowed',
    fleet: [METER, METER_2],
    plan: 'policy: { persistSession: true, preventRejoin: none }\nrollout: { maxFailures: 0, maxConcurrency: 2 }',
    ends: async (stage) => {
      let arrived = 0
      let bothAreThere = (): void => undefined
      const both = new Promise<void>((resolve) => {
        bothAreThere = resolve
      })
      const act = async (write: RegistryWrite): Promise<void> => {
        if (!isFinal(write)) return
        arrived += 1
        if (arrived === 2) bothAreThere()
        await both
        killed()
      }
      await expect(stage.applyThrough({ network: through('target', act) })).rejects.toThrow('killed')
      const refuseFirst = (write: RegistryWrite): void => {
        if (write.ids.deviceId === 'meter-1') refused()
      }
      const { counts } = await stage.applyThrough({ network: through('target', refuseFirst) })
      expect(counts).toMatchObject({ failed: 1, waiting: 1 })
      await expectServed(stage, 'meter-2')
      await expectServed(stage, 'meter-1', 'source')
    },
  })

  for (const [step, when] of [
    ['a final write', isFinal],
    ['its unmute', isUnmute],
  ] as const)
    scenario({
      promise: `when the target refuses ${step}, even after an answer that was lost: its source is started again [edge 89]`,
      fleet: [METER],
      plan: KEEPING,
      ends: async (stage) => {
        let times = 0
        const act = (write: RegistryWrite): void => {
          if (!when(write)) return
          times += 1
          refused(times === 1 && step === 'a final write' ? 'unknown' : 'none')
        }
        const { counts } = await stage.applyThrough({ network: through('target', act) })
        expect(counts).toMatchObject({ failed: 1 })
        expect([
          await isMuted(stage, 'source', 'meter-1'),
          await isMuted(stage, 'target', 'meter-1'),
        ]).toEqual([false, true])
        for (let uplink = 0; uplink < 2; uplink++)
          await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true })
        await applied(stage, { waiting: 1 })
        await expectServed(stage, 'meter-1')
      },
    })
})

describe('nothing is written that was not approved', () => {
  const rename = (stage: Stage, id: string, name: string): Promise<unknown> =>
    put(stage, 'source', id, '', { name })

  scenario({
    promise: 'when an approved change set is applied again and the source has changed meanwhile',
    fleet: [METER, METER_2],
    plan: KEEPING,
    ends: async (stage, approved) => {
      await refuseOnce(stage, 'meter-2')
      await applied(stage, { waiting: 1, failed: 1 }, { approved })
      for (const id of ['meter-1', 'meter-2']) await rename(stage, id, 'never reviewed')
      await expect(stage.apply({ approved })).rejects.toMatchObject({ code: 'ChangeSetStale' })
      expect(await stage.held('target', 'is', 'meter-1')).not.toMatchObject({ name: 'never reviewed' })
    },
  })

  scenario({
    promise: 'when settings change between the preview and an update',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await rename(stage, 'meter-1', 'previewed')
      const confirm = async (): Promise<boolean> => {
        await rename(stage, 'meter-1', 'never previewed')
        return true
      }
      await applied(stage, { stale: 1 }, { confirm })
      expect((await stage.held('target', 'is', 'meter-1'))?.['name']).toBeUndefined()
      await applied(stage, { updated: 1 })
      expect(await stage.held('target', 'is', 'meter-1')).toMatchObject({ name: 'never previewed' })
    },
  })

  scenario({
    promise: 'when somebody deletes a part of the source: what the target holds stays',
    fleet: [{ ...METER, formatter: 'function decodeUplink(input) { return { data: {} } }' }],
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.device('meter-1').uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await remove(stage, 'source', 'meter-1', ['/as', '/ns'])
      const before = await stage.held('target', 'as', 'meter-1')
      const { changeSet } = await stage.plan()
      expect(actions(changeSet)).toEqual({ 'meter-1': 'done' })
      expect(codes(changeSet, 'meter-1')).toContain('HalfRegistered')
      expect((await stage.apply()).status).toBe('nothing-to-do')
      expect(await stage.held('target', 'as', 'meter-1')).toEqual(before)
    },
  })
})

describe('what a device counted on the target is never forgotten', () => {
  scenario({
    promise: 'when the state is lost: nobody is told to start the source again',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await rm(join(stage.folder, 'fleet.state.jsonl'))
      const { changeSet } = await stage.plan()
      expect(actions(changeSet)).toEqual({ 'meter-1': 'blocked' })
      expect(codes(changeSet, 'meter-1')).toEqual(['MovedWithoutState'])
      expect((await stage.apply()).status).toBe('nothing-to-do')
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'when a second crossing was refused and taken back: its JoinNonce goes on',
    fleet: [{ ...METER, version: 'MAC_V1_0_4' }],
    plan: 'policy: { persistSession: false, preventRejoin: none }',
    ends: async (stage) => {
      const device = stage.device('meter-1')
      await applied(stage, { waiting: 1 })
      for (let joins = 0; joins < 3; joins++) expect((await device.join(stage.air)).joined).toBe(true)
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      await remove(stage, 'target', 'meter-1')
      await refuseOnce(stage, 'meter-1')
      await applied(stage, { failed: 1 })
      await applied(stage, { waiting: 1 })
      expect((await device.join(stage.air)).joined).toBe(true)
    },
  })

  scenario({
    promise: 'when the state has lost the lines that say that the target was let go',
    fleet: [METER],
    plan: KEEPING,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      for (let uplink = 0; uplink < 3; uplink++)
        await stage.device('meter-1').uplink(stage.air, { confirmed: true })
      const lines = (await stage.stateText()).split('\n')
      const stopped = lines.findIndex(
        (line) => line.includes('"step":"stop-source"') && line.includes('"outcome"'),
      )
      await writeFile(join(stage.folder, 'fleet.state.jsonl'), `${lines.slice(0, stopped + 1).join('\n')}\n`)
      const before = await stage.held('target', 'ns', 'meter-1')
      const { changeSet } = await stage.plan()
      expect(codes(changeSet, 'meter-1')).toContain('TargetSpeaks')
      await stage.apply()
      expect(await stage.held('target', 'ns', 'meter-1')).toEqual(before)
      await expectServed(stage, 'meter-1')
    },
  })
})

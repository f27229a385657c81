import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NetworkError } from '../../src/domain/errors.ts'
import { foldState } from '../../src/engine/progress/fold.ts'
import { statusRows } from '../../src/engine/progress/status.ts'
import type { RegistryWrite } from '../../src/index.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import {
  DELETE_FIRST,
  Killed,
  killedBefore,
  killedOnceMuted,
  METER,
  MUTE,
  muted,
  unmuteByHand,
} from '../support/half-way.ts'
import { actions } from '../support/migration.ts'
import { applied, at, expectServed, remove, results, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const OTHER: DeviceSpec = { ...METER, id: 'meter-2', number: 2 }

const unmutes = (write: RegistryWrite): boolean => write.clear?.includes(MUTE) === true

describe('what reviews found', () => {
  it('a device whose source could not be started again is not told as served by it', () => {
    const at = '2026-01-01T00:00:00Z'
    const step = 'start-source'
    const known = foldState([
      {
        t: 'begin',
        device: 'meter-1',
        at,
        target: 'meter-1',
        route: 'session-kept',
        handover: 'delete-first',
      },
      { t: 'fact', device: 'meter-1', fact: { name: 'source-scheduling', value: null } },
      { t: 'outcome', device: 'meter-1', step, at, status: 'failed', error: { code: 'X', message: 'x' } },
    ])
    const [row] = statusRows(known, { heardWithin: 1, now: new Date() })
    expect(row?.next).toBe('run ferry apply again to go on')
  })

  scenario({
    promise: 'a script that is equal on both sides is not kept twice a device in the change set',
    fleet: [{ ...METER, formatter: 'x'.repeat(30_000) }],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const [change] = (await stage.plan()).changeSet.devices
      expect(JSON.stringify(change).length).toBeLessThan(5_000)
    },
  })

  scenario({
    promise: 'a write that is not answered and comes true later makes no stranger of the device',
    fleet: [METER],
    plan: 'policy: { persistSession: true }\nrollout: { maxFailures: 5 }',
    ends: async (stage) => {
      let late = async (): Promise<void> => undefined
      const result = await stage.applyThrough({
        journal: (journal) => ({
          ...journal,
          append: async (records) => {
            if (records.some(({ t }) => t === 'close')) await late()
            await journal.append(records)
          },
        }),
        network: (network, side) =>
          side === 'source'
            ? network
            : {
                ...network,
                write: async (write) => {
                  if (write.registry !== 'application-server') return network.write(write)
                  late = () => network.write(write)
                  throw new NetworkError('Timeout', 'no answer', { effect: 'unknown', request: 'PUT' })
                },
              },
      })
      expect(result.counts).toMatchObject({ failed: 1 })
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise:
      'new root keys stay new where the plan is edited to keep them half-way: one network accepts a join',
    fleet: [METER],
    plan: 'policy: { persistSession: true, rootKeys: generate }',
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: (write) => write.registry === 'network-server' })
      await stage.writePlan('policy: { persistSession: true, rootKeys: keep }')
      await stage.apply()
      await stage.promisesHold()
    },
  })

  scenario({
    promise: 'a device whose unmute was refused once is heard in the run after',
    fleet: [METER],
    plan: 'policy: { persistSession: true, preventRejoin: none }',
    ends: async (stage) => {
      let refused = false
      const target = { ...stage.target }
      void target
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            registry: 'ns',
            method: 'PUT',
            nth: 3,
            when: 'before',
            do: { status: 400, body: { code: 3, message: 'no' } },
          },
        ],
      })
      refused = true
      expect(refused).toBe(true)
      await stage.apply()
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
      await applied(stage, { migrated: 1 })
    },
  })

  scenario({
    promise: 'a device that is to be deleted first and whose source is silent can not be left out',
    fleet: [METER],
    oneNetwork: true,
    plan: DELETE_FIRST,
    ends: async (stage) => {
      await killedBefore(stage, 'source', { remove: () => true })
      expect(await muted(stage, 'source', 'meter-1')).toBe(false)
      await stage.writePlan(
        `devices: { include: [{ all: true }], exclude: [{ ids: [meter-1] }] }\n${DELETE_FIRST}`,
      )
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked' })
    },
  })

  scenario({
    promise: 'a device that the escrow alone holds whole can not be left out',
    fleet: [METER],
    oneNetwork: true,
    plan: DELETE_FIRST,
    ends: async (stage) => {
      await killedBefore(stage, 'source', { remove: (registry) => registry === 'identity-server' })
      expect(await stage.held('source', 'js', 'meter-1')).toBeUndefined()
      await stage.writePlan(
        `devices: { include: [{ all: true }], exclude: [{ ids: [meter-1] }] }\n${DELETE_FIRST}`,
      )
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked' })
    },
  })

  scenario({
    promise: 'a canary whose source is silent goes on in the next run',
    fleet: [METER, OTHER],
    oneNetwork: true,
    plan: `${DELETE_FIRST}\nrollout: { canary: 1 }`,
    ends: async (stage) => {
      await killedOnceMuted(stage)
      expect(await muted(stage, 'source', 'meter-1')).toBe(false)
      await stage.apply()
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a canary that was begun and got nowhere is tried again',
    fleet: [METER, OTHER],
    plan: 'policy: { persistSession: true }\nrollout: { canary: 1 }',
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: () => true })
      // as far as the escrow, say: no write was sent
      await stage.apply()
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a canary that waited for its queue crosses once it is empty',
    fleet: [METER, OTHER],
    plan: 'policy: { persistSession: true, queuedDownlinks: wait-empty }\nrollout: { canary: 1 }',
    ends: async (stage) => {
      const queue = (downlinks: unknown): Promise<unknown> =>
        call(stage.source, 'POST', '/as/applications/meters/devices/meter-1/down/replace', { downlinks })
      await queue([{ f_port: 3, frm_payload: 'AQ==' }])
      await applied(stage, { deferred: 1, skipped: 1 })
      await queue([])
      await applied(stage, { waiting: 1, skipped: 1 })
      expect(await stage.held('target', 'ns', 'meter-1')).toBeDefined()
    },
  })

  scenario({
    promise: 'with two canaries, the rest waits for both',
    fleet: [METER, OTHER, { ...METER, id: 'meter-3', number: 3 }],
    plan: 'policy: { persistSession: true }\nrollout: { canary: 1, maxConcurrency: 1 }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1, skipped: 2 })
      await stage.writePlan('policy: { persistSession: true }\nrollout: { canary: 2, maxConcurrency: 1 }')
      // the second canary is heard at once, the first never
      await stage.applyThrough({
        network: (network, side) =>
          side === 'source'
            ? network
            : {
                ...network,
                write: async (write) => {
                  await network.write(write)
                  if (unmutes(write) && write.ids.deviceId === 'meter-2')
                    await stage.device('meter-2').uplink(stage.radio('target'))
                },
              },
      })
      expect(await stage.held('target', 'is', 'meter-3')).toBeUndefined()
    },
  })

  scenario({
    promise: 'one damaged escrow file does not hold up the others',
    onBoth: true,
    fleet: [METER, OTHER],
    oneNetwork: true,
    plan: `${DELETE_FIRST}\nrollout: { maxConcurrency: 1, maxFailures: 5 }`,
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: (write) => write.registry === 'identity-server' })
      await killed2(stage)
      const folder = join(stage.folder, 'fleet.escrow')
      const files = (await readdir(folder)).filter((name) => name.startsWith('B-')).sort()
      await writeFile(join(folder, files[0] ?? ''), 'damaged')
      await stage.apply().catch((error: unknown) => error)
      await expectServed(stage, 'meter-2')
    },
  })

  scenario({
    promise: 'a damaged escrow file is no reason to leave a source silent that still holds the device',
    onBoth: true,
    fleet: [METER],
    oneNetwork: true,
    plan: DELETE_FIRST,
    ends: async (stage) => {
      const damage = async (): Promise<void> => {
        const folder = join(stage.folder, 'fleet.escrow')
        for (const name of await readdir(folder).catch(() => []))
          if (name.startsWith('B-')) await writeFile(join(folder, name), 'damaged')
      }
      let _reads = 0
      await stage
        .applyThrough({
          network: (network, side) =>
            side === 'target'
              ? network
              : {
                  ...network,
                  read: async (id) => {
                    _reads += 1
                    await damage()
                    return network.read(id)
                  },
                },
        })
        .catch((_error: unknown) => {})
      const served =
        (await muted(stage, 'source', 'meter-1')) !== false ||
        (await stage.store('target')).networkServer['meters-two/meter-1'] !== undefined
      expect(served).toBe(true)
    },
  })

  scenario({
    promise: 'a device that was approved as blocked is not carried out by resuming',
    fleet: [METER, OTHER],
    plan: 'policy: { persistSession: true }\nrollout: { maxConcurrency: 1 }',
    ends: async (stage) => {
      // known to the state: begun and deferred, for it joins on the source
      await stage.writePlan(
        'policy: { persistSession: true, queuedDownlinks: wait-empty }\ndevices: { include: [{ ids: [meter-1] }] }',
      )
      await call(stage.source, 'POST', '/as/applications/meters/devices/meter-1/down/replace', {
        downlinks: [{ f_port: 3, frm_payload: 'AQ==' }],
      })
      await applied(stage, { deferred: 1 })
      await stage.writePlan('policy: { persistSession: true }\nrollout: { maxConcurrency: 1 }')
      await stage.device('meter-1').join(stage.radio('source'))
      const approved = (await stage.plan()).changeSet
      expect(actions(approved)).toEqual({ 'meter-1': 'blocked', 'meter-2': 'create' })
      const draining = false
      void draining
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            method: 'POST',
            path: '/applications/meters/devices',
            times: 1,
            do: { status: 400, body: { code: 3, message: 'no' } },
          },
        ],
      })
      await stage.apply({ approved })
      await stage.device('meter-1').uplink(stage.radio('source'))
      await stage.apply({ approved }).catch((error: unknown) => error)
      expect(await stage.held('target', 'is', 'meter-1')).toBeUndefined()
    },
  })

  scenario({
    promise: 'a stranger with the EUIs is none of ours, because we once made keys',
    fleet: [METER],
    onBoth: true,
    plan: 'policy: { persistSession: true, rootKeys: generate }',
    ends: async (stage) => {
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            registry: 'ns',
            method: 'PUT',
            nth: 1,
            when: 'before',
            do: { status: 400, body: { code: 3, message: 'no' } },
          },
        ],
      })
      await applied(stage, { failed: 1 })
      await register(stage.target, { ...METER, strangeKeys: true, name: 'Not yours' })
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).toEqual({ 'meter-1': 'blocked' })
    },
  })

  scenario({
    promise: 'an older downlink on the same port is no proof that the trigger was sent',
    fleet: [METER],
    plan: 'policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF" } }',
    before: async (stage) => {
      await call(stage.source, 'POST', '/as/applications/meters/devices/meter-1/down/push', {
        downlinks: [{ f_port: 42, frm_payload: 'AQ==' }],
      })
      for (let n = 0; n < 4; n++) await stage.device('meter-1').uplink(stage.radio('source'))
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      // an application replaces the queue before the device sends
      await call(stage.source, 'POST', '/as/applications/meters/devices/meter-1/down/replace', {
        downlinks: [],
      })
      await stage.apply()
      await stage.apply()
      const { downlinks = [] } = (await call(
        stage.source,
        'GET',
        '/as/applications/meters/devices/meter-1/down',
      )) as { downlinks?: unknown[] }
      expect(downlinks).toHaveLength(1)
    },
  })

  scenario({
    promise: 'a trigger that the plan does not want any more is not told as dropped in each run',
    fleet: [METER],
    plan: 'policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF" } }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.writePlan('policy: { persistSession: false }')
      await stage.apply()
      await stage.apply()
      expect((await stage.stateText()).includes('TriggerDropped')).toBe(false)
    },
  })

  scenario({
    promise: 'a target that somebody let go while the escrow held the device is not rewound',
    fleet: [METER],
    plan: DELETE_FIRST,
    ends: async (stage) => {
      await killedBefore(stage, 'target', {
        write: (write) => write.fields['session.started_at'] !== undefined,
      })
      await unmuteByHand(stage, 'target', 'meter-1')
      for (let n = 0; n < 3; n++)
        await stage.device('meter-1').uplink(stage.radio('target'), { confirmed: true })
      const outcome = await stage.apply()
      expect(results(outcome)).toEqual({ 'meter-1': 'TargetSpeaks' })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'new keys are made for the LoRaWAN version that the plan names now',
    fleet: [METER],
    plan: 'policy: { persistSession: true, rootKeys: generate }',
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: () => true })
      await stage.writePlan(`policy: { persistSession: true, rootKeys: generate }
devices: { include: [{ all: true }], overrides: [{ ids: [meter-1], set: { lorawanVersion: MAC_V1_1, lorawanPhyVersion: PHY_V1_1_REV_B } }] }`)
      await stage.apply()
      expect(at(await stage.held('target', 'js', 'meter-1'), 'root_keys', 'nwk_key', 'key')).toBeDefined()
    },
  })

  scenario({
    promise: 'new keys that a device may hold already are not made anew where they can not be read',
    fleet: [METER],
    withoutIdentity: true,
    plan: 'policy: { persistSession: true, rootKeys: generate }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const before = at(await stage.held('target', 'js', 'meter-1'), 'root_keys', 'app_key', 'key')
      await remove(stage, 'target', 'meter-1')
      await stage.apply()
      const after = at(await stage.held('target', 'js', 'meter-1'), 'root_keys', 'app_key', 'key')
      expect([undefined, before]).toContain(after)
    },
  })

  scenario({
    promise:
      'a device that joins on the source is not carried with its old session where the plan was edited',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await killedBefore(stage, 'source', { write: () => true })
      await stage.writePlan('policy: { persistSession: false }')
      await stage.device('meter-1').join(stage.radio('source'))
      await stage.apply()
      const { downlinks } = await stage.device('meter-1').uplink(stage.air, { confirmed: true })
      expect(downlinks).toHaveLength(1)
    },
  })

  for (const where of ['source-started', 'undone'] as const)
    scenario({
      promise: `a source that was given back is not muted again where the run ended at that moment (before ${where})`,
      fleet: [METER],
      oneNetwork: true,
      plan: DELETE_FIRST,
      ends: async (stage) => {
        await call(stage.source, 'POST', '/simulator/v1/faults', {
          faults: [
            {
              method: 'PUT',
              path: '/ns/applications/meters-two/devices/meter-1',
              times: 1,
              do: { status: 400 },
            },
          ],
        })
        let dead = false
        await expect(
          stage.applyThrough({
            journal: (journal) => ({
              ...journal,
              append: async (records) => {
                if (
                  records.some((r) =>
                    where === 'undone'
                      ? r.t === 'undone'
                      : r.t === 'fact' && r.fact.name === 'source-started',
                  )
                )
                  dead = true
                if (dead) throw new Killed('killed')
                await journal.append(records)
              },
            }),
          }),
        ).rejects.toThrow('killed')
        for (let n = 0; n < 3; n++)
          await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true })
        await stage.apply()
        await expectServed(stage, 'meter-1', 'source')
      },
    })

  scenario({
    promise: 'a device that the escrow alone holds goes on where its id was given to another on the source',
    fleet: [METER],
    plan: DELETE_FIRST,
    onBoth: true,
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: (write) => write.registry === 'identity-server' })
      await register(stage.source, { ...METER, number: 9 })
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).toEqual({ 'meter-1': 'resume' })
      const before = await stage.store('source')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
      expect((await stage.store('source')).joinServer).toEqual(before.joinServer)
    },
  })

  scenario({
    promise: 'another device that got the id on the source is not overwritten by what is given back',
    fleet: [METER],
    plan: DELETE_FIRST,
    onBoth: true,
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: (write) => write.registry === 'identity-server' })
      await register(stage.source, { ...METER, number: 9 })
      const before = await stage.store('source')
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [{ registry: 'ns', method: 'PUT', times: 1, do: { status: 400 } }],
      })
      await stage.apply()
      const after = await stage.store('source')
      for (const registry of ['identityServer', 'joinServer', 'networkServer', 'applicationServer'] as const)
        expect(after[registry]).toEqual(before[registry])
    },
  })

  scenario({
    promise:
      'a device that somebody registered on the source again, while the escrow held it, is served by one network',
    fleet: [METER],
    plan: DELETE_FIRST,
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: (write) => write.registry === 'identity-server' })
      await register(stage.source, METER)
      await stage.apply()
      await stage.promisesHold()
      await expectServed(stage, 'meter-1', 'source')
      await remove(stage, 'source', 'meter-1')
      await applied(stage, { waiting: 1 })
      await stage.promisesHold()
    },
  })
})

const killed2 = async (stage: Stage): Promise<void> => {
  await expect(
    stage.applyThrough({
      network: (network, side) =>
        side === 'source'
          ? network
          : {
              ...network,
              write: async () => {
                throw new Killed('killed')
              },
            },
    }),
  ).rejects.toThrow('killed')
}

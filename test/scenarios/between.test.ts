import { describe, expect } from 'vitest'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { actions, codes } from '../support/migration.ts'
import {
  applied,
  at,
  expectNoJoin,
  expectServed,
  results,
  type Stage,
  scenario,
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
const OTHER: DeviceSpec = { ...METER, id: 'meter-2', number: 2 }
const PLAN = 'policy: { persistSession: true }'

/** The device joins on the source and confirms it by an uplink, as one does whose battery was changed. */
const joinOnSource = async (stage: Stage, id: string): Promise<void> => {
  expect(await stage.device(id).join(stage.radio('source'))).toMatchObject({ joined: true })
  expect(await stage.device(id).uplink(stage.radio('source'))).toMatchObject({ accepted: true })
}

const ids = (spec: DeviceSpec): object => ({
  device_id: spec.id,
  dev_eui: keysOf(spec).devEui,
  join_eui: keysOf(spec).joinEui,
})

const setOnSource = (
  stage: Stage,
  registry: '' | '/js' | '/ns',
  spec: DeviceSpec,
  fields: object,
  path: string,
) =>
  call(stage.source, 'PUT', `${registry}/applications/meters/devices/${spec.id}`, {
    end_device: { ids: ids(spec), ...fields },
    field_mask: { paths: [path] },
  })

const deleteOnSource = async (stage: Stage, id: string): Promise<void> => {
  for (const registry of ['/as', '/ns', '/js', ''])
    await call(stage.source, 'DELETE', `${registry}/applications/meters/devices/${id}`)
}

describe('between preview and apply', () => {
  scenario({
    promise: 'counters may move: an approved change set still holds, and the newest counters cross [edge 35]',
    fleet: [METER, OTHER],
    plan: PLAN,
    ends: async (stage, approved) => {
      for (let n = 0; n < 3; n++) await expectServed(stage, 'meter-1', 'source')
      await applied(stage, { waiting: 2 }, { approved })
      expect(at(await stage.held('target', 'ns', 'meter-1'), 'session')).toMatchObject({
        last_f_cnt_up: 103,
        last_n_f_cnt_down: 8,
      })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise:
      'a device that joins anew on the source is stale alone, and its source goes on serving it [edge 48]',
    fleet: [METER, OTHER],
    plan: `${PLAN}\nrollout: { maxFailures: 0 }`,
    ends: async (stage, approved) => {
      await joinOnSource(stage, 'meter-1')
      const outcome = await applied(stage, { stale: 1, waiting: 1 }, { approved })
      expect(results(outcome)).toMatchObject({ 'meter-1': 'DeviceChanged' })
      expect(await stage.held('target', 'is', 'meter-1')).toBeUndefined()
      await expectServed(stage, 'meter-1', 'source')
      await expectServed(stage, 'meter-2')
      await applied(stage, { waiting: 1, migrated: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a device that joins anew is no reason where sessions are not carried',
    fleet: [METER],
    plan: 'policy: { persistSession: false }',
    ends: async (stage, approved) => {
      await joinOnSource(stage, 'meter-1')
      await applied(stage, { waiting: 1 }, { approved })
      await stage.device('meter-1').join(stage.air)
      await expectServed(stage, 'meter-1')
    },
  })

  for (const [what, change] of [
    ['a setting', (stage) => setOnSource(stage, '', METER, { name: 'Other' }, 'name')],
    [
      'a root key',
      (stage) =>
        setOnSource(
          stage,
          '/js',
          METER,
          { root_keys: { app_key: { key: 'F7'.repeat(16) } } },
          'root_keys.app_key.key',
        ),
    ],
    ['the list of devices', (stage) => register(stage.source, { ...METER, id: 'meter-9', number: 9 })],
    ['the list of devices, by a delete,', (stage) => deleteOnSource(stage, 'meter-1')],
    ['the plan', (stage) => stage.writePlan(`${PLAN}\nverify: { heardWithin: 2h }`)],
    ['the target', (stage) => register(stage.target, OTHER)],
  ] satisfies [string, (stage: Stage) => Promise<unknown>][])
    scenario({
      promise: `${what} may not change: the whole change set is refused, and nothing is written [edge 80]`,
      fleet: [METER, OTHER],
      plan: PLAN,
      onBoth: true,
      ends: async (stage, approved) => {
        await change(stage)
        const [source, target] = [await stage.store('source'), await stage.store('target')]
        await expect(stage.apply({ approved })).rejects.toMatchObject({
          kind: 'stale',
          code: 'ChangeSetStale',
        })
        expect(await stage.store('source')).toEqual(source)
        expect(await stage.store('target')).toEqual(target)
      },
    })

  scenario({
    promise:
      'a change set that was carried out once is refused the second time, with nothing written [edge 87]',
    fleet: [METER],
    plan: PLAN,
    ends: async (stage, approved) => {
      await applied(stage, { waiting: 1 }, { approved })
      await expectServed(stage, 'meter-1')
      const target = await stage.store('target')
      await stage
        .apply({ approved })
        .catch((error: unknown) => expect(error).toMatchObject({ kind: 'stale' }))
      expect((await stage.store('target')).networkServer).toEqual(target.networkServer)
    },
  })
})

/** Runs the apply, and once, after the n-th write on a network, what happens meanwhile. */
const meanwhile = async (
  stage: Stage,
  side: 'source' | 'target',
  registry: string,
  happens: () => Promise<void>,
  when: 'before' | 'after' = 'after',
): Promise<Record<string, string>> => {
  let happened = false
  const once = async (): Promise<void> => {
    if (happened) return
    happened = true
    await happens()
  }
  const result = await stage.applyThrough({
    network: (network, which) =>
      which !== side
        ? network
        : {
            ...network,
            write: async (write) => {
              if (write.registry === registry && when === 'before') await once()
              await network.write(write)
              if (write.registry === registry && when === 'after') await once()
            },
          },
  })
  expect(happened).toBe(true)
  return Object.fromEntries(
    result.devices.map((device) => [device.device, device.error?.code ?? device.status]),
  )
}

describe('a device that joins on the source while it crosses', () => {
  for (const registry of ['identity-server', 'join-server', 'application-server', 'network-server'])
    scenario({
      promise: `and is heard, during the import (${registry}): it starts over with the new session`,
      fleet: [METER],
      plan: PLAN,
      ends: async (stage) => {
        expect(await meanwhile(stage, 'target', registry, () => joinOnSource(stage, 'meter-1'))).toEqual({
          'meter-1': 'waiting',
        })
        const session = stage.device('meter-1').session
        expect(session?.devAddr).not.toBe(keysOf(METER).devAddr)
        expect(at(await stage.held('target', 'ns', 'meter-1'), 'session', 'dev_addr')).toBe(session?.devAddr)
        expect(await stage.stateText()).toContain('joined anew')
        await expectServed(stage, 'meter-1')
        await applied(stage, { migrated: 1 })
        await expectNoJoin(stage, 'meter-1')
      },
    })

  scenario({
    promise: 'and is heard, right before it is stopped: it starts over with the new session',
    fleet: [METER],
    plan: PLAN,
    ends: async (stage) => {
      expect(
        await meanwhile(stage, 'source', 'network-server', () => joinOnSource(stage, 'meter-1'), 'before'),
      ).toEqual({ 'meter-1': 'waiting' })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'and is not heard yet: it is deferred, and the source serves it again as before',
    fleet: [METER, OTHER],
    plan: PLAN,
    ends: async (stage) => {
      const join = async (): Promise<void> => {
        expect(await stage.device('meter-1').join(stage.radio('source'))).toMatchObject({ joined: true })
      }
      const found = await meanwhile(stage, 'source', 'network-server', join, 'before')
      expect(found).toEqual({ 'meter-1': 'JoiningOnSource', 'meter-2': 'waiting' })
      expect(await stage.held('source', 'ns', 'meter-1')).not.toHaveProperty(
        'mac_settings.schedule_downlinks',
      )
      expect(codes((await stage.plan()).changeSet, 'meter-1')).toEqual(['PendingSession'])
      await expectServed(stage, 'meter-1', 'source')
      expect(actions((await stage.plan()).changeSet)['meter-1']).toBe('resume')
      await applied(stage, { waiting: 2 })
      await expectServed(stage, 'meter-1')
      expect(stage.device('meter-1').session?.devAddr).toMatch(/^27/)
    },
  })

  scenario({
    promise: 'and a run that is killed before it could start the source again: the next run starts it',
    fleet: [METER],
    plan: PLAN,
    ends: async (stage) => {
      const join = async (): Promise<void> => void (await stage.device('meter-1').join(stage.radio('source')))
      let writes = 0
      await expect(
        stage.applyThrough({
          network: (network, side) =>
            side === 'target'
              ? network
              : {
                  ...network,
                  write: async (write) => {
                    writes += 1
                    if (writes === 1) await join()
                    if (writes === 2) throw new Error('killed')
                    await network.write(write)
                  },
                },
        }),
      ).rejects.toThrow('killed')
      expect(await stage.held('source', 'ns', 'meter-1')).toMatchObject({
        mac_settings: { schedule_downlinks: false },
      })
      const outcome = await stage.apply()
      expect(results(outcome)).toEqual({ 'meter-1': 'JoiningOnSource' })
      await expectServed(stage, 'meter-1', 'source')
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'after it was stopped: the join is not answered, and the session that crosses is the one it has',
    fleet: [METER],
    plan: PLAN,
    ends: async (stage) => {
      const join = async (): Promise<void> => expectNoJoin(stage, 'meter-1')
      expect(await meanwhile(stage, 'source', 'network-server', join)).toEqual({ 'meter-1': 'waiting' })
      await expectServed(stage, 'meter-1')
    },
  })
})

describe('while a device crosses', () => {
  scenario({
    promise: 'uplinks go on: the newest counter crosses, and none is lost to the target',
    fleet: [METER],
    plan: PLAN,
    ends: async (stage) => {
      const device = stage.device('meter-1')
      const uplink = async (): Promise<void> => void (await device.uplink(stage.radio('source')))
      await meanwhile(stage, 'source', 'network-server', uplink)
      expect(at(await stage.held('target', 'ns', 'meter-1'), 'session', 'last_f_cnt_up')).toBe(101)
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'the muted target hears uplinks that the source does not, and never counts back',
    fleet: [METER],
    plan: PLAN,
    ends: async (stage) => {
      const device = stage.device('meter-1')
      const uplink = async (): Promise<void> => void (await device.uplink(stage.radio('target')))
      await meanwhile(stage, 'target', 'network-server', uplink)
      expect(at(await stage.held('target', 'ns', 'meter-1'), 'session', 'last_f_cnt_up')).toBe(101)
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise:
      'somebody may delete it on the source: it is left, said so, and nothing of it stays on the target',
    fleet: [METER, OTHER],
    plan: `${PLAN}\nrollout: { maxConcurrency: 1, maxFailures: 5 }`,
    ends: async (stage) => {
      // The first device's writes give time to delete the second.
      const found = await meanwhile(stage, 'target', 'identity-server', () =>
        deleteOnSource(stage, 'meter-2'),
      )
      expect(found).toEqual({ 'meter-1': 'waiting', 'meter-2': 'DeviceChanged' })
      expect(await stage.held('target', 'is', 'meter-2')).toBeUndefined()
      await register(stage.source, OTHER)
    },
  })
})

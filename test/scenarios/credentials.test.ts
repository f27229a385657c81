import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Decrypter } from 'age-encryption'
import { describe, expect } from 'vitest'
import { loadPlan, localPlan, type NewCredentials, newCredentials, openStores } from '../../src/index.ts'
import { createVirtualDevice } from '../../src/simulator/virtual-device.ts'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { METER_11, VALVE } from '../support/meters.ts'
import { applied, at, expectServed, results, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  lastDevNonce: 7,
}
const GENERATE = 'policy: { persistSession: true, rootKeys: generate }'

const text = (record: unknown, ...path: readonly string[]): string => String(at(record, ...path))
const files = async (stage: Stage, end: string): Promise<readonly string[]> =>
  (await readdir(join(stage.folder, 'fleet.escrow'))).filter(
    (name) => name.startsWith('new-') && name.endsWith(end),
  )

/** What `age -d` prints of a file. */
const decrypted = async (stage: Stage, file: string): Promise<string> => {
  const decrypter = new Decrypter()
  decrypter.addIdentity(stage.identity.identity.reveal())
  return decrypter.decrypt(await readFile(join(stage.folder, 'fleet.escrow', file)), 'text')
}

const records = async (stage: Stage): Promise<readonly Record<string, string>[]> => {
  const all = await Promise.all((await files(stage, '.jsonl.age')).map((file) => decrypted(stage, file)))
  return all
    .flatMap((lines) => lines.trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as Record<string, string>)
}

const rows = async (stage: Stage): Promise<readonly Record<string, string>[]> => {
  const all = await Promise.all((await files(stage, '.csv.age')).map((file) => decrypted(stage, file)))
  return all.flatMap((sheet) => {
    const [head = [], ...lines] = sheet
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(',').map((cell) => cell.slice(1, -1)))
    return lines.map((cells) =>
      Object.fromEntries(
        cells.map((cell, index) => [head[index] ?? '', cell] as const).filter(([, cell]) => cell),
      ),
    )
  })
}

/** As `ferry escrow credentials` finds them. */
const found = async (stage: Stage): Promise<readonly NewCredentials[]> => {
  const loaded = await loadPlan(join(stage.folder, 'fleet.yaml'))
  if (!loaded.ok) throw new Error('the plan is wrong')
  const local = localPlan(loaded.value)
  const stores = await openStores(local, { env: stage.env })
  return (await newCredentials(local, stores, undefined, stage.identity.identity)).credentials
}

const rootKeys = async (stage: Stage, id: string): Promise<readonly string[]> => {
  const held = await stage.held('target', 'js', id)
  return ['app_key', 'nwk_key'].map((name) => text(held, 'root_keys', name, 'key'))
}

/** A device as somebody programs it with what a record says. */
const programmed = (record: Record<string, string>, lastJoinNonce = 0) =>
  createVirtualDevice({
    devEui: record['dev_eui'] ?? '',
    joinEui: record['join_eui'] ?? '',
    lorawanVersion: `MAC_V${(record['lorawan_version'] ?? '').replaceAll('.', '_')}` as 'MAC_V1_0_3',
    frequencyPlan: record['frequency_plan_id'] ?? '',
    rx1Delay: 1,
    dataRate: 'SF7BW125',
    channels: [868_100_000, 868_300_000, 868_500_000],
    lastJoinNonce,
    rootKeys: {
      appKey: record['app_key'] ?? '',
      ...(record['nwk_key'] === undefined ? {} : { nwkKey: record['nwk_key'] }),
    },
  })

const joins = async (stage: Stage, record: Record<string, string>, lastJoinNonce = 0): Promise<void> => {
  const device = programmed(record, lastJoinNonce)
  expect(await device.join(stage.air)).toMatchObject({ joined: true })
  for (let sent = 0; sent < 2; sent++)
    expect(await device.uplink(stage.air, { confirmed: true })).toMatchObject({ accepted: true, missed: [] })
}

describe('new credentials', () => {
  scenario({
    promise:
      'are all keys that a device joins with; age alone reads them, as JSON and CSV, and the target holds them',
    golden: 'new-root-keys-1-1',
    fleet: [METER, METER_11],
    plan: GENERATE,
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      const made = await records(stage)
      expect(made.map(({ device_id }) => device_id).sort()).toEqual(['meter-1', 'meter-11'])
      const strip = ({ format_version: _, ...rest }: Record<string, string>): Record<string, string> => rest
      expect(await rows(stage)).toEqual(made.map(strip))
      for (const spec of [METER, METER_11]) {
        const { id } = spec
        const record = made.find(({ device_id }) => device_id === id)
        const [appKey, nwkKey] = await rootKeys(stage, id)
        expect(record?.['app_key']).toBe(appKey)
        expect(appKey).not.toBe(keysOf(spec).appKey)
        expect(record?.['nwk_key'] ?? 'undefined').toBe(nwkKey)
        if (spec === METER_11) expect([keysOf(spec).nwkKey, appKey, 'undefined']).not.toContain(nwkKey)
        const own = (await found(stage)).find(({ device }) => device === id)
        expect(own?.rootKeys?.appKey.reveal()).toBe(appKey)
        await expectServed(stage, id, 'source')
      }
      for (const record of made) await joins(stage, record)
      await applied(stage, { migrated: 2 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'may be other EUIs with the keys that the device has',
    golden: 'new-euis',
    fleet: [METER, METER_11],
    plan: `policy: { persistSession: true }
devices:
  include: [{ all: true }]
  overrides:
    - { ids: [meter-1], set: { devEui: "70B3D57ED00F00F1" } }
    - { ids: [meter-11], set: { joinEui: "70B3D57ED0009009" } }`,
    ends: async (stage) => {
      await applied(stage, { waiting: 2 })
      const made = await records(stage)
      for (const spec of [METER, METER_11]) {
        const keys = keysOf(spec)
        const record = made.find(({ device_id }) => device_id === spec.id)
        expect(record).toMatchObject({
          dev_eui: spec === METER ? '70B3D57ED00F00F1' : keys.devEui,
          join_eui: spec === METER ? keys.joinEui : '70B3D57ED0009009',
          app_key: keys.appKey,
          ...(spec === METER_11 ? { nwk_key: keys.nwkKey } : {}),
        })
        expect((await rootKeys(stage, spec.id))[0]).toBe(keys.appKey)
        await expectServed(stage, spec.id, 'source')
      }
      // What remembers the last JoinNonce of these keys takes none that is not above it; the source goes on giving some.
      expect(await stage.device('meter-11').join(stage.radio('source'))).toMatchObject({ joined: true })
      for (const record of made) await joins(stage, record, 6)
      await applied(stage, { migrated: 2 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'are on the disk before the target is written, and the same after it refused the device',
    fleet: [METER, VALVE],
    plan: 'policy: { persistSession: true, rootKeys: generate, abp: reprogram }',
    ends: async (stage) => {
      const faults = ['meter-1', 'valve-1'].map((id) => ({
        method: 'PUT',
        path: `/ns/applications/meters/devices/${id}`,
        times: 1,
        do: { status: 400 },
      }))
      await call(stage.target, 'POST', '/simulator/v1/faults', { faults })
      const refused = await applied(stage, { failed: 2 })
      expect(results(refused)).toEqual({ 'meter-1': 'InvalidField', 'valve-1': 'InvalidField' })
      const first = await records(stage)
      expect(first.length).toBe(2)
      expect((await stage.store('target')).identityServer).toEqual({})
      const lines = (await stage.stateText()).split('\n')
      const of = (part: string): number =>
        lines.findIndex((line) => line.includes('meter-1') && line.includes(part))
      expect(of('"credentials"')).toBeGreaterThan(0)
      expect(of('"credentials"')).toBeLessThan(of('"create-identity"'))
      await applied(stage, { waiting: 2 })
      expect(await records(stage)).toEqual(first)
      const [appKey] = await rootKeys(stage, 'meter-1')
      expect(first.find(({ device_id }) => device_id === 'meter-1')?.['app_key']).toBe(appKey)
      const valve = first.find(({ device_id }) => device_id === 'valve-1')
      expect(text(await stage.held('target', 'ns', 'valve-1'), 'session', 'dev_addr')).toBe(
        valve?.['dev_addr'],
      )
    },
  })

  for (const withoutIdentity of [false, true])
    scenario({
      promise: `of a run that was killed are ${withoutIdentity ? 'made anew where no identity is at hand' : 'used by the next'}`,
      fleet: [METER],
      ...(withoutIdentity ? { withoutIdentity: true as const } : {}),
      plan: GENERATE,
      ends: async (stage) => {
        const killed = stage.applyThrough({
          network: (port, side) =>
            side === 'source'
              ? port
              : {
                  ...port,
                  write: async () => {
                    throw new Error('killed')
                  },
                },
        })
        await expect(killed).rejects.toThrow('killed')
        const before = await records(stage)
        expect(before.length).toBe(1)
        expect((await stage.store('target')).identityServer).toEqual({})
        await applied(stage, { waiting: 1 })
        expect((await records(stage)).length).toBe(withoutIdentity ? 2 : 1)
        const [appKey] = await rootKeys(stage, 'meter-1')
        // Whoever asks gets those that the target holds.
        expect((await found(stage)).map(({ rootKeys: keys }) => keys?.appKey.reveal())).toEqual([appKey])
        const record = (await records(stage)).find((each) => each['app_key'] === appKey)
        await joins(stage, record ?? {})
        await applied(stage, { migrated: 1 })
      },
    })

  scenario({
    promise: 'that the target confirms are used without an identity too',
    fleet: [METER],
    withoutIdentity: true,
    plan: GENERATE,
    ends: async (stage) => {
      const killed = stage.applyThrough({
        network: (port, side) =>
          side === 'source'
            ? port
            : {
                ...port,
                write: async (write) => {
                  if (write.registry === 'network-server') throw new Error('killed')
                  await port.write(write)
                },
              },
      })
      await expect(killed).rejects.toThrow('killed')
      const [appKey] = await rootKeys(stage, 'meter-1')
      await applied(stage, { waiting: 1 })
      expect((await rootKeys(stage, 'meter-1'))[0]).toBe(appKey)
      expect((await records(stage)).length).toBe(1)
    },
  })
})

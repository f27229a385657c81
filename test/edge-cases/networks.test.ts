import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { keysOf } from '../support/fleet.ts'
import { METER, VALVE } from '../support/meters.ts'
import { startMigration } from '../support/migration.ts'
import { applied, at, expectServed, type Side, type Stage, scenario } from '../support/scenario.ts'
import { call, storeOf } from '../support/stack-api.ts'

const KEEP = 'policy: { persistSession: true }'

/** The network answers some requests so, as no local network does. */
const answers = (stage: Stage, side: Side, ...faults: readonly object[]): Promise<unknown> =>
  call(stage[side], 'POST', '/simulator/v1/faults', { faults })

const idsOf = (devEui: string): object => ({
  device_id: METER.id,
  application_ids: { application_id: 'meters' },
  dev_eui: devEui,
  join_eui: keysOf(METER).joinEui,
})

/** The meter stays as it is on both networks, and the valve crosses. */
const meterStays = async (stage: Stage, code: string): Promise<void> => {
  const before = (await storeOf(stage.source)).networkServer['meters/meter-1']
  const outcome = await applied(stage, { blocked: 1, waiting: 1 })
  expect(outcome.result.devices.find(({ device }) => device === 'meter-1')?.error?.code).toBe(code)
  const [from, to] = [await storeOf(stage.source), await storeOf(stage.target)]
  expect(from.networkServer['meters/meter-1']).toEqual(before)
  expect(to.identityServer['meters/meter-1']).toBeUndefined()
  expect(to.networkServer['meters/valve-1']).toBeDefined()
}

describe('a source that', () => {
  scenario({
    promise: 'holds a key wrapped: the device stays, and the field is named [edge 21]',
    fleet: [METER, VALVE],
    plan: KEEP,
    before: async (stage) => {
      const wrapped = { encrypted_key: 'QUJD', kek_label: 'old' }
      const body = { ids: idsOf(keysOf(METER).devEui), root_keys: { app_key: wrapped } }
      await answers(stage, 'source', {
        method: 'GET',
        path: '^/js/applications/meters/devices/meter-1',
        do: { status: 200, body },
      })
    },
    ends: (stage) => meterStays(stage, 'WrappedKey'),
  })

  scenario({
    promise: 'knows a device by two DevEUIs: it stays [edge 76]',
    fleet: [METER, VALVE],
    plan: KEEP,
    before: (stage) =>
      answers(stage, 'source', {
        method: 'GET',
        path: '^/as/applications/meters/devices/meter-1',
        do: { status: 200, body: { ids: idsOf('70B3D57ED00FFFFF') } },
      }).then(() => undefined),
    ends: (stage) => meterStays(stage, 'IdsDiffer'),
  })

  scenario({
    promise: 'labels keys and names its own servers: none of it is on the target [edge 22]',
    fleet: [METER],
    plan: KEEP,
    before: async (stage) => {
      const labels = {
        net_id: '000013',
        network_server_kek_label: 'old',
        application_server_kek_label: 'old',
        application_server_id: 'old',
      }
      await call(stage.source, 'PUT', '/js/applications/meters/devices/meter-1', {
        end_device: { ids: idsOf(keysOf(METER).devEui), ...labels },
        field_mask: { paths: Object.keys(labels) },
      })
    },
    ends: async (stage) => {
      expect(await stage.held('source', 'js', 'meter-1')).toMatchObject({ application_server_id: 'old' })
      await applied(stage, { waiting: 1 })
      expect(JSON.stringify(await stage.store('target'))).not.toContain('"old"')
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'leaves payloads encrypted, and keeps the key: the target leaves them encrypted too [edge 24]',
    fleet: [{ ...METER, more: { skip_payload_crypto_override: true } }],
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(await stage.held('target', 'as', 'meter-1')).toMatchObject({
        skip_payload_crypto_override: true,
      })
      expect(at(await stage.held('source', 'ns', 'meter-1'), 'mac_settings', 'schedule_downlinks')).toBe(
        false,
      )
    },
  })
})

describe('a target that', () => {
  scenario({
    promise: 'does not tell its frequency plans and versions: devices cross [edge 101]',
    fleet: [METER],
    plan: KEEP,
    before: (stage) =>
      answers(stage, 'target', {
        path: '^/configuration/(frequency-plans|phy-versions)',
        do: { status: 501 },
      }).then(() => undefined),
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'is older than a field: it is asked without, and devices cross [edge 102]',
    fleet: [METER],
    plan: KEEP,
    before: async (stage) => {
      const detail = {
        namespace: 'pkg/rpcmiddleware/validator',
        name: 'field_mask_paths',
        attributes: { forbidden_paths: ['serial_number'] },
      }
      await answers(stage, 'target', {
        method: 'GET',
        path: '^/applications/meters/devices/meter-1',
        times: 1,
        do: { status: 400, body: { code: 3, message: 'made up', details: [detail] } },
      })
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1')
    },
  })
})

scenario({
  promise: 'a location of V2 is carried in the decimals that it has there, and 0/0 is none [edge 72]',
  fleet: [
    { ...METER, identity: { latitude: 52.37919, longitude: 4.899431, altitude: -2 } },
    { ...VALVE, identity: { latitude: 0, longitude: 0 } },
  ],
  fromV2: true,
  plan: KEEP,
  ends: async (stage) => {
    await applied(stage, { waiting: 2 })
    expect(at(await stage.held('target', 'is', 'meter-1'), 'locations', 'user')).toMatchObject({
      latitude: 52.37919,
      longitude: 4.899431,
      altitude: -2,
    })
    expect((await stage.held('target', 'is', 'valve-1')) ?? {}).not.toHaveProperty('locations')
    expect(await stage.held('target', 'ns', 'valve-1')).toBeDefined()
  },
})

it('a plan from a public cluster of Stack V2 is refused before a network is asked [edge 92]', async () => {
  const migration = await startMigration({ fromV2: true })
  try {
    await migration.writePlan(KEEP)
    const text = await migration.planText()
    const gone = text
      .replace(`url: "${new URL(migration.source.url).origin}"`, 'url: "https://eu.thethings.network"')
      .replace(', insecure: true }', ' }')
    await writeFile(`${migration.folder}/fleet.yaml`, gone)
    await expect(migration.apply()).rejects.toThrow('V2ClusterGone')
    const log = (await call(migration.target, 'GET', '/simulator/v1/requests'))['requests'] as readonly {
      readonly path: string
    }[]
    expect(log.filter(({ path }) => path.includes('/devices'))).toEqual([])
  } finally {
    await migration.close()
  }
})

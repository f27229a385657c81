import { expect, it } from 'vitest'
import { FerryError, NetworkError } from '../../src/index.ts'
import { METER, VALVE } from '../support/meters.ts'
import { applied, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const KEEP = 'policy: { persistSession: true }'

scenario({
  promise: 'a key that is refused in mid-run ends it at once, once told, and a later run goes on [edge 81]',
  fleet: [METER, VALVE, ...[11, 12, 13].map((number) => ({ ...METER, id: `meter-${number}`, number }))],
  plan: `${KEEP}\nrollout: { maxConcurrency: 1 }`,
  ends: async (stage) => {
    await call(stage.target, 'POST', '/simulator/v1/faults', {
      faults: [{ method: 'PUT', path: '^/ns/', nth: 2, times: 1_000, when: 'before', do: { status: 401 } }],
    })
    await expect(stage.apply()).rejects.toSatisfy(
      (error) =>
        (error instanceof FerryError && error.kind === 'credentials') ||
        (error instanceof NetworkError && error.refusesCredentials),
    )
    expect(stage.events.filter(({ event }) => event === 'step.failed').length).toBeLessThanOrEqual(1)
    await stage.promisesHold()
    await call(stage.target, 'DELETE', '/simulator/v1/faults')
    await applied(stage, { waiting: 5 })
  },
})

scenario({
  promise: 'an id that the source does not know is told, and the others cross [edge 98]',
  fleet: [METER, VALVE],
  plan: `${KEEP}\ndevices: { include: [{ ids: [meter-1, nobody] }] }`,
  ends: async (stage, { findings }) => {
    expect(findings).toMatchObject([{ code: 'UnknownDevice', subject: { device: 'nobody' } }])
    await applied(stage, { waiting: 1 })
    expect(await stage.held('target', 'ns', 'valve-1')).toBeUndefined()
  },
})

it('10 001 devices against an empty application are listed, and asked for no more [edge 99]', async () => {
  const { startMigration } = await import('../support/migration.ts')
  const { writeFile } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const migration = await startMigration({ fromFile: { path: 'devices.json', isPartial: true } })
  try {
    await migration.writePlan('policy: { persistSession: false }')
    const lines = Array.from({ length: 10_001 }, (_, index) =>
      JSON.stringify({
        ids: {
          device_id: `meter-${index}`,
          dev_eui: `70B3D57E${index.toString(16).toUpperCase().padStart(8, '0')}`,
          join_eui: '70B3D57ED0000000',
        },
        lorawan_version: 'MAC_V1_0_3',
        lorawan_phy_version: 'PHY_V1_0_3_REV_A',
        frequency_plan_id: 'EU_863_870_TTN',
        supports_join: true,
        root_keys: { app_key: { key: 'AB'.repeat(16) } },
      }),
    )
    await writeFile(join(migration.folder, 'devices.json'), lines.join('\n'))
    const { changeSet } = await migration.plan()
    expect(changeSet.devices.filter(({ action }) => action === 'create')).toHaveLength(10_001)
    const log = (await call(migration.target, 'GET', '/simulator/v1/requests'))['requests'] as unknown[]
    expect(log.length).toBeLessThan(100)
  } finally {
    await migration.close()
  }
})

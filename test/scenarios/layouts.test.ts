import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../../src/cli/exit-codes.ts'
import type { FerryError } from '../../src/index.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { startMigration } from '../support/migration.ts'
import { applied, expectNoJoin, expectServed, scenario } from '../support/scenario.ts'
import { call, storeOf } from '../support/stack-api.ts'

const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5 }
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 50,
  nFCntDown: 3,
  macSettings: { rx1_delay: 1 },
}
const JOINING: DeviceSpec = { ...METER, id: 'meter-2', number: 3 }

describe('a target whose Identity Server is on a host of its own', () => {
  scenario({
    promise: 'gets devices with their sessions and such that join anew, and their source is deleted',
    fleet: [METER, VALVE, JOINING],
    simulator: { split: true },
    plan: `policy: { persistSession: true, deleteSource: after-heard }
verify: { retireAfter: 0s }
devices: { include: [{ all: true }], overrides: [{ ids: [meter-2], policy: { persistSession: false } }] }`,
    ends: async (stage) => {
      expect(await stage.planText()).toContain('servers: { identity:')
      await applied(stage, { waiting: 3 })
      expect(await stage.device('meter-2').join(stage.air)).toMatchObject({ joined: true })
      for (const id of ['meter-1', 'valve-1', 'meter-2']) await expectServed(stage, id)
      await applied(stage, { migrated: 3 })
      for (const registry of ['is', 'js', 'ns', 'as'] as const)
        expect(await stage.held('source', registry, 'meter-1')).toBeUndefined()
      await expectNoJoin(stage, 'meter-1')
      await expectServed(stage, 'meter-1')
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

describe('a source without a Join Server, which its devices have elsewhere', () => {
  scenario({
    promise: 'is asked for none; sessions go on, and the target has no root keys of them either [edge 96]',
    fleet: [{ ...METER, without: ['js'] }, VALVE],
    simulator: { without: { source: ['js'] } },
    joinElsewhere: true,
    plan: `policy: { persistSession: true, deleteSource: after-heard }
verify: { retireAfter: 0s }`,
    ends: async (stage, planned) => {
      const findings = planned.devices.find(({ device }) => device === 'meter-1')?.findings ?? []
      expect(findings.map(({ code }) => code)).toContain('ExternalJoinServer')
      const { audit } = await stage.audit()
      expect(audit.findings, 'nothing is held in part').toEqual([])
      await applied(stage, { waiting: 2 })
      for (const id of ['meter-1', 'valve-1']) await expectServed(stage, id)
      await applied(stage, { migrated: 2 })
      expect(await stage.held('target', 'js', 'meter-1')).toBeUndefined()
      expect((await storeOf(stage.source)).networkServer).toEqual({})
      const { requests } = (await call(stage.source, 'GET', '/simulator/v1/requests')) as {
        readonly requests: readonly { readonly path: string }[]
      }
      expect(requests.filter(({ path }) => path.startsWith('/js/'))).toEqual([])
    },
  })
})

describe('a registry that a host does not serve', () => {
  const REGISTRIES = [
    ['js', 'Join Server'],
    ['ns', 'Network Server'],
    ['as', 'Application Server'],
  ] as const
  for (const side of ['source', 'target'] as const)
    for (const [registry, name] of REGISTRIES)
      it(`is told with the host before anything is read or written: the ${name} of the ${side}`, async () => {
        const migration = await startMigration({ simulator: { without: { [side]: [registry] } } })
        try {
          await register(migration.source, side === 'source' ? { ...METER, without: [registry] } : METER)
          await migration.writePlan('policy: { persistSession: true }')
          const refused = expect.objectContaining({ code: 'RegistryNotServed', kind: 'plan-invalid' })
          await expect(migration.plan()).rejects.toEqual(refused)
          const failure = await migration.apply().catch((error: unknown) => error)
          expect(failure).toEqual(refused)
          const { message } = failure as FerryError
          expect(message).toContain(new URL(migration[side].url).host)
          expect(message).toContain(name)
          expect(exitCodeOf((failure as FerryError).kind)).toBe(3)
          expect((await storeOf(migration.target)).identityServer).toEqual({})
        } finally {
          await migration.close()
        }
      })
})

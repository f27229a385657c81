import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { auditNetworks } from '../../src/engine/audit/audit.ts'
import {
  type Audit,
  type AuditFinding,
  loadPlan,
  NetworkError,
  type Registry,
  Secret,
} from '../../src/index.ts'
import { createThingsStack } from '../../src/networks/things-stack/index.ts'
import { intentFor } from '../../src/plan/select-devices.ts'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { type Migration, startMigration } from '../support/migration.ts'
import { applied, otherApplication, remove, type Side } from '../support/scenario.ts'
import { call, storeOf } from '../support/stack-api.ts'

const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5 }
const VALVE: DeviceSpec = { id: 'valve-1', number: 2, mode: 'abp', fCntUp: 50, nFCntDown: 5 }
const PLAN = 'policy: { persistSession: true }'

type Part = 'js' | 'ns' | 'as'
const PARTS: readonly Part[] = ['js', 'ns', 'as']
const NAMES: Readonly<Record<Part | 'is', Registry>> = {
  is: 'identity-server',
  js: 'join-server',
  ns: 'network-server',
  as: 'application-server',
}

interface Given {
  readonly source?: readonly DeviceSpec[]
  readonly target?: readonly DeviceSpec[]
  /** The key of the target is that of a person, who sees all applications. */
  readonly seesAll?: true
  readonly plan?: string
  readonly before?: (migration: Migration) => Promise<void>
}

/** Audits two networks, and holds that it wrote to neither. */
const audited = async (given: Given): Promise<Audit> => {
  const migration = await startMigration({ seesAll: given.seesAll === true })
  try {
    for (const side of ['source', 'target'] as const)
      for (const spec of given[side] ?? []) await register(migration[side], spec)
    await migration.writePlan(given.plan ?? PLAN)
    await given.before?.(migration)
    const stores = () => Promise.all([storeOf(migration.source), storeOf(migration.target)])
    const before = await stores()
    const { audit } = await migration.audit()
    expect(await stores()).toEqual(before)
    return audit
  } finally {
    await migration.close()
  }
}

/** `kind code side device` of each finding. */
const told = ({ findings }: Audit): readonly string[] =>
  findings.map(({ kind, code, side, device }) => `${kind} ${code} ${side} ${device}`)

const only = (audit: Audit): AuditFinding => {
  expect(audit.findings).toHaveLength(1)
  return audit.findings[0] as AuditFinding
}

const orphan =
  (side: Side, id: string, ...parts: readonly Part[]) =>
  async (migration: Migration): Promise<void> =>
    remove(migration, side, id, [
      '',
      ...PARTS.filter((part) => !parts.includes(part)).map((part) => `/${part}`),
    ])

describe('a fleet that is registered in whole', () => {
  test('gives no finding, on either side', async () => {
    const audit = await audited({
      source: [METER, VALVE, { id: 'meter-3', number: 3, mode: 'otaa' }],
      target: [{ ...METER, id: 'theirs', number: 9 }],
    })
    expect(told(audit)).toEqual([])
    expect(audit.devices.map((row) => [row.device, row.source?.status, row.onTarget.status])).toEqual([
      ['meter-1', 'complete', 'absent'],
      ['meter-3', 'complete', 'absent'],
      ['valve-1', 'complete', 'absent'],
      [undefined, undefined, 'complete'],
    ])
  })

  test('needs no record in its Join Server where that is of another operator [edge 23]', async () => {
    const identity = { join_server_address: 'join.example' }
    expect(told(await audited({ source: [{ ...METER, without: ['js'], identity }] }))).toEqual([])
  })

  test('gives none after a migration either', async () => {
    const migration = await startMigration()
    try {
      await register(migration.source, METER)
      await migration.writePlan(PLAN)
      await applied(migration, { waiting: 1 })
      expect(told((await migration.audit()).audit)).toEqual([])
    } finally {
      await migration.close()
    }
  })
})

describe('half-registered devices', () => {
  it.each([
    [['as'], 'policy.adopt: partial and policy.persistSession: false in an override'],
    [
      ['ns'],
      'policy.adopt: partial, set.frequencyPlan, set.lorawanVersion and set.lorawanPhyVersion in an override',
    ],
    [['js'], 'PUT /api/v3/js/applications/meters/devices/ID'],
    [['js', 'ns', 'as'], 'ttn-lw-cli end-devices delete meters ID'],
  ] as const)('of the source that lack %j are told with their repair', async (without, fix) => {
    const audit = await audited({ source: [METER, { ...METER, id: 'half-1', number: 4, without }] })
    expect(told(audit)).toEqual(['half-registered HalfRegistered source half-1'])
    expect(only(audit).fix).toContain(fix)
    const row = audit.devices.find(({ device }) => device === 'half-1')
    expect([...(row?.source?.missing ?? [])].sort()).toEqual(without.map((part) => NAMES[part]).sort())
  })

  test('of the source that the plan leaves out are told, and that they stay', async () => {
    const plan = `${PLAN}\ndevices: { include: [{ ids: [meter-1] }] }`
    const audit = await audited({
      source: [METER, { ...METER, id: 'half-1', number: 4, without: ['as'] }],
      plan,
    })
    expect(only(audit)).toMatchObject({ device: 'half-1', means: expect.stringContaining('leaves it out') })
  })

  test('of the target that the plan wants are told with adopt, others are not in the way', async () => {
    const without = ['ns', 'as'] as const
    const audit = await audited({
      source: [METER],
      target: [
        { ...METER, without },
        { ...METER, id: 'theirs', number: 9, without },
      ],
    })
    expect(told(audit)).toEqual([
      'half-registered HalfRegistered target meter-1',
      'half-registered HalfRegistered target theirs',
    ])
    expect(audit.findings.map(({ fix }) => fix.includes('policy.adopt: partial'))).toEqual([true, false])
  })

  test('of the target with other EUIs than the plan moves are never to be adopted', async () => {
    const audit = await audited({ source: [METER], target: [{ ...METER, number: 9, without: ['as'] }] })
    expect(only(audit).fix).toContain('set.deviceId')
  })
})

describe('orphans', () => {
  test('on the source are found where the plan names them', async () => {
    const audit = await audited({
      source: [METER, { ...METER, id: 'lost-1', number: 4 }],
      plan: `${PLAN}\ndevices: { include: [{ ids: [meter-1, lost-1] }] }`,
      before: orphan('source', 'lost-1', 'js', 'ns'),
    })
    expect(told(audit)).toEqual(['orphan OrphanedRecord source lost-1'])
    expect(only(audit).fix).toContain(
      'DELETE /api/v3/ns/applications/meters/devices/ID, then DELETE /api/v3/js/applications/meters/devices/ID',
    )
  })

  test('on the target are found by the ids of the source, though nothing lists them [edge 75]', async () => {
    const audit = await audited({
      source: [METER],
      target: [METER],
      before: orphan('target', 'meter-1', 'js'),
    })
    expect(told(audit)).toEqual(['orphan OrphanedRecord target meter-1'])
    expect(audit.devices[0]?.onTarget).toMatchObject({ status: 'orphan', held: ['join-server'] })
  })

  test('on the target are found under the id of a device that the plan renames, and under the new one', async () => {
    const audit = await audited({
      source: [METER],
      target: [METER, { ...METER, id: 'meter-007', number: 9 }],
      plan: `${PLAN}\ndevices: { include: [{ all: true }], overrides: [{ ids: [meter-1], set: { deviceId: meter-007 } }] }`,
      before: async (migration) => {
        await orphan('target', 'meter-1', 'js')(migration)
        await orphan('target', 'meter-007', 'as')(migration)
      },
    })
    expect(told(audit)).toEqual([
      'orphan OrphanedRecord target meter-007',
      'orphan OrphanedRecord target meter-1',
      'euis-taken EuisTaken target meter-1',
    ])
    expect(audit.findings[2]?.fix).toContain('DELETE /api/v3/js/applications/meters/devices/HOLDER')
  })
})

describe('contradictions', () => {
  it.each(['source', 'target'] as const)('registries of the %s with other EUIs', async (side) => {
    const audit = await audited({
      source: [METER],
      target: side === 'target' ? [METER] : [],
      before: async (migration) => {
        await remove(migration, side, 'meter-1', [''])
        await register(migration[side], { ...METER, number: 7, without: PARTS })
      },
    })
    expect(told(audit)).toContain(`ids-differ IdsDiffer ${side} meter-1`)
  })

  it.each(['source', 'target'] as const)('sessions of the %s that differ', async (side) => {
    const audit = await audited({
      source: [METER],
      target: side === 'target' ? [METER] : [],
      before: async (migration) => {
        const { appSKey, devEui, joinEui } = keysOf(METER)
        await call(migration[side], 'PUT', '/as/applications/meters/devices/meter-1', {
          end_device: {
            ids: { device_id: 'meter-1', dev_eui: devEui, join_eui: joinEui },
            session: {
              dev_addr: '27000FFF',
              keys: { session_key_id: 'bWFkZS11cA==', app_s_key: { key: appSKey } },
            },
          },
          field_mask: {
            paths: ['session.dev_addr', 'session.keys.session_key_id', 'session.keys.app_s_key.key'],
          },
        })
      },
    })
    expect(told(audit)).toEqual([`session SessionsDiffer ${side} meter-1`])
  })
})

describe('EUIs that are held twice', () => {
  test('two ids of one application, of which the Identity Server lists one', async () => {
    const audit = await audited({
      source: [METER],
      target: [{ ...METER, id: 'old-1' }],
      plan: `${PLAN}\ndevices: { include: [{ all: true }, { ids: [old-1] }] }`,
      before: async (migration) => {
        await orphan('target', 'old-1', 'js')(migration)
        await register(migration.target, { ...METER, without: ['js'] })
      },
    })
    expect(told(audit)).toEqual([
      'orphan OrphanedRecord target old-1',
      'half-registered HalfRegistered target meter-1',
      'eui-twin EuiTwins target meter-1',
      'eui-twin EuiTwins target old-1',
    ])
  })

  test('another id of the target', async () => {
    const audit = await audited({ source: [METER], target: [{ ...METER, id: 'theirs' }] })
    expect(told(audit)).toEqual(['euis-taken EuisTaken target meter-1'])
    expect(only(audit)).toMatchObject({ message: "the target's theirs has the EUIs of meter-1" })
  })

  test('another application of the target, where the key may look', async () => {
    const before = async (migration: Migration): Promise<void> =>
      register(await otherApplication(migration.target, 'others'), { ...METER, id: 'theirs' })
    const audit = await audited({ source: [METER], seesAll: true, before })
    expect(only(audit)).toMatchObject({
      code: 'EuisTaken',
      message: "the target's others/theirs has the EUIs of meter-1",
      fix: expect.stringContaining('ttn-lw-cli end-devices delete others HOLDER'),
    })
    expect(told(await audited({ source: [METER], before }))).toEqual([])
  })
})

test('a device is no stranger to itself where source and target are applications of one network', async () => {
  const migration = await startMigration()
  const { target } = migration
  const portOf = (application: string) =>
    createThingsStack({
      end: {
        network: 'things-stack',
        url: target.url,
        servers: {},
        application,
        apiKey: { env: 'TARGET_API_KEY' },
        insecure: true,
      },
      apiKey: new Secret(target.apiKey),
      maxConcurrency: 8,
      env: {},
    })
  const ports = [portOf(target.application), portOf('others')] as const
  try {
    await register(target, METER)
    await otherApplication(target, 'others')
    const loaded = await loadPlan(await migration.writePlan(PLAN))
    if (!loaded.ok) throw new Error('the plan is not valid')
    const audit = await auditNetworks({
      loaded: loaded.value,
      source: ports[0],
      target: ports[1],
      joinHosts: { source: ['127.0.0.1'], target: ['127.0.0.1'] },
      select: (device) => intentFor(loaded.value.plan, device),
      progress: new Map(),
      emit: () => undefined,
    })
    expect(told(audit)).toEqual([])
  } finally {
    await Promise.all(ports.map((port) => port.close()))
    await migration.close()
  }
})

describe('devices that are nowhere', () => {
  test('named by the plan', async () => {
    const audit = await audited({
      source: [METER],
      plan: `${PLAN}\ndevices: { include: [{ ids: [meter-1, nobody-1] }] }`,
    })
    expect(told(audit)).toEqual(['absent UnknownDevice source nobody-1'])
  })

  test('known to the state: the escrow alone holds it', async () => {
    const audit = await audited({
      source: [METER],
      before: async (migration) => {
        await applied(migration, { waiting: 1 })
        for (const side of ['source', 'target'] as const) await remove(migration, side, 'meter-1')
      },
    })
    expect(told(audit)).toEqual(['absent VanishedFromTarget target meter-1'])
    expect(only(audit).fix).toContain('ferry escrow restore')
  })

  test('a part of what crossed was deleted on the target: it is not adopted, but given back from the escrow', async () => {
    const audit = await audited({
      source: [METER],
      before: async (migration) => {
        await applied(migration, { waiting: 1 })
        await remove(migration, 'target', 'meter-1', ['/as'])
      },
    })
    expect(told(audit)).toEqual(['half-registered HalfRegistered target meter-1'])
    expect(only(audit).fix).toContain('ferry escrow restore')
  })
})

describe('a device that can not be read', () => {
  const refuse = (status: number) => async (migration: Migration) => {
    await call(migration.source, 'POST', '/simulator/v1/faults', {
      faults: [
        { registry: 'ns', method: 'GET', path: '/devices/meter-1(?![0-9])', times: 1000, do: { status } },
      ],
    })
  }

  test('is a finding, and the others are read', async () => {
    const audit = await audited({
      source: [METER, { ...METER, id: 'half-1', number: 4, without: ['as'] }],
      before: refuse(400),
    })
    expect(audit.findings.map(({ kind, device }) => `${kind} ${device}`)).toEqual([
      'half-registered half-1',
      'unreadable meter-1',
    ])
  })

  test('for a credential that is refused ends the run', async () => {
    const run = audited({ source: [METER], before: refuse(403) })
    await expect(run).rejects.toSatisfy((error) => error instanceof NetworkError && error.refusesCredentials)
  })
})

test('random subsets of registries are told for what they are, on both sides', async () => {
  const subset = fc.uniqueArray(fc.constantFrom('is' as const, ...PARTS), { maxLength: 4 })
  const pair = fc.record({
    mode: fc.constantFrom('otaa' as const, 'abp' as const),
    source: subset,
    target: subset,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 12 }), async (devices) => {
      const specs = devices.map(({ mode }, index): DeviceSpec => {
        const id = `device-${index + 1}`
        return { id, number: index + 1, mode, fCntUp: 7 }
      })
      const cut = async (migration: Migration, side: Side): Promise<void> => {
        for (const [index, spec] of specs.entries()) {
          const held = devices[index]?.[side] ?? []
          await register(migration[side], { ...spec, without: PARTS.filter((part) => !held.includes(part)) })
          if (!held.includes('is')) await remove(migration, side, spec.id, [''])
        }
      }
      const audit = await audited({
        plan: `${PLAN}\ndevices: { include: [{ ids: ${JSON.stringify(specs.map(({ id }) => id))} }] }`,
        before: async (migration) => {
          await cut(migration, 'source')
          await cut(migration, 'target')
        },
      })
      for (const [index, spec] of specs.entries()) {
        const row = audit.devices.find(({ device }) => device === spec.id)
        for (const side of ['source', 'target'] as const) {
          const given = (devices[index]?.[side] ?? []).filter((part) => part !== 'js' || spec.mode === 'otaa')
          const found = side === 'source' ? row?.source : row?.onTarget
          expect([...(found?.held ?? [])].sort()).toEqual(given.map((part) => NAMES[part]).sort())
          expect(found?.status).toBe(statusOf(given, spec.mode))
        }
      }
    }),
    { numRuns: 12 },
  )
})

const statusOf = (held: readonly (Part | 'is')[], mode: DeviceSpec['mode']): string => {
  if (held.length === 0) return 'absent'
  if (!held.includes('is')) return 'orphan'
  return held.length === (mode === 'otaa' ? 4 : 3) ? 'complete' : 'half-registered'
}

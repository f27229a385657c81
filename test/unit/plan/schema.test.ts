import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { FORBIDDABLE, type Limits } from '../../../src/domain/house-rules.ts'
import type {
  DeviceSettings,
  HttpPlace,
  HttpState,
  MigrationPlan,
  Policy,
  Rejoin,
  Selector,
  ServerUrls,
  ThingsStackEnd,
} from '../../../src/domain/migration-plan.ts'
import { FILE_COLUMNS } from '../../../src/domain/migration-plan.ts'
import { PLAN_CODES } from '../../../src/plan/codes.ts'
import { CELLS, RULES } from '../../../src/plan/rules.ts'
import { planSchema, resolved, type SchemaNode, schemaAt, schemaFields } from '../../../src/plan/schema.ts'
import { fieldReference } from './field-reference.ts'

const name = (path: readonly string[]): string => path.join('.')
const fields = schemaFields().map((field) => [name(field.path), field] as const)

const objects = (node: SchemaNode, path = ''): readonly (readonly [string, SchemaNode])[] => {
  const children = [
    ...Object.entries(node.properties ?? {}).map(([key, child]) => [`${path}.${key}`, child] as const),
    ...(node.items === undefined ? [] : [[`${path}[]`, node.items] as const]),
  ]
  const own = node.properties === undefined ? [] : [[path, node] as const]
  return [...own, ...children.flatMap(([at, child]) => objects(resolved(child), at))]
}

describe('the schema of plans', () => {
  it('is draft-07, and strict', () => {
    expect(planSchema()).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' })
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, validateSchema: true })
    ajv.addVocabulary(['patternErrorMessage'])
    expect(() => ajv.compile(planSchema())).not.toThrow()
  })

  it.each(objects(planSchema()))('%s takes no unknown field', (_, node) => {
    expect(node.additionalProperties).toBe(false)
  })

  it.each(fields)('%s says what it is, with an example that fits', (_, { path, schema }) => {
    expect(schema.title, 'title').toMatch(/\S/)
    expect(schema.description, 'description').toMatch(/\.$/)
    expect(schema.examples?.length, 'examples').toBeGreaterThan(0)
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, logger: false })
    ajv.addVocabulary(['patternErrorMessage'])
    const { definitions } = planSchema()
    const validate = ajv.compile({ ...schema, definitions })
    for (const example of schema.examples ?? []) expect(validate(example), JSON.stringify(example)).toBe(true)
    if (schema.default !== undefined) expect(validate(schema.default), 'default').toBe(true)
    expect(path.length).toBeGreaterThan(0)
  })

  it.each(fields.filter(([, { required }]) => !required))(
    '%s has a default, or says what holds without it',
    (_, { schema }) => {
      if (schema.default === undefined) expect(schema.description).toContain('Left out:')
    },
  )

  it.each(fields.filter(([, { required }]) => required))(
    '%s is required and has no default',
    (_, { schema }) => {
      expect(schema.default).toBeUndefined()
    },
  )
})

/** The names of a type, complete by the compiler. */
type Names<T> = Readonly<Record<keyof T, true>>
const POLICY: Names<Policy> = {
  persistSession: true,
  resetFrameCounters: true,
  rx1Delay: true,
  deleteSource: true,
  handover: true,
  preventRejoin: true,
  rejoin: true,
  rootKeys: true,
  abp: true,
  queuedDownlinks: true,
  mutedSource: true,
  downlinkCounterMargin: true,
  adopt: true,
}
const SETTINGS: Names<DeviceSettings> = {
  deviceId: true,
  devEui: true,
  joinEui: true,
  name: true,
  description: true,
  attributes: true,
  frequencyPlan: true,
  lorawanVersion: true,
  lorawanPhyVersion: true,
  obeysRxTimingSetup: true,
}
const REJOIN: Names<Extract<Rejoin, { readonly trigger: 'source-downlink' }>> = {
  trigger: true,
  fPort: true,
  payload: true,
  confirmed: true,
}
const SELECTOR: Names<Selector> = { all: true, ids: true, idsFile: true, match: true, attributes: true }
/** `joinServer` is what `servers.join: none` becomes. */
const END: Names<Omit<ThingsStackEnd, 'joinServer'>> = {
  network: true,
  url: true,
  servers: true,
  application: true,
  apiKey: true,
  caFile: true,
  insecure: true,
}
const SERVERS: Names<ServerUrls> = { identity: true, join: true, network: true, application: true }
const PLAN: Names<Omit<MigrationPlan, 'name'>> = {
  source: true,
  target: true,
  devices: true,
  policy: true,
  application: true,
  gateways: true,
  coverage: true,
  rollout: true,
  verify: true,
  escrow: true,
  state: true,
  digestKey: true,
  forbid: true,
  limits: true,
}
const LIMITS: Names<Limits> = { devices: true, deletes: true }
const ROLLOUT: Names<MigrationPlan['rollout']> = {
  maxConcurrency: true,
  canary: true,
  maxFailures: true,
  waves: true,
  minHeard: true,
  window: true,
}
const VERIFY: Names<MigrationPlan['verify']> = {
  heardWithin: true,
  expectedInterval: true,
  retireAfter: true,
}
const ESCROW: Names<MigrationPlan['escrow']> = {
  recipients: true,
  path: true,
  durable: true,
  http: true,
}
const STATE: Names<MigrationPlan['state']> = { file: true, http: true }
const PLACE: Names<HttpPlace> = {
  address: true,
  username: true,
  password: true,
  caFile: true,
  insecure: true,
}
const HTTP_STATE: Names<HttpState> = {
  ...PLACE,
  lockAddress: true,
  unlockAddress: true,
  updateMethod: true,
  lockMethod: true,
  unlockMethod: true,
}

describe('schema and types have the same fields', () => {
  it('and the same names of what can be forbidden', () => {
    expect(schemaAt(['forbid', 0])?.enum).toEqual(FORBIDDABLE)
  })

  it.each([
    ['', ['apiVersion', 'kind', 'metadata', ...Object.keys(PLAN)]],
    ['limits', Object.keys(LIMITS)],
    ['state', Object.keys(STATE)],
    ['state.http', Object.keys(HTTP_STATE)],
    ['escrow.http', Object.keys(PLACE)],
    [
      'source',
      [
        ...Object.keys(END),
        ...['accessKey', 'discovery', 'defaults', 'payloadFunctions'],
        ...['path', 'format', 'columns'],
      ],
    ],
    ['source.columns', [...FILE_COLUMNS, 'attributes']],
    ['target', Object.keys(END)],
    ['source.servers', Object.keys(SERVERS)],
    ['devices', ['include', 'exclude', 'overrides']],
    ['devices.include.0', Object.keys(SELECTOR)],
    ['devices.exclude.0', Object.keys(SELECTOR)],
    ['devices.overrides.0', [...Object.keys(SELECTOR), 'policy', 'set']],
    ['devices.overrides.0.policy', Object.keys(POLICY)],
    ['policy.rejoin', Object.keys(REJOIN)],
    ['devices.overrides.0.policy.rejoin', Object.keys(REJOIN)],
    ['devices.overrides.0.set', Object.keys(SETTINGS)],
    ['policy', Object.keys(POLICY)],
    ['coverage', ['gateways']],
    ['rollout', Object.keys(ROLLOUT)],
    ['verify', Object.keys(VERIFY)],
    ['escrow', Object.keys(ESCROW)],
  ])('%s', (path, names) => {
    const steps = path === '' ? [] : path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step))
    expect(Object.keys(schemaAt(steps)?.properties ?? {}).toSorted()).toEqual([...names].toSorted())
  })
})

const sources = readdirSync(new URL('../../../src/plan/', import.meta.url))
  .filter((file) => file.endsWith('.ts') && file !== 'codes.ts')
  .map((file) => readFileSync(new URL(`../../../src/plan/${file}`, import.meta.url), 'utf8'))
const tests = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.test.ts') && file !== 'schema.test.ts')
  .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))

describe('codes', () => {
  it.each(Object.keys(PLAN_CODES))('%s is given somewhere, and tested', (code) => {
    expect(sources.some((text) => text.includes(`'${code}'`))).toBe(true)
    expect(tests.some((text) => text.includes(`'${code}'`))).toBe(true)
  })

  it('all are listed', () => {
    const given = sources.flatMap((text) =>
      [...text.matchAll(/(?:code: |refuse\(|\[|\? |: )'([A-Z][a-z]+(?:[A-Z][a-z0-9]*)+)'/g)].map(
        ([, code = '']) => code,
      ),
    )
    const notCodes = ['MigrationPlan', 'OrganisationPolicy']
    expect(given.filter((code) => !(code in PLAN_CODES) && !notCodes.includes(code))).toEqual([])
    expect(RULES.flatMap(({ codes }) => codes).filter((code) => !(code in PLAN_CODES))).toEqual([])
  })
})

describe('rules', () => {
  it('encode every cell that a plan can tell', () => {
    const encoded = new Set(RULES.map(({ cell }) => cell))
    const cells = Object.entries(CELLS).filter(([, { by }]) => by === 'plan')
    for (const [cell] of cells) expect(encoded, cell).toContain(cell)
    expect(RULES.every(({ cell }) => cell === undefined || cell in CELLS)).toBe(true)
  })
})

it('docs/plan.md tells of every field (update it with vitest -u)', async () => {
  await expect(fieldReference()).toMatchFileSnapshot('../../../docs/plan.md')
})

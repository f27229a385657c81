import fc from 'fast-check'
import type { Digest } from '../../../src/domain/identifiers.ts'
import type { Fact, JournalRecord } from '../../../src/domain/journal.ts'
import { ROUTES, SILENCE_REASONS, STEPS } from '../../../src/domain/journal.ts'

const at = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000).toISOString())
const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((values) => values.map((value) => value.toString(16)).join(''))
const digest = hex(64).map((text) => `sha256:${text}` as Digest)
const eui = hex(16).map((text) => text.toUpperCase())
const devAddr = hex(8).map((text) => text.toUpperCase())
const device = fc.integer({ min: 1, max: 4 }).map((n) => `meter-${n}`)
const run = fc.integer({ min: 1, max: 5 }).map((n) => `run-${n}`)
const sentence = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
const counter = fc.nat(70_000)
const registry = fc.constantFrom(
  'identity-server' as const,
  'join-server' as const,
  'application-server' as const,
  'network-server' as const,
)
const error = fc.record(
  { code: fc.constant('DeviceRefused'), message: sentence, hint: sentence },
  { requiredKeys: ['code', 'message'] },
)

const facts: { readonly [N in Fact['name']]: fc.Arbitrary<Extract<Fact, { readonly name: N }>> } = {
  escrow: fc.record({
    name: fc.constant('escrow'),
    stage: fc.constantFrom('A', 'B', 'T'),
    file: hex(8).map((random) => `A-000001-${random}.age`),
    line: fc.nat(255),
  }),
  'source-scheduling': fc.record({
    name: fc.constant('source-scheduling'),
    value: fc.constantFrom(true, false, null),
  }),
  'source-started': fc.constant({ name: 'source-started' }),
  restored: fc.record({ name: fc.constant('restored'), at }),
  'source-keys': fc.record({
    name: fc.constant('source-keys'),
    session: fc.option(hex(16)),
    rootKeys: fc.option(hex(16)),
  }),
  baseline: fc.record({
    name: fc.constant('baseline'),
    lastFCntUp: counter,
    devAddr: fc.option(devAddr),
    sourceDevAddr: fc.option(devAddr),
    heardBy: fc.array(fc.record({ id: fc.constantFrom('roof-1', 'roof-2'), eui }), { maxLength: 5 }),
  }),
  silent: fc.record({
    name: fc.constant('silent'),
    at,
    reasons: fc.uniqueArray(fc.constantFrom(...SILENCE_REASONS)),
  }),
  heard: fc.record({ name: fc.constant('heard'), at, devAddr, lastFCntUp: counter }),
  applied: fc.record({
    name: fc.constant('applied'),
    settings: fc.dictionary(
      fc.constantFrom('network-server mac_settings.rx1_delay', 'identity-server name'),
      hex(16),
    ),
  }),
  credentials: fc.record({
    name: fc.constant('credentials'),
    file: hex(8).map((random) => `new-000003-${random}.jsonl.age`),
    line: fc.nat(255),
    rootKeys: fc.option(hex(16)),
    session: fc.option(hex(16)),
  }),
  'source-counters': fc.record({
    name: fc.constant('source-counters'),
    lastAFCntDown: counter,
    lastNFCntDown: counter,
  }),
  'copied-downlinks': fc.record({ name: fc.constant('copied-downlinks'), count: fc.nat(100) }),
  'rollback-begun': fc.record({ name: fc.constant('rollback-begun'), at }),
  'reset-heard': fc.record({ name: fc.constant('reset-heard'), at }),
  'import-refused': fc.record({
    name: fc.constant('import-refused'),
    at,
    error,
  }),
  deferred: fc.record({
    name: fc.constant('deferred'),
    at,
    code: fc.constant('SourceIsJoining'),
    message: sentence,
  }),
}

/** Every kind of record, each with every field that it may have. */
export const recordKinds: {
  readonly [T in JournalRecord['t']]: fc.Arbitrary<Extract<JournalRecord, { readonly t: T }>>
} = {
  open: fc.record({
    t: fc.constant('open'),
    run,
    at,
    command: fc.constant('ferry apply'),
    plan: digest,
    changeSet: digest,
    tool: fc.constant('lorawan-ferry 0.1.0'),
  }),
  begin: fc.record(
    {
      t: fc.constant('begin'),
      device,
      at,
      target: device,
      devEui: eui,
      joinEui: eui,
      route: fc.constantFrom(...ROUTES),
      handover: fc.constant('delete-first'),
      becomes: fc.record({ devEui: eui, joinEui: eui }, { requiredKeys: [] }),
      adopts: fc.uniqueArray(registry),
      because: sentence,
      wave: fc.constantFrom('canary', 'wave 1', 'rest'),
    },
    { requiredKeys: ['t', 'device', 'at', 'target', 'route'] },
  ),
  intent: fc.record({
    t: fc.constant('intent'),
    device,
    step: fc.constantFrom(...STEPS),
    side: fc.constantFrom('source', 'target'),
    registry,
    verb: fc.constantFrom('create', 'set', 'delete'),
    paths: fc.array(fc.constantFrom('name', 'mac_settings.rx1_delay'), { maxLength: 3 }),
  }),
  outcome: fc.record(
    {
      t: fc.constant('outcome'),
      device,
      step: fc.constantFrom(...STEPS),
      at,
      status: fc.constantFrom('done', 'already', 'failed', 'unknown'),
      error,
    },
    { requiredKeys: ['t', 'device', 'step', 'at', 'status'] },
  ),
  fact: fc
    .oneof(...Object.values(facts))
    .chain((fact) => fc.record({ t: fc.constant('fact' as const), device, fact: fc.constant(fact) })),
  undone: fc.record(
    { t: fc.constant('undone'), device, at, error, returned: fc.constant(true as const) },
    { requiredKeys: ['t', 'device', 'at'] },
  ),
  close: fc.record({
    t: fc.constant('close'),
    run,
    at,
    result: fc.constantFrom('applied', 'partial', 'aborted'),
  }),
}

export const journalRecord: fc.Arbitrary<JournalRecord> = fc.oneof(...Object.values(recordKinds))
export const factKinds = facts

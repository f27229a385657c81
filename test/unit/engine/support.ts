import type { DeviceRecord, Fields, Registry } from '../../../src/domain/device.ts'
import type { DevEui, JoinEui } from '../../../src/domain/identifiers.ts'
import type { JournalRecord, Route, StepName } from '../../../src/domain/journal.ts'
import type { DeviceIntent, Policy } from '../../../src/domain/migration-plan.ts'
import type { JournalPort, NetworkFacts, NetworkPort } from '../../../src/domain/ports.ts'
import { Secret } from '../../../src/domain/secret.ts'
import type { TargetDefaults } from '../../../src/engine/device/desired.ts'
import type { RuleInput } from '../../../src/engine/planning/rules/rule.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import type { DeviceProgress } from '../../../src/engine/progress/progress.ts'
import { DEFAULT_POLICY } from '../../support/policy.ts'

export const IS = 'identity-server'
export const JS = 'join-server'
export const NS = 'network-server'
export const AS = 'application-server'

export const key = (byte: string): Secret => new Secret(byte.repeat(16))

type Overlay = { readonly [R in Registry]?: Fields | 'absent' }

/** A healthy OTAA 1.0.3 device with a session; `overlay` sets fields, null removes one, `absent` a registry. */
export const device = (overlay: Overlay = {}): DeviceRecord => {
  const session = { 'session.dev_addr': '27000F01', 'session.keys.session_key_id': 'bWFkZS11cA==' }
  const base: Record<Registry, Fields> = {
    [IS]: { name: 'Meter 1' },
    [JS]: { 'root_keys.app_key.key': key('A1'), used_dev_nonces: [3, 9], last_join_nonce: 4 },
    [NS]: {
      frequency_plan_id: 'EU_863_870_TTN',
      lorawan_version: 'MAC_V1_0_3',
      lorawan_phy_version: 'PHY_V1_0_3_REV_A',
      supports_join: true,
      ...session,
      'session.keys.f_nwk_s_int_key.key': key('B1'),
      'session.keys.s_nwk_s_int_key.key': key('B1'),
      'session.keys.nwk_s_enc_key.key': key('B1'),
      'session.last_f_cnt_up': 100,
      'session.last_n_f_cnt_down': 5,
      mac_state: {
        current_parameters: { rx1_delay: 1 },
        desired_parameters: { rx1_delay: 5 },
        recent_uplinks: [{}],
      },
    },
    [AS]: { ...session, 'session.keys.app_s_key.key': key('C1'), 'session.last_a_f_cnt_down': 5 },
  }
  const registries: { [R in Registry]?: Fields } = {}
  for (const registry of [IS, JS, NS, AS] as const) {
    const over = overlay[registry]
    if (over === 'absent') continue
    registries[registry] = Object.fromEntries(
      Object.entries({ ...base[registry], ...over }).filter(([, value]) => value !== null),
    )
  }
  return {
    ids: {
      deviceId: 'meter-1',
      devEui: '70B3D57ED00F0001' as DevEui,
      joinEui: '70B3D57ED0009000' as JoinEui,
    },
    registries,
  }
}

/** The same as an ABP device. */
export const abp = (overlay: Overlay = {}): DeviceRecord => {
  const { ids, registries } = device({
    ...overlay,
    [JS]: 'absent',
    [NS]: {
      supports_join: null,
      'session.keys.session_key_id': null,
      ...(overlay[NS] === 'absent' ? {} : overlay[NS]),
    },
    [AS]: { 'session.keys.session_key_id': null, ...(overlay[AS] === 'absent' ? {} : overlay[AS]) },
  })
  const { joinEui: _, ...own } = ids
  return { ids: own, registries }
}

export const nowhere: DeviceRecord = { ids: { deviceId: 'meter-1' }, registries: {} }

const POLICY = DEFAULT_POLICY

export const intent = (policy: Partial<Policy> = {}, set: DeviceIntent['set'] = {}): DeviceIntent => ({
  policy: { ...POLICY, ...policy },
  set,
})

export const DEFAULTS: TargetDefaults = {
  serverAddresses: {},
  macSettings: { rx1_delay: 1, desired_rx1_delay: 5 },
}

export const FACTS: NetworkFacts = {
  devAddrPrefixes: ['27000000/8'],
  frequencyPlans: [
    { id: 'EU_863_870_TTN', band: 'EU_863_870' },
    { id: 'EU_863_870', band: 'EU_863_870' },
    { id: 'US_902_928_FSB_2', band: 'US_902_928' },
  ],
  phyVersions: { EU_863_870: ['PHY_V1_0_2_REV_B', 'PHY_V1_0_3_REV_A'], US_902_928: ['PHY_V1_0_3_REV_A'] },
  serverAddresses: {},
}

/** What the rules look at for a healthy device whose session is kept. */
export const ruleInput = (given: Partial<RuleInput> = {}): RuleInput => ({
  source: device(),
  registered: given.source ?? device(),
  route: 'session-kept',
  handover: undefined,
  becomes: undefined,
  sameDeployment: false,
  intent: intent(),
  coverage: 'on-target',
  targetFacts: FACTS,
  joinHosts: ['source.example'],
  isUnderWay: false,
  mutedByUs: false,
  frequencyPlan: 'EU_863_870_TTN',
  lorawanVersion: 'MAC_V1_0_3',
  lorawanPhyVersion: 'PHY_V1_0_3_REV_A',
  queue: [],
  copiedDownlinks: undefined,
  ...given,
})

export const AT = '2026-01-01T00:00:00.000Z'

export const begin = (route: Route = 'session-kept'): JournalRecord => ({
  t: 'begin',
  device: 'meter-1',
  at: AT,
  target: 'meter-1',
  devEui: '70B3D57ED00F0001',
  joinEui: '70B3D57ED0009000',
  route,
})

export const done = (...steps: readonly StepName[]): readonly JournalRecord[] =>
  steps.map((step) => ({ t: 'outcome', device: 'meter-1', step, at: AT, status: 'done' }))

export const intended = (step: StepName): JournalRecord => ({
  t: 'intent',
  device: 'meter-1',
  step,
  side: 'target',
  registry: NS,
  verb: 'set',
  paths: [],
})

/** What the state knows after these records. */
export const knowing = (...records: readonly JournalRecord[]): DeviceProgress => {
  const progress = foldState(records).get('meter-1')
  if (progress === undefined) throw new Error('the records name no device')
  return progress
}

export const IMPORT: readonly StepName[] = [
  'escrow',
  'create-identity',
  'set-join',
  'set-application',
  'set-network',
  'compare',
]
export const HANDED_OVER: readonly StepName[] = [
  ...IMPORT,
  'stop-source',
  'read-again',
  'final-network',
  'final-start-time',
  'final-join',
  'final-application',
  'unmute-target',
]

/** A journal in memory. */
export const memoryJournal = (): JournalPort & { readonly records: readonly JournalRecord[] } => {
  const records: JournalRecord[] = []
  return {
    records,
    lineage: 'sha256:made-up',
    get serial() {
      return records.length
    },
    append: async (more) => void records.push(...more),
    close: async () => undefined,
  }
}

/** A network of which only the given methods may be called. */
export const networkWith = (methods: Partial<NetworkPort>): NetworkPort =>
  new Proxy(methods as NetworkPort, {
    get: (target, name) => {
      const method = target[name as keyof NetworkPort]
      if (method === undefined) throw new Error(`${String(name)} is not expected`)
      return method
    },
  })

import type {
  ChangeSet,
  DeviceChange,
  DeviceProfile,
  FieldChange,
  Guard,
  ShownValue,
} from '../../src/domain/change-set.ts'
import type { Registry } from '../../src/domain/device.ts'
import type { Diagnostic } from '../../src/domain/diagnostic.ts'
import { digestOfText } from '../../src/domain/json.ts'
import type { Json } from '../../src/domain/json.ts'
import type { StepName } from '../../src/domain/journal.ts'
import { withDigest } from '../../src/engine/change-set-file.ts'

/** Change sets for tests of reports: built by hand, deterministic, without secrets. */

export const OTAA_A: DeviceProfile = {
  activation: 'otaa',
  class: 'A',
  lorawanVersion: 'MAC_V1_0_3',
  lorawanPhyVersion: 'PHY_V1_0_3_REV_A',
  frequencyPlan: 'EU_863_870_TTN',
}
export const OTAA_C: DeviceProfile = { ...OTAA_A, class: 'C' }
export const ABP_A: DeviceProfile = {
  ...OTAA_A,
  activation: 'abp',
  lorawanVersion: 'MAC_V1_0_2',
  lorawanPhyVersion: 'PHY_V1_0_2_REV_B',
}

export const absent: ShownValue = { absent: true }
export const shown = (value: Json): ShownValue => ({ value })

export const create = (registry: Registry, path: string, value: Json, because?: string): FieldChange => ({
  registry,
  path,
  before: absent,
  after: shown(value),
  verdict: 'write',
  reason: because === undefined ? 'create' : 'plan',
  ...(because === undefined ? {} : { because }),
})

export const secret = (
  registry: Registry,
  path: string,
  state: 'same' | 'changes' | 'added' | 'removed',
): FieldChange => ({
  registry,
  path,
  before: { sensitive: state },
  after: { sensitive: state },
  verdict: state === 'same' ? 'leave' : 'write',
  reason: state === 'same' ? 'equal' : 'create',
})

export const change = (
  registry: Registry,
  path: string,
  before: Json,
  after: Json,
  reason: FieldChange['reason'] = 'source-changed',
  because?: string,
): FieldChange => ({
  registry,
  path,
  before: shown(before),
  after: shown(after),
  verdict: 'write',
  reason,
  ...(because === undefined ? {} : { because }),
})

export const leave = (
  registry: Registry,
  path: string,
  value: Json,
  reason: FieldChange['reason'] = 'equal',
  because?: string,
): FieldChange => ({
  registry,
  path,
  before: shown(value),
  after: shown(value),
  verdict: 'leave',
  reason,
  ...(because === undefined ? {} : { because }),
})

export const eui = (number: number): string => `70B3D57E${number.toString(16).toUpperCase().padStart(8, '0')}`

const CROSS_KEPT: readonly StepName[] = [
  'escrow',
  'create-identity',
  'set-join',
  'set-application',
  'set-network',
  'compare',
  'stop-source',
  'read-again',
  'final-network',
  'final-start-time',
  'final-join',
  'final-application',
  'unmute-target',
]
const CROSS_ANEW: readonly StepName[] = CROSS_KEPT.filter(
  (step) => !['final-network', 'final-start-time', 'final-application'].includes(step),
)
const CROSS_ABP: readonly StepName[] = CROSS_KEPT.filter((step) => !['set-join', 'final-join'].includes(step))
export const DELETES: readonly StepName[] = [
  'delete-application',
  'delete-network',
  'delete-join',
  'delete-identity',
]

export const MAC_STATE: Json = {
  current_parameters: {
    max_eirp: 16,
    rx1_delay: 'RX_DELAY_1',
    rx2_frequency: '869525000',
    rx2_data_rate_index: 'DATA_RATE_0',
    channels: Array.from({ length: 8 }, (_, index) => ({
      uplink_frequency: String(867100000 + 200000 * index),
      min_data_rate_index: 'DATA_RATE_0',
      max_data_rate_index: 'DATA_RATE_5',
      enable_uplink: true,
    })),
  },
  lorawan_version: 'MAC_V1_0_3',
  device_class: 'CLASS_A',
}

const settings = (number: number, profile: DeviceProfile): FieldChange[] => [
  create('identity-server', 'name', `Meter ${number}`),
  create('network-server', 'frequency_plan_id', profile.frequencyPlan),
  create('network-server', 'lorawan_version', profile.lorawanVersion),
  create('network-server', 'lorawan_phy_version', profile.lorawanPhyVersion),
  create('network-server', 'mac_settings.rx1_delay', 1),
  create('network-server', 'mac_settings.desired_rx1_delay', 1, 'policy.rx1Delay: keep'),
  create('network-server', 'mac_settings.supports_32_bit_f_cnt', true),
  create('network-server', 'supports_class_c', profile.class === 'C'),
]

const session = (number: number): FieldChange[] => [
  create('network-server', 'session.dev_addr', `2601${(0x1000 + number).toString(16).toUpperCase()}`),
  create('network-server', 'session.last_f_cnt_up', 1000 + number),
  create('network-server', 'session.last_n_f_cnt_down', 10 + number),
  secret('network-server', 'session.keys.f_nwk_s_int_key.key', 'added'),
  create('network-server', 'mac_state', MAC_STATE),
  create('application-server', 'session.dev_addr', `2601${(0x1000 + number).toString(16).toUpperCase()}`),
  secret('application-server', 'session.keys.app_s_key.key', 'added'),
]

const base = (
  number: number,
  name: string,
): Pick<DeviceChange, 'device' | 'target' | 'devEui' | 'joinEui' | 'findings' | 'later'> => ({
  device: `${name}-${number}`,
  target: `${name}-${number}`,
  devEui: eui(number),
  joinEui: '70B3D57ED0000001',
  findings: [],
  later: [],
})

/** A device that joins anew. */
export const joiningAnew = (number: number, profile: DeviceProfile = OTAA_A): DeviceChange => ({
  ...base(number, profile.class === 'C' ? 'valve' : 'meter'),
  action: 'create',
  route: 'joining-anew',
  profile,
  fields: [
    ...settings(number, profile),
    secret('join-server', 'root_keys.app_key.key', 'added'),
    leave('network-server', 'session.dev_addr', '2601AAAA', 'not-carried', 'policy.persistSession: false'),
  ],
  steps: CROSS_ANEW,
  later: ['hear', 'prevent-rejoin'],
})

/** A device that keeps its session. */
export const sessionKept = (number: number): DeviceChange => ({
  ...base(number, 'air'),
  action: 'create',
  route: 'session-kept',
  profile: OTAA_A,
  fields: [
    ...settings(number, OTAA_A),
    secret('join-server', 'root_keys.app_key.key', 'added'),
    ...session(number),
    create('application-server', 'formatters.up_formatter_parameter', FORMATTER),
  ],
  steps: CROSS_KEPT,
  later: ['hear', 'prevent-rejoin'],
})

export const abpKept = (number: number, route: 'abp-kept' | 'abp-reset' = 'abp-kept'): DeviceChange => ({
  ...base(number, 'parking'),
  action: 'create',
  route,
  profile: ABP_A,
  fields: [
    ...settings(number, ABP_A),
    ...session(number),
    ...(route === 'abp-reset'
      ? [create('network-server', 'mac_settings.resets_f_cnt', true, 'policy.resetFrameCounters')]
      : []),
  ],
  steps: CROSS_ABP,
  later: ['hear'],
})

export const FORMATTER = `function decodeUplink(input) {
  return {
    data: { temperature: input.bytes[0] / 10, humidity: input.bytes[1] },
    warnings: [],
    errors: []
  }
}
`

const EQUAL_FIELDS: readonly FieldChange[] = [
  leave('identity-server', 'name', 'Meter'),
  leave('network-server', 'frequency_plan_id', 'EU_863_870_TTN'),
  leave('network-server', 'lorawan_version', 'MAC_V1_0_3'),
  leave('network-server', 'session.last_f_cnt_up', 7, 'session-is-alive'),
  leave('identity-server', 'created_at', '2026-01-01T00:00:00Z', 'server-owned'),
  secret('join-server', 'root_keys.app_key.key', 'same'),
]

export const updated = (number: number, fields: readonly FieldChange[]): DeviceChange => ({
  ...base(number, 'meter'),
  action: 'update',
  status: 'heard',
  route: 'joining-anew',
  profile: OTAA_A,
  fields: [...EQUAL_FIELDS, ...fields],
  steps: ['update-identity', 'update-network'],
})

export const settled = (number: number, action: 'done' | 'adopt' | 'wait' | 'gone'): DeviceChange => ({
  ...base(number, 'meter'),
  action,
  ...(action === 'wait' ? { status: 'unmuted' } : action === 'done' ? { status: 'done' } : {}),
  ...(action === 'gone' ? {} : { route: 'joining-anew' as const, profile: OTAA_A }),
  fields: action === 'gone' ? [] : EQUAL_FIELDS,
  steps: [],
  later: action === 'wait' ? ['hear', 'prevent-rejoin'] : [],
})

export const blocked = (number: number, finding: Partial<Diagnostic> & { code: string }): DeviceChange => ({
  ...base(number, 'meter'),
  action: 'blocked',
  profile: OTAA_A,
  fields: [],
  steps: [],
  findings: [
    {
      severity: 'error',
      message: `DevEUI ${eui(number)} is registered on the target by application other-app`,
      hint: 'remove it there, or leave it out with devices.exclude',
      subject: { device: `meter-${number}` },
      ...finding,
    },
  ],
})

export const excluded = (number: number): DeviceChange => ({
  ...base(number, 'test'),
  action: 'excluded',
  fields: [],
  steps: [],
  findings: [
    { code: 'ExcludedByPlan', severity: 'note', message: 'left out by devices.exclude match "test-*"' },
  ],
})

export const retiring = (number: number): DeviceChange => ({
  ...base(number, 'meter'),
  action: 'retire',
  status: 'heard',
  route: 'session-kept',
  profile: OTAA_A,
  fields: [],
  steps: DELETES,
})

export const GUARDS_OK: readonly Guard[] = [
  {
    name: 'source-shrunk',
    used: 0,
    limit: 6,
    of: 12,
    ok: true,
    because: 'devices that the state knows and the source has no more',
  },
  {
    name: 'target-updates',
    used: 0,
    limit: 1,
    of: 12,
    ok: true,
    because: '5 % of the devices on the target',
  },
  { name: 'source-deletes', used: 0, limit: 0, ok: true, because: 'policy.deleteSource is never' },
  { name: 'target-deletes', used: 0, limit: 0, ok: true, because: 'nothing on the target is deleted' },
  { name: 'blocked-devices', used: 0, limit: 10, ok: true, because: 'devices that are left alone' },
]

/** A change set around the devices, with its digest. */
export const changeSet = (
  devices: readonly DeviceChange[],
  changes: Partial<Omit<ChangeSet, 'devices' | 'digest'>> = {},
): ChangeSet =>
  withDigest({
    formatVersion: 1,
    tool: '0.1.0',
    plan: { name: 'building-a', file: 'plans/building-a.yaml', digest: digestOfText('plan') },
    source: { network: 'things-stack', host: 'eu1.cloud.thethings.network', application: 'building-a' },
    target: {
      network: 'things-stack',
      host: 'example.eu1.cloud.thethings.industries',
      application: 'building-a',
    },
    base: { lineage: digestOfText('lineage'), serial: 0 },
    complete: true,
    findings: [],
    guards: GUARDS_OK,
    policy: {
      persistSession: true,
      resetFrameCounters: false,
      rx1Delay: 'keep',
      deleteSource: 'never',
      preventRejoin: 'replace-root-keys',
    },
    coverage: { gateways: 'unknown' },
    rollout: { maxConcurrency: 128, canary: 0, maxFailures: { share: 0.05 } },
    files: {
      state: 'building-a.state.jsonl',
      escrow: 'building-a.escrow',
      lock: 'building-a.state.lock',
    },
    digestKey: 'derived',
    devices: [...devices].sort((a, b) => ((a.devEui ?? '') < (b.devEui ?? '') ? -1 : 1)),
    ...changes,
  })

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

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
import type { StepName } from '../../src/domain/journal.ts'
import type { Json } from '../../src/domain/json.ts'
import { digestOfText } from '../../src/domain/json.ts'
import { withDigest } from '../../src/engine/planning/change-set-file.ts'
import { DEFAULT_POLICY } from './policy.ts'

/** Change sets for tests of reports: built by hand, deterministic, without secrets. */

const OTAA_A: DeviceProfile = {
  activation: 'otaa',
  class: 'A',
  lorawanVersion: 'MAC_V1_0_3',
  lorawanPhyVersion: 'PHY_V1_0_3_REV_A',
  frequencyPlan: 'EU_863_870_TTN',
}
export const OTAA_C: DeviceProfile = { ...OTAA_A, class: 'C' }
const ABP_A: DeviceProfile = {
  ...OTAA_A,
  activation: 'abp',
  lorawanVersion: 'MAC_V1_0_2',
  lorawanPhyVersion: 'PHY_V1_0_2_REV_B',
}

export const absent: ShownValue = { absent: true }
const shown = (value: Json): ShownValue => ({ value })

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
  before: state === 'added' ? absent : { sensitive: state },
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

const leftBehind = (registry: Registry, path: string, because: string): FieldChange => ({
  registry,
  path,
  before: absent,
  after: absent,
  verdict: 'leave',
  reason: 'not-carried',
  because,
})

const eui = (number: number): string => `70B3D57E${number.toString(16).toUpperCase().padStart(8, '0')}`

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

/** As the engine sums a MAC state up. */
export const MAC_STATE: Json = {
  rx1_delay: 1,
  desired_rx1_delay: 1,
  data_rate_index: 5,
  channels: 8,
  pending_requests: 0,
}

const settings = (number: number, profile: DeviceProfile): FieldChange[] => [
  create('identity-server', 'name', `Meter ${number}`),
  create('network-server', 'frequency_plan_id', profile.frequencyPlan),
  create('network-server', 'lorawan_version', profile.lorawanVersion),
  create('network-server', 'lorawan_phy_version', profile.lorawanPhyVersion),
  create('network-server', 'mac_settings.rx1_delay', 1),
  create('network-server', 'mac_settings.desired_rx1_delay', 1),
  create('network-server', 'mac_settings.supports_32_bit_f_cnt', true),
  create('network-server', 'supports_class_c', profile.class === 'C'),
]

const session = (number: number): FieldChange[] => [
  create('network-server', 'session.dev_addr', `2601${(0x1000 + number).toString(16).toUpperCase()}`),
  create('network-server', 'session.last_f_cnt_up', 1000 + number),
  create('network-server', 'session.last_n_f_cnt_down', 10 + number),
  secret('network-server', 'session.keys.f_nwk_s_int_key.key', 'added'),
  create('network-server', 'mac_state', MAC_STATE, 'carried'),
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
    leftBehind('network-server', 'session.dev_addr', 'the session is not kept'),
    leftBehind('identity-server', 'activated_at', 'would be a false proof of life on the target'),
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
    create('application-server', 'formatters', {
      up_formatter: 'FORMATTER_JAVASCRIPT',
      up_formatter_parameter: '182 characters',
    }),
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
  later: route === 'abp-reset' ? ['hear', 'end-reset'] : ['hear'],
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
  ...(action === 'wait' ? { status: 'waiting to be heard' } : action === 'done' ? { status: 'heard' } : {}),
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
  findings: [{ code: 'Excluded', severity: 'note', message: 'left out by devices.exclude match "test-*"' }],
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
    because: 'devices on the target whose settings would be changed',
  },
  {
    name: 'blocked-devices',
    used: 0,
    limit: 10,
    ok: true,
    because: 'devices that can not cross as they are',
  },
]

/** As a plan that names `persistSession: true` alone. */
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
    policy: DEFAULT_POLICY,
    coverage: { gateways: 'unknown' },
    rollout: { maxConcurrency: 128, canary: 0, maxFailures: { share: 0.05 } },
    files: {
      state: 'building-a.state.jsonl',
      escrow: 'building-a.escrow',
      lock: 'building-a.state.lock',
    },
    digestKey: 'derived',
    devices: [...devices].sort((a, b) => ((a.devEui ?? 'g') < (b.devEui ?? 'g') ? -1 : 1)),
    ...changes,
  })

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

/** Change sets that a person would meet; each preview of them is a golden file. */
export const SAMPLES: Readonly<Record<string, () => ChangeSet>> = {
  ready: () =>
    changeSet(
      [
        ...times(3, (index) =>
          updated(index + 1, [
            change(
              'network-server',
              'mac_settings.status_count_periodicity',
              0,
              200,
              'plan',
              'overrides.set',
            ),
          ]),
        ),
        updated(4, [
          change('identity-server', 'name', 'meter 4', 'Meter 4', 'source-changed'),
          change(
            'application-server',
            'formatters',
            { up_formatter: 'FORMATTER_JAVASCRIPT', up_formatter_parameter: FORMATTER },
            {
              up_formatter: 'FORMATTER_JAVASCRIPT',
              up_formatter_parameter: FORMATTER.replace('/ 10', '/ 100'),
            },
            'target-drifted',
          ),
        ]),
        settled(5, 'adopt'),
        settled(6, 'done'),
      ],
      { base: { lineage: digestOfText('lineage'), serial: 120 } },
    ),
  risks: () =>
    changeSet(
      [
        ...times(30, (index) => joiningAnew(index + 1)),
        ...times(4, (index) => joiningAnew(index + 101, OTAA_C)),
        ...times(6, (index) => ({
          ...sessionKept(index + 201),
          ...(index === 2
            ? {
                findings: [
                  {
                    code: 'QueuedDownlinksLost',
                    severity: 'warning' as const,
                    message: '3 queued downlinks stay on the source',
                    hint: 'send them again on the target, or wait until the queue is empty',
                    subject: { device: 'air-203' },
                  },
                ],
              }
            : {}),
        })),
        ...times(2, (index) => abpKept(index + 301)),
        abpKept(310, 'abp-reset'),
        { ...sessionKept(320), action: 'resume' as const, status: 'crossing', steps: CROSS_KEPT.slice(6) },
        ...times(3, (index) =>
          updated(index + 401, [
            change('network-server', 'mac_settings.desired_rx1_delay', 1, 5, 'plan', 'policy.rx1Delay'),
          ]),
        ),
        ...times(2, (index) => settled(index + 501, 'wait')),
        ...times(9, (index) => settled(index + 601, 'done')),
        retiring(701),
        settled(801, 'gone'),
        ...times(5, (index) => blocked(index + 901, { code: 'EuisTaken' })),
        blocked(950, {
          code: 'HalfRegistered',
          message: "the source's Join Server does not know the device",
          hint: "register it on the source's Join Server, or exclude it",
        }),
        ...times(7, (index) => excluded(index + 1001)),
      ],
      {
        guards: GUARDS_OK.map((guard) =>
          guard.name === 'blocked-devices' ? { ...guard, used: 6, of: 61 } : guard,
        ),
        findings: [
          {
            code: 'TargetVersionUnknown',
            severity: 'warning',
            message: 'the target does not say its version, 3.21 is assumed',
          },
        ],
        rollout: { maxConcurrency: 128, canary: 10, maxFailures: { share: 0.05 } },
      },
    ),
  blocked: () =>
    changeSet([joiningAnew(1), ...times(14, (index) => blocked(index + 11, { code: 'EuisTaken' }))], {
      guards: GUARDS_OK.map((guard) =>
        guard.name === 'blocked-devices' ? { ...guard, used: 14, of: 15, ok: false } : guard,
      ),
      findings: [
        {
          code: 'UnknownDevice',
          severity: 'error',
          message: 'the source has no device meter-99, which the plan names',
          hint: 'remove it from devices.include',
          subject: { file: 'plans/building-a.yaml', line: 14, column: 7 },
        },
      ],
    }),
  'no-changes': () =>
    changeSet([...times(12, (index) => settled(index + 1, 'done')), excluded(20)], {
      base: { lineage: digestOfText('lineage'), serial: 340 },
      digestKey: 'plan',
      coverage: { gateways: 'on-target' },
    }),
  empty: () => changeSet([]),
  fleet: () =>
    changeSet([
      ...times(4000, (index) => joiningAnew(index + 1)),
      ...times(700, (index) => sessionKept(index + 5001)),
      ...times(200, (index) => abpKept(index + 6001)),
      ...times(100, (index) => excluded(index + 7001)),
    ]),
  hostile: () => changeSet(HOSTILE_NAMES.map((name, index) => hostile(index + 1, name))),
}

/** Names that try to be more than names. */
export const HOSTILE_NAMES: readonly string[] = [
  '**bold** _it_ ~~no~~ `code` ``',
  '<script>alert(1)</script><img src=x onerror=y>',
  'a | b || c',
  'line\nbreak\r\ttab',
  '\u001b[31mred\u001b[0m\u0007\u009b2J',
  'abc\u202Edcba\u202C \u2066x\u2069',
  '@everyone see #123 https://evil.example/x [link](https://evil.example)',
  '```\nfence\n```',
  '<!-- comment --> &amp; &#64;',
  '=HYPERLINK("http://evil","x")',
  '温度センサー ビル１ 温度センサー ビル２ 温度センサー',
  'e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 zalgo 👩‍🚀 👍🏽 🇩🇪',
  'x'.repeat(400),
  '# heading\n- list\n1. one',
]

/** A device whose every text is chosen by somebody else. */
export const hostile = (number: number, name: string): DeviceChange => ({
  ...updated(number, [
    change('identity-server', 'name', `old ${name}`, name),
    change('identity-server', `attributes.${name}`, { [name]: name }, { [name]: [name, name, name] }),
    change(
      'application-server',
      'formatters',
      { up_formatter_parameter: `${FORMATTER}// ${name}\n` },
      { up_formatter_parameter: `// ${name}\n${FORMATTER}` },
      'plan',
      name,
    ),
  ]),
  device: name,
  target: `to ${name}`,
  findings: [{ code: 'QueuedDownlinksLost', severity: 'warning', message: name, hint: name }],
})

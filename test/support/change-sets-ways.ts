import type { ChangeSet, DeviceChange, DeviceProfile, FieldChange } from '../../src/domain/change-set.ts'
import type { Registry } from '../../src/domain/device.ts'
import type { StepName } from '../../src/domain/journal.ts'
import {
  abpKept,
  changeSet,
  create,
  DELETES,
  GUARDS_OK,
  joiningAnew,
  OTAA_C,
  sessionKept,
  times,
} from './change-sets.ts'
import { DEFAULT_POLICY } from './policy.ts'

/** Devices on the ways that most plans do not take, and a change set with all of them. Built by hand, without secrets. */

/** A key or a DevAddr that is made when the device crosses. */
const generated = (registry: Registry, path: string): FieldChange => ({
  registry,
  path,
  before: { absent: true },
  after: { generated: true },
  verdict: 'write',
  reason: 'create',
})

const DELETE_FIRST: readonly StepName[] = [
  'escrow',
  'check-import',
  'stop-source',
  'read-again',
  'check-escrow',
  ...DELETES,
  'create-identity',
  'set-join',
  'set-application',
  'set-network',
  'final-start-time',
  'compare',
  'unmute-target',
]

/** `held`: deleted on the source, not created on the target. */
export const deletedFirst = (number: number, held = false): DeviceChange => ({
  ...sessionKept(number),
  handover: 'delete-first',
  steps: held ? DELETE_FIRST.slice(DELETE_FIRST.indexOf('create-identity')) : DELETE_FIRST,
  later: ['hear'],
  ...(held ? { action: 'resume', status: 'held-by-escrow' } : {}),
})

export const toldToJoin = (number: number, profile?: DeviceProfile): DeviceChange => ({
  ...joiningAnew(number, profile),
  route: 'joining-triggered',
  steps: [
    'escrow',
    'create-identity',
    'set-join',
    'set-application',
    'set-network',
    'compare',
    'prevent-rejoin',
    'final-join',
    'unmute-target',
    'queue-trigger',
  ],
  later: ['trigger-sent', 'hear', 'stop-source', 'read-again'],
})

const REPROGRAM: readonly StepName[] = [
  'escrow',
  'credentials',
  'create-identity',
  'set-join',
  'set-application',
  'set-network',
  'compare',
  'unmute-target',
]

const reprogrammed = (device: DeviceChange, abp: boolean): DeviceChange => ({
  ...device,
  route: abp ? 'abp-reprogrammed' : 'otaa-reprogrammed',
  steps: abp ? REPROGRAM.filter((step) => step !== 'set-join') : REPROGRAM,
  later: ['hear', 'read-again'],
  findings: [
    {
      code: 'Reprogrammed',
      severity: 'note',
      message: 'it works on the target once it has its new credentials',
    },
  ],
})

const settingsOf = (device: DeviceChange): readonly FieldChange[] =>
  device.fields.filter(
    (field) => field.after !== undefined && !/^(root_keys|session|mac_state)/.test(field.path),
  )

const newEui = (number: number): string => `70B3D57F${number.toString(16).toUpperCase().padStart(8, '0')}`

/** OTAA with other EUIs on the target; with new root keys, or with its own. */
export const otaaReprogrammed = (number: number, keys: 'new' | 'same' = 'new'): DeviceChange => {
  const device = joiningAnew(number)
  const made = reprogrammed(device, false)
  return {
    ...made,
    becomes: { devEui: newEui(number), joinEui: '70B3D57ED0000002' },
    fields: [
      ...settingsOf(device),
      ...(keys === 'new'
        ? [generated('join-server', 'root_keys.app_key.key')]
        : device.fields.filter((field) => field.path === 'root_keys.app_key.key')),
    ],
    steps: keys === 'new' ? made.steps : made.steps.filter((step) => step !== 'credentials'),
  }
}

export const abpReprogrammed = (number: number): DeviceChange => {
  const device = abpKept(number)
  return {
    ...reprogrammed(device, true),
    fields: [
      ...settingsOf(device),
      generated('network-server', 'session.dev_addr'),
      generated('network-server', 'session.keys.f_nwk_s_int_key.key'),
      generated('application-server', 'session.dev_addr'),
      generated('application-server', 'session.keys.app_s_key.key'),
    ],
  }
}

/** ABP that becomes OTAA; the source knows no EUIs of it. */
export const becomesOtaa = (number: number): DeviceChange => {
  const { devEui: _, joinEui: __, ...device } = abpKept(number)
  return {
    ...reprogrammed(device, false),
    profile: { ...OTAA_C, class: 'A', lorawanVersion: 'MAC_V1_0_4', lorawanPhyVersion: 'RP002_V1_0_1' },
    becomes: { devEui: newEui(number), joinEui: '70B3D57ED0000002' },
    fields: [...settingsOf(device), generated('join-server', 'root_keys.app_key.key')],
  }
}

export const group = (number: number): DeviceChange => ({
  device: `lights-${number}`,
  target: `lights-${number}`,
  action: 'create',
  route: 'multicast',
  profile: { ...OTAA_C, activation: 'multicast' },
  fields: [
    create('identity-server', 'name', `Lights ${number}`),
    create('network-server', 'multicast', true),
    create('network-server', 'session.dev_addr', `2601${(0x2000 + number).toString(16).toUpperCase()}`),
    {
      registry: 'network-server',
      path: 'session.last_n_f_cnt_down',
      before: { absent: true },
      after: { moving: true },
      verdict: 'write',
      reason: 'create',
    },
  ],
  steps: [
    'escrow',
    'create-identity',
    'set-application',
    'set-network',
    'compare',
    'queue-empty',
    'delete-application',
    'read-again',
    'delete-network',
    'final-network',
    'delete-identity',
  ],
  later: [],
  findings: [],
})

const note = (device: DeviceChange, code: string, message: string): DeviceChange => ({
  ...device,
  findings: [...device.findings, { code, severity: 'note', message }],
})

export const joinsByHand = (number: number, profile?: DeviceProfile): DeviceChange =>
  note(joiningAnew(number, profile), 'JoinByHand', 'somebody has to make it join')

export const silentUntilJoin = (number: number, message: string): DeviceChange =>
  note(joiningAnew(number), 'SilentUntilJoin', message)

const SILENT = [
  'class A, sends every 15 min: silent for up to 24 h, until its link check fails',
  'class A, its interval is not known: silent until it looks for a network again',
] as const

/** Every way across, and all that a policy can ask for. */
export const everyWay = (): ChangeSet =>
  changeSet(
    [
      ...times(3, (index) => deletedFirst(index + 1)),
      ...times(2, (index) => deletedFirst(index + 11, true)),
      ...times(4, (index) => toldToJoin(index + 101)),
      toldToJoin(111, OTAA_C),
      ...times(5, (index) => otaaReprogrammed(index + 201)),
      otaaReprogrammed(211, 'same'),
      ...times(3, (index) => abpReprogrammed(index + 301)),
      becomesOtaa(311),
      ...times(2, (index) => group(index + 1)),
      ...times(25, (index) => joinsByHand(index + 401)),
      ...times(2, (index) => joinsByHand(index + 451, OTAA_C)),
      ...times(5, (index) => silentUntilJoin(index + 501, SILENT[index === 3 ? 1 : 0])),
      note(sessionKept(601), 'StaysMuted', 'it was muted before, and stays so'),
      {
        ...note(sessionKept(602), 'DownlinksCopied', '3 queued downlinks are copied'),
        steps: [...sessionKept(602).steps.slice(0, -1), 'copy-downlinks', 'unmute-target'],
      },
      abpKept(701, 'abp-reset'),
    ],
    {
      guards: GUARDS_OK,
      coverage: { gateways: 'moving-now' },
      policy: {
        ...DEFAULT_POLICY,
        rejoin: { trigger: 'source-downlink', fPort: 10, payload: 'C0FF', confirmed: true },
        rootKeys: 'generate',
        abp: 'reprogram',
        queuedDownlinks: 'copy',
        mutedSource: 'carry',
        downlinkCounterMargin: 64,
        adopt: 'partial',
      },
    },
  )

import type { DeviceSpec } from '../support/fleet.ts'
import { METER_11, VALVE } from '../support/meters.ts'
import { remove } from '../support/scenario.ts'
import type { World } from './world.ts'

/** One thing that happens in a course: a command of the tool, or what devices do in between. */
type Act =
  | { readonly command: 'apply' | 'rollback'; readonly args?: readonly string[] }
  | { readonly radio: (world: World) => Promise<void> }

/** A migration of one device of each kind that crosses in one way, from the first command to the last. */
export interface Course {
  readonly name: string
  readonly specs: readonly DeviceSpec[]
  /** What others registered on the target before. */
  readonly onTarget?: readonly DeviceSpec[]
  readonly plan: string
  /** As many devices and requests at once as the plan's defaults allow; else one. */
  readonly isConcurrent?: true
  readonly oneNetwork?: true
  /** The plan's source is a file that was written from the source network. */
  readonly fromFile?: true
  /** The source is a Stack V2. */
  readonly fromV2?: true
  readonly acts: readonly Act[]
  /** The acts that are broken; all, where the ones before them are not those of another course. */
  readonly breaks?: readonly number[]
  /** New credentials are made: the target holds what the escrow gives. */
  readonly isReprogrammed?: boolean
  /** Refuses a request of the target, in every run. */
  readonly refuses?: object
}

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 70_000,
  nFCntDown: 12,
  usedDevNonces: [3],
  lastJoinNonce: 2,
}
const LAMP: DeviceSpec = { id: 'lamp-1', number: 4, mode: 'otaa', fCntUp: 40, nFCntDown: 2, classC: true }
const GROUP: DeviceSpec = { id: 'lamps', number: 5, mode: 'multicast', classC: true, nFCntDown: 25 }

const apply: Act = { command: 'apply' }
const rollback: Act = { command: 'rollback' }
const uplinks = (...ids: readonly string[]): Act => ({
  radio: async ({ device, air }) => {
    for (const id of ids) await device(id).uplink(air)
  },
})
const joins = (id: string): Act => ({
  radio: async ({ device, air }) => {
    await device(id).join(air)
    await device(id).uplink(air)
  },
})

export const COURSES: readonly Course[] = [
  {
    name: 'session-kept',
    specs: [METER, METER_11],
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    acts: [apply, uplinks('meter-1', 'meter-11'), apply],
  },
  {
    name: 'session-kept, taken back',
    specs: [METER, LAMP],
    plan: 'policy: { persistSession: true }',
    acts: [apply, uplinks('meter-1', 'lamp-1'), apply, rollback],
    breaks: [3],
  },
  {
    name: 'abp-kept',
    specs: [VALVE],
    plan: 'policy: { persistSession: true, deleteSource: after-import }',
    acts: [apply, uplinks('valve-1'), apply],
  },
  {
    name: 'abp-reset',
    specs: [VALVE],
    plan: 'policy: { persistSession: true, resetFrameCounters: true }',
    acts: [
      apply,
      {
        radio: async ({ device, air }) => {
          device('valve-1').resetCounters()
          await device('valve-1').uplink(air)
        },
      },
      apply,
    ],
  },
  {
    name: 'joining-anew',
    specs: [METER],
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    acts: [apply, joins('meter-1'), apply],
  },
  {
    name: 'joining-triggered',
    specs: [METER],
    plan: 'policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF" } }',
    acts: [apply, uplinks('meter-1', 'meter-1', 'meter-1'), apply, joins('meter-1'), apply],
  },
  {
    name: 'delete-first',
    specs: [METER, VALVE],
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    acts: [apply, uplinks('meter-1', 'valve-1'), apply],
  },
  {
    name: 'delete-first, taken back',
    specs: [METER_11],
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    acts: [apply, uplinks('meter-11'), rollback],
    breaks: [2],
  },
  {
    name: 'delete-first, refused',
    specs: [METER],
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    refuses: { method: 'PUT', path: '/ns/applications/meters-two/devices/meter-1', do: { status: 400 } },
    acts: [apply],
  },
  {
    name: 'multicast',
    specs: [GROUP, LAMP],
    plan: 'policy: { persistSession: true }',
    acts: [apply, rollback],
  },
  {
    name: 're-programmed',
    specs: [METER, VALVE],
    plan: `policy: { persistSession: true, rootKeys: generate, abp: reprogram }`,
    acts: [apply, rollback],
    isReprogrammed: true,
  },
]

/** What a person does before the handover is confirmed. */
const stoppedByHand = (...ids: readonly string[]): Act => ({
  radio: async ({ migration }) => {
    for (const id of ids) await remove(migration, 'source', id)
  },
})

/** From a file, whose devices are stopped by hand. */
export const FROM_FILE: readonly Course[] = [
  {
    name: 'file, kept and taken back',
    specs: [METER, VALVE],
    fromFile: true,
    plan: 'policy: { persistSession: true }',
    acts: [
      apply,
      stoppedByHand('meter-1', 'valve-1'),
      { command: 'apply', args: ['--confirm-handover'] },
      uplinks('meter-1', 'valve-1'),
      apply,
      rollback,
    ],
    breaks: [0, 2, 5],
  },
  {
    name: 'file, joining anew',
    specs: [METER],
    fromFile: true,
    plan: 'policy: { persistSession: false }',
    acts: [
      apply,
      stoppedByHand('meter-1'),
      { command: 'apply', args: ['--confirm-handover'] },
      joins('meter-1'),
      apply,
    ],
    breaks: [2],
  },
]

const OF_V2 = { version: 'MAC_V1_0_2', phy: 'PHY_V1_0_2_REV_B' }

/** From a Stack V2, which is cleared or told another AppKey. */
export const FROM_V2: readonly Course[] = [
  {
    name: 'v2, kept',
    specs: [
      { ...METER, ...OF_V2 },
      { ...VALVE, ...OF_V2 },
    ],
    fromV2: true,
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    acts: [apply, uplinks('meter-1', 'valve-1'), apply],
  },
  {
    name: 'v2, taken back',
    specs: [{ ...METER, ...OF_V2 }],
    fromV2: true,
    plan: 'policy: { persistSession: true }',
    acts: [apply, uplinks('meter-1'), apply, rollback],
    breaks: [3],
  },
  {
    name: 'v2, joining anew',
    specs: [{ ...METER, ...OF_V2 }],
    fromV2: true,
    plan: 'policy: { persistSession: false }',
    acts: [apply, joins('meter-1'), apply, rollback],
  },
  {
    name: 'v2, joining anew and deleted',
    specs: [{ ...METER, ...OF_V2 }],
    fromV2: true,
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    acts: [apply, joins('meter-1'), apply],
  },
]

const meter = (number: number): DeviceSpec => ({ ...METER, id: `meter-${number}`, number })
const FLEET: readonly DeviceSpec[] = [METER, METER_11, VALVE, LAMP, ...[6, 7, 8, 9].map(meter)]
const FLEET_IDS = FLEET.map(({ id }) => id)
const JOINING = [METER, METER_11, ...[6, 7, 8, 9].map(meter)]

/** A fleet that crosses all at once. */
export const CONCURRENT: readonly Course[] = [
  {
    name: 'a fleet, kept',
    specs: FLEET,
    isConcurrent: true,
    plan: 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    acts: [apply, uplinks(...FLEET_IDS), apply],
  },
  {
    name: 'a fleet, joining anew',
    specs: JOINING,
    isConcurrent: true,
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    acts: [apply],
  },
  {
    name: 'a fleet, delete-first and taken back',
    specs: FLEET,
    isConcurrent: true,
    oneNetwork: true,
    plan: 'policy: { persistSession: true, handover: delete-first }',
    acts: [apply, uplinks(...FLEET_IDS), rollback],
  },
]

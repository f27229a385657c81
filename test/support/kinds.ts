import { createVirtualDevice, type VirtualDevice } from '../../src/simulator/virtual-device.ts'
import { type DeviceSpec, keysOf } from './fleet.ts'

const OTAA = { mode: 'otaa', nFCntDown: 8, aFCntDown: 8 } as const
/** An ABP device listens as it was made, 1 s after its uplink, and is not asked for more. */
const AS_MADE = { rx1_delay: 1, desired_rx1_delay: 1 } as const
const ABP = { mode: 'abp', nFCntDown: 11, aFCntDown: 8, macSettings: AS_MADE } as const
const PING = {
  ping_slot_periodicity: 'PING_EVERY_16S',
  ping_slot_frequency: '869525000',
  ping_slot_data_rate_index: 3,
} as const

/** Names of servers that a device must not take to another network. */
const SOURCE_SERVERS = {
  network_server_address: 'source.example',
  application_server_address: 'source.example',
} as const

const ALL: readonly DeviceSpec[] = [
  {
    ...OTAA,
    id: 'otaa-102',
    number: 1,
    version: 'MAC_V1_0_2',
    phy: 'PHY_V1_0_2_REV_B',
    fCntUp: 70_000,
    nFCntDown: 15,
    aFCntDown: 12,
    usedDevNonces: [3, 9],
    lastJoinNonce: 4,
    name: 'Zähler 102',
    attributes: { floor: '3' },
  },
  {
    ...OTAA,
    id: 'otaa-103',
    number: 2,
    fCntUp: 1234,
    nFCntDown: 56,
    usedDevNonces: [7, 11],
    lastJoinNonce: 2,
    formatter: 'function decodeUplink(input) { return { data: {} } }',
  },
  {
    ...OTAA,
    id: 'otaa-104',
    number: 3,
    version: 'MAC_V1_0_4',
    fCntUp: 311,
    nFCntDown: 20,
    lastDevNonce: 12,
    lastJoinNonce: 12,
  },
  {
    ...OTAA,
    id: 'otaa-110',
    number: 4,
    version: 'MAC_V1_1',
    fCntUp: 95,
    nFCntDown: 14,
    aFCntDown: 6,
    lastDevNonce: 9,
    lastJoinNonce: 5,
  },
  { ...OTAA, id: 'otaa-nwk-key', number: 5, nwkKey: true, rootKeyId: 'made-up-key-5', fCntUp: 40 },
  {
    ...OTAA,
    id: 'class-b',
    number: 6,
    classB: true,
    fCntUp: 77,
    lastJoinNonce: 6,
    macSettings: { ...PING, class_b_timeout: '60s' },
  },
  {
    ...OTAA,
    id: 'class-c',
    number: 7,
    classC: true,
    fCntUp: 900,
    lastJoinNonce: 5,
    macSettings: { class_c_timeout: '12.500s' },
  },
  { id: 'never-joined', number: 8, mode: 'otaa' },
  { ...OTAA, id: 'us915', number: 9, plan: 'US_902_928_FSB_2', fCntUp: 92, usedDevNonces: [14] },
  { ...ABP, id: 'abp-102', number: 10, version: 'MAC_V1_0_2', phy: 'PHY_V1_0_2_REV_B', fCntUp: 500 },
  { ...ABP, id: 'abp-103', number: 11, fCntUp: 5021 },
  {
    ...ABP,
    id: 'abp-16-bit',
    number: 12,
    fCntUp: 60_000,
    macSettings: { ...AS_MADE, supports_32_bit_f_cnt: false },
  },
  { ...ABP, id: 'abp-104', number: 13, version: 'MAC_V1_0_4', fCntUp: 640 },
  { ...ABP, id: 'abp-resets', number: 14, fCntUp: 48, macSettings: { ...AS_MADE, resets_f_cnt: true } },
  { id: 'group-c', number: 15, mode: 'multicast', classC: true, nFCntDown: 25, aFCntDown: 27 },
  {
    id: 'group-b',
    number: 16,
    mode: 'multicast',
    classB: true,
    nFCntDown: 31,
    aFCntDown: 31,
    macSettings: PING,
  },
]

/** One device of every kind that the guides' ways have to hold for, with its servers named as the Console does. */
export const KINDS: readonly DeviceSpec[] = ALL.map((spec) => ({
  ...spec,
  identity: {
    ...SOURCE_SERVERS,
    ...(spec.mode === 'otaa' ? { join_server_address: 'source.example' } : {}),
  },
}))

const ids = (which: (spec: DeviceSpec) => boolean): readonly string[] =>
  KINDS.filter(which).map(({ id }) => id)

export const GROUPS: readonly DeviceSpec[] = KINDS.filter(({ mode }) => mode === 'multicast')
/** Kinds that send: all but groups. */
export const SENDING: readonly string[] = ids(({ mode }) => mode !== 'multicast')
export const JOINING: readonly string[] = ids(({ mode }) => mode === 'otaa')
export const FIXED: readonly string[] = ids(({ mode }) => mode === 'abp')

/** A device that listens to a group and has heard what its first network sent: `lastFCntDown`. */
export const memberOf = (group: DeviceSpec, lastFCntDown: number): VirtualDevice =>
  createVirtualDevice({
    lorawanVersion: 'MAC_V1_0_3',
    frequencyPlan: 'EU_863_870_TTN',
    rx1Delay: 1,
    dataRate: 'SF7BW125',
    channels: [868_100_000],
    deviceClass: group.classB === true ? 'B' : 'C',
    multicast: [{ devAddr: keysOf(group).devAddr, keys: keysOf(group), lastFCntDown }],
  })

export const EVERY = KINDS.map(({ id }) => id)
export const GROUP_IDS = GROUPS.map(({ id }) => id)
/** What an apply of all kinds comes to at first, and once all were heard. */
export const FIRST_RUN = { waiting: SENDING.length, migrated: GROUPS.length }
export const LAST_RUN = { migrated: KINDS.length }

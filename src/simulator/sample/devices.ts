import type { Message } from '../json/types.ts'

/** Session keys, 32 hexadecimal digits each. Below LoRaWAN 1.1 the three network keys are equal. */
export interface SampleSessionKeys {
  readonly fNwkSIntKey: string
  readonly sNwkSIntKey: string
  readonly nwkSEncKey: string
  readonly appSKey: string
}

/** A live session. Counters are the last used ones, as the registries hold them. */
export interface SampleSession {
  readonly devAddr: string
  readonly keys: SampleSessionKeys
  readonly lastFCntUp: number
  readonly lastNFCntDown: number
  readonly lastAFCntDown: number
}

/** A device of the sample application, with all that a virtual device needs to be it. All keys are made up. */
export interface SampleDevice {
  readonly id: string
  /** What is special about it, in a few words. */
  readonly about: string
  /** Sixteen hexadecimal digits; a multicast group has none. */
  readonly devEui?: string
  readonly joinEui?: string
  readonly lorawanVersion: 'MAC_V1_0_2' | 'MAC_V1_0_3' | 'MAC_V1_0_4' | 'MAC_V1_1'
  readonly phyVersion: string
  readonly frequencyPlan: string
  readonly rootKeys?: { readonly appKey: string; readonly nwkKey?: string; readonly rootKeyId?: string }
  readonly session?: SampleSession
  /** Highest DevNonce and JoinNonce so far; 0 when it never joined. */
  readonly lastDevNonce: number
  readonly lastJoinNonce: number
  /** RX1 delay that the device uses now, in seconds. */
  readonly rx1Delay: number
  readonly dataRate: string
  /** Frequencies that the device sends on, in Hz. */
  readonly channels: readonly number[]
  /** 16 when the device sends no more than the low half of its counter and starts again at 0. */
  readonly counterBits: 16 | 32
  readonly multicast: boolean
  /** Identity Server alone: half-registered. */
  readonly registeredOn: 'all' | 'identity-server'
  /** More fields for each registry. */
  readonly identity?: Message
  readonly network?: Message
  readonly application?: Message
  /** How its MAC state comes about: complete as after joining, derived by the server, or none. */
  readonly macState: 'complete' | 'derived' | 'none'
  readonly pendingRequests?: readonly Message[]
  /** Holds a session that no uplink has confirmed yet. */
  readonly pendingSession?: SampleSession
}

const key = (byte: string): string => byte.repeat(16)
const europe = [868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9].map((megahertz) =>
  Math.round(megahertz * 1e6),
)
const joinEui = '70B3D57ED0001000'
const eui = (number: number): string => `70B3D57ED010${number.toString(16).toUpperCase().padStart(4, '0')}`

const session10 = (
  devAddr: string,
  networkKey: string,
  appSKey: string,
  up: number,
  down: number,
): SampleSession => ({
  devAddr,
  keys: {
    fNwkSIntKey: key(networkKey),
    sNwkSIntKey: key(networkKey),
    nwkSEncKey: key(networkKey),
    appSKey: key(appSKey),
  },
  lastFCntUp: up,
  lastNFCntDown: down,
  lastAFCntDown: down,
})

const base = {
  lorawanVersion: 'MAC_V1_0_3',
  phyVersion: 'PHY_V1_0_3_REV_A',
  frequencyPlan: 'EU_863_870_TTN',
  lastDevNonce: 0,
  lastJoinNonce: 0,
  rx1Delay: 5,
  dataRate: 'SF7BW125',
  channels: europe,
  counterBits: 32,
  multicast: false,
  registeredOn: 'all',
  macState: 'complete',
} as const

const otaa = (number: number, appKey: string) => ({
  ...base,
  devEui: eui(number),
  joinEui,
  rootKeys: { appKey: key(appKey) },
})
const abp = (number: number) =>
  ({ ...base, devEui: eui(number), rx1Delay: 1, macState: 'derived', channels: europe.slice(0, 3) }) as const

/** The devices of the sample application, of every kind that a migration meets. */
export const sampleDevices: readonly SampleDevice[] = [
  {
    ...otaa(1, 'A1'),
    id: 'meter-102',
    about: 'OTAA 1.0.2, session, RX1 delay still 1 s',
    lorawanVersion: 'MAC_V1_0_2',
    phyVersion: 'PHY_V1_0_2_REV_B',
    rx1Delay: 1,
    session: session10('27001001', 'B1', 'C1', 1234, 56),
    lastDevNonce: 411,
    lastJoinNonce: 3,
    identity: { name: 'Meter 102' },
  },
  {
    ...otaa(2, 'A2'),
    id: 'meter-103',
    about: 'OTAA 1.0.3, session, RX1 delay 5 s',
    session: session10('27001002', 'B2', 'C2', 70000, 812),
    lastDevNonce: 1902,
    lastJoinNonce: 7,
    identity: { name: 'Meter 103', description: 'Counter beyond 16 bits' },
  },
  {
    ...otaa(3, 'A3'),
    id: 'meter-104',
    about: 'OTAA 1.0.4, session, DevNonce as a counter',
    lorawanVersion: 'MAC_V1_0_4',
    phyVersion: 'RP002_V1_0_1',
    session: session10('27001003', 'B3', 'C3', 311, 20),
    lastDevNonce: 12,
    lastJoinNonce: 12,
  },
  {
    ...otaa(4, 'A4'),
    id: 'sensor-110',
    about: 'OTAA 1.1, session, four session keys',
    lorawanVersion: 'MAC_V1_1',
    phyVersion: 'PHY_V1_1_REV_B',
    rootKeys: { appKey: key('A4'), nwkKey: key('D4') },
    session: {
      devAddr: '27001004',
      keys: { fNwkSIntKey: key('B4'), sNwkSIntKey: key('E4'), nwkSEncKey: key('F4'), appSKey: key('C4') },
      lastFCntUp: 95,
      lastNFCntDown: 14,
      lastAFCntDown: 6,
    },
    lastDevNonce: 9,
    lastJoinNonce: 5,
  },
  {
    ...otaa(5, 'A5'),
    id: 'sensor-nwkkey',
    about: 'OTAA 1.0.3 that joins with an NwkKey',
    rootKeys: { appKey: key('A5'), nwkKey: key('D5'), rootKeyId: 'made-up-key-5' },
    session: session10('27001005', 'B5', 'C5', 40, 4),
    lastDevNonce: 77,
    lastJoinNonce: 2,
  },
  {
    ...otaa(6, 'A6'),
    id: 'sensor-new',
    about: 'OTAA, never joined',
    macState: 'none',
    rx1Delay: 1,
    channels: europe.slice(0, 3),
  },
  {
    ...otaa(7, 'A7'),
    id: 'sensor-joining',
    about: 'OTAA with a pending session only',
    macState: 'none',
    lastDevNonce: 1,
    lastJoinNonce: 1,
    pendingSession: session10('27001007', 'B7', 'C7', 0, 0),
  },
  {
    ...abp(8),
    id: 'valve-abp',
    about: 'ABP 1.0.3',
    session: session10('27001008', 'B8', 'C8', 5021, 33),
    identity: { name: 'Valve' },
    network: {
      mac_settings: {
        rx1_delay: 1,
        desired_rx1_delay: 1,
        factory_preset_frequencies: ['868100000', '868300000', '868500000'],
      },
    },
  },
  {
    ...abp(9),
    id: 'valve-16-bit',
    about: 'ABP with 16-bit counters near their end',
    counterBits: 16,
    session: session10('27001009', 'B9', 'C9', 65533, 4),
    network: { mac_settings: { supports_32_bit_f_cnt: false, rx1_delay: 1 } },
  },
  {
    ...abp(10),
    id: 'valve-resets',
    about: 'ABP that may start again at 0',
    session: session10('2700100A', 'BA', 'CA', 48, 7),
    network: { mac_settings: { resets_f_cnt: true, rx1_delay: 1 } },
  },
  {
    ...otaa(11, 'AB'),
    id: 'lamp-class-c',
    about: 'OTAA, class C with a timeout',
    session: session10('2700100B', 'BB', 'CB', 900, 210),
    lastDevNonce: 5,
    lastJoinNonce: 5,
    network: { supports_class_c: true, mac_settings: { class_c_timeout: '12.500s' } },
  },
  {
    ...otaa(12, 'AC'),
    id: 'beacon-class-b',
    about: 'OTAA, class B with ping slots',
    session: session10('2700100C', 'BC', 'CC', 77, 31),
    lastDevNonce: 6,
    lastJoinNonce: 6,
    network: {
      supports_class_b: true,
      mac_settings: {
        class_b_timeout: '60s',
        ping_slot_periodicity: 'PING_EVERY_16S',
        ping_slot_frequency: '869525000',
        ping_slot_data_rate_index: 3,
      },
    },
  },
  {
    ...otaa(13, 'AD'),
    id: 'sensor-half',
    about: 'registered on the Identity Server alone',
    registeredOn: 'identity-server',
    macState: 'none',
  },
  {
    ...otaa(14, 'AE'),
    id: 'meter-muted',
    about: 'muted before any migration',
    session: session10('2700100E', 'BE', 'CE', 18, 2),
    lastDevNonce: 3,
    lastJoinNonce: 3,
    network: { mac_settings: { schedule_downlinks: false } },
  },
  {
    ...otaa(15, 'AF'),
    id: 'meter-umlaut',
    about: 'name and description beyond ASCII',
    session: session10('2700100F', 'BF', 'CF', 640, 9),
    lastDevNonce: 8,
    lastJoinNonce: 8,
    identity: { name: 'Zähler Straße № 7 ✓', description: 'Überwachung 温度' },
  },
  {
    ...otaa(16, '9A'),
    id: 'sensor-decoder',
    about: 'payload formatters',
    session: session10('27001010', '9B', '9C', 3001, 12),
    lastDevNonce: 10,
    lastJoinNonce: 10,
    application: {
      formatters: {
        up_formatter: 'FORMATTER_JAVASCRIPT',
        up_formatter_parameter: 'function decodeUplink(input) { return { data: { bytes: input.bytes } } }',
        down_formatter: 'FORMATTER_CAYENNELPP',
      },
    },
  },
  {
    ...otaa(17, '8A'),
    id: 'meter-timing',
    about: 'an RX timing request is on its way',
    rx1Delay: 1,
    session: session10('27001011', '8B', '8C', 505, 44),
    lastDevNonce: 11,
    lastJoinNonce: 11,
    pendingRequests: [{ cid: 'CID_RX_TIMING_SETUP', rx_timing_setup_req: { delay: 5 } }],
  },
  {
    ...base,
    id: 'lamps-group',
    about: 'multicast group, class C',
    rx1Delay: 1,
    multicast: true,
    macState: 'derived',
    session: { ...session10('27001012', '7B', '7C', 0, 25) },
    network: { multicast: true, supports_class_c: true },
  },
  {
    ...otaa(19, '6A'),
    id: 'tracker-19',
    about: 'attributes, versions and a location',
    session: session10('27001013', '6B', '6C', 210, 3),
    lastDevNonce: 13,
    lastJoinNonce: 13,
    identity: {
      name: 'Tracker 19',
      attributes: { floor: '3', wing: 'b' },
      version_ids: {
        brand_id: 'acme-iot',
        model_id: 'tracker',
        hardware_version: '1.0',
        firmware_version: '1.2',
        band_id: 'EU_863_870',
      },
      locations: { user: { latitude: 52.1, longitude: 4.9, altitude: 3, source: 'SOURCE_REGISTRY' } },
    },
  },
  {
    ...otaa(20, '5A'),
    id: 'meter-us915',
    about: 'US915, eight channels by mask',
    frequencyPlan: 'US_902_928_FSB_2',
    channels: [903900000, 904100000, 904300000, 904500000, 904700000, 904900000, 905100000, 905300000],
    session: session10('27001014', '5B', '5C', 92, 8),
    lastDevNonce: 14,
    lastJoinNonce: 14,
  },
]

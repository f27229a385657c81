/** A device as handler and network server keep it together; keys and EUIs as upper-case hex, '' for none. */
export interface V2Device {
  readonly appId: string
  readonly devId: string
  readonly description: string
  readonly latitude: number
  readonly longitude: number
  readonly altitude: number
  readonly attributes: Readonly<Record<string, string>>
  readonly appEui: string
  readonly devEui: string
  readonly devAddr: string
  readonly nwkSKey: string
  readonly appSKey: string
  readonly appKey: string
  /** Last uplink counter seen. */
  readonly fCntUp: number
  /** The next one to use. */
  readonly fCntDown: number
  readonly disableFCntCheck: boolean
  readonly uses32BitFCnt: boolean
  readonly activationConstraints: string
  /** Unix nanoseconds; 0n for never. */
  readonly lastSeen: bigint
  readonly usedDevNonces: readonly number[]
}

export const emptyDevice = (appId: string, devId: string): V2Device => ({
  appId,
  devId,
  description: '',
  latitude: 0,
  longitude: 0,
  altitude: 0,
  attributes: {},
  appEui: '',
  devEui: '',
  devAddr: '',
  nwkSKey: '',
  appSKey: '',
  appKey: '',
  fCntUp: 0,
  fCntDown: 0,
  disableFCntCheck: false,
  uses32BitFCnt: false,
  activationConstraints: 'local',
  lastSeen: 0n,
  usedDevNonces: [],
})

/** The fewest decimals that name a 32-bit float. */
const float32 = (value: number): number => {
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(Math.fround(value).toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return Math.fround(value)
}

/** All zero bytes mean nothing. */
const bytes = (hex: string): string => (/^0*$/.test(hex) ? '' : hex)

const present = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== 0 && value !== false && value !== undefined && value !== '',
    ),
  )

/**
 * The device as the API prints it: zero values left out apart from bytes, `last_seen` and counters only where it is
 * asked for alone (V2 notes, section 6).
 */
export const printDevice = (
  device: V2Device,
  { alone }: { readonly alone: boolean },
): Record<string, unknown> => ({
  app_id: device.appId,
  dev_id: device.devId,
  lorawan_device: {
    app_eui: device.appEui,
    dev_eui: device.devEui,
    app_id: device.appId,
    dev_id: device.devId,
    dev_addr: bytes(device.devAddr),
    nwk_s_key: bytes(device.nwkSKey),
    app_s_key: bytes(device.appSKey),
    app_key: bytes(device.appKey),
    ...present({
      f_cnt_up: alone ? device.fCntUp : 0,
      f_cnt_down: alone ? device.fCntDown : 0,
      disable_f_cnt_check: device.disableFCntCheck,
      uses32_bit_f_cnt: device.uses32BitFCnt,
      activation_constraints: device.activationConstraints,
      last_seen: alone && device.lastSeen > 0n ? String(device.lastSeen) : undefined,
    }),
  },
  ...present({
    latitude: float32(device.latitude),
    longitude: float32(device.longitude),
    altitude: device.altitude,
    attributes:
      Object.keys(device.attributes).length === 0
        ? undefined
        : Object.fromEntries(Object.entries(device.attributes).sort(([a], [b]) => (a < b ? -1 : 1))),
    description: device.description,
  }),
})

import type { SampleDevice } from './types.ts'

const europe = [868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9].map((megahertz) =>
  Math.round(megahertz * 1e6),
)

const hex = (number: number, digits: number): string =>
  number.toString(16).toUpperCase().padStart(digits, '0')

/** A key that names its use and its device, so that nobody takes it for a real one. */
const key = (use: string, number: number): string => `${use}${hex(number, 30)}`

/**
 * Device number so and so of a large fleet: OTAA, LoRaWAN 1.0.3, with a running session and a complete MAC state. What a
 * list calls `meter-000017` is number 17, and its counters follow from its number.
 */
export const fleetDevice = (number: number): SampleDevice => {
  const networkKey = key('B1', number)
  return {
    id: `meter-${String(number).padStart(6, '0')}`,
    about: 'one of many',
    devEui: `70B3D57EF0${hex(number, 6)}`,
    joinEui: '70B3D57ED000B000',
    lorawanVersion: 'MAC_V1_0_3',
    phyVersion: 'PHY_V1_0_3_REV_A',
    frequencyPlan: 'EU_863_870_TTN',
    rootKeys: { appKey: key('A1', number) },
    session: {
      devAddr: `27${hex(number, 6)}`,
      keys: {
        fNwkSIntKey: networkKey,
        sNwkSIntKey: networkKey,
        nwkSEncKey: networkKey,
        appSKey: key('C1', number),
      },
      lastFCntUp: 1000 + (number % 1000),
      lastNFCntDown: 20,
      lastAFCntDown: 20,
    },
    lastDevNonce: 1 + (number % 60_000),
    lastJoinNonce: 2,
    rx1Delay: 5,
    dataRate: 'SF7BW125',
    channels: europe,
    counterBits: 32,
    multicast: false,
    registeredOn: 'all',
    identity: { name: `Meter ${number}`, attributes: { floor: String(number % 40) } },
    macState: 'complete',
  }
}

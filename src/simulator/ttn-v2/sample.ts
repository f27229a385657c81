import { emptyDevice, type V2Device } from './device.ts'
import { euisOf, ISSUER, keyOf, type V2Network } from './network.ts'

const byte = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0')
const key = (use: string, number: number): string => `${use}${byte(number)}`.repeat(8)

/** EUIs and keys that name their device and their use, so that nobody takes them for real ones. */
const identified = (application: string, devId: string, number: number): V2Device => ({
  ...emptyDevice(application, devId),
  appEui: '70B3D57ED000A000',
  devEui: `70B3D57ED00A00${byte(number)}`,
})

const session = (number: number, fCntUp: number, fCntDown: number) =>
  ({
    devAddr: `26000A${byte(number)}`,
    nwkSKey: key('5B', number),
    appSKey: key('5C', number),
    fCntUp,
    fCntDown,
    lastSeen: 1_700_000_000_000_000_000n,
  }) satisfies Partial<V2Device>

/** One device of each kind that a V2 application may hold, awkward ones among them. */
const sampleV2Devices = (application: string): readonly V2Device[] => {
  const made = (devId: string, number: number, more: Partial<V2Device>): V2Device => ({
    ...identified(application, devId, number),
    ...more,
  })
  return [
    made('meter-new', 1, { appKey: key('5A', 1), uses32BitFCnt: true, description: 'never joined' }),
    made('meter-1', 2, {
      appKey: key('5A', 2),
      uses32BitFCnt: true,
      latitude: 52.379189,
      longitude: 4.899431,
      altitude: -2,
      attributes: { site: 'depot', 'ttn-brand': 'acme' },
      ...session(2, 1200, 40),
    }),
    made('valve-1', 3, { uses32BitFCnt: true, ...session(3, 500, 8) }),
    made('valve-16', 4, { ...session(4, 300, 5), disableFCntCheck: true }),
    made('keyless', 5, {}),
    made('a_b', 6, { appKey: key('5A', 6), uses32BitFCnt: true }),
    made('a-b', 7, { appKey: key('5A', 7), uses32BitFCnt: true }),
    made('meter_with_notes', 8, {
      appKey: key('5A', 8),
      uses32BitFCnt: true,
      attributes: { 'Floor Number': '3', x: '1' },
    }),
  ]
}

/** Any number of OTAA devices that never joined. */
const more = (application: string, count: number): readonly V2Device[] =>
  Array.from({ length: count }, (_, index) => ({
    ...identified(application, `device-${String(index).padStart(6, '0')}`, 0),
    devEui: `70B3D57EE0${index.toString(16).toUpperCase().padStart(6, '0')}`,
    appKey: key('5D', index % 256),
    uses32BitFCnt: true,
  }))

const SECRET = 'MADE-UP-ACCESS-KEY-OF-A-LOCAL-NETWORK'

/** Registers the application with a key that has all rights, and the sample where it is wanted. @returns the key */
export const setUpV2 = (
  network: V2Network,
  application: string,
  { empty, devices }: { readonly empty: boolean; readonly devices: number },
): string => {
  const accessKey = `${ISSUER}.${SECRET}`
  network.accessKeys.set(accessKey, { application, rights: ['settings', 'devices', 'delete', 'messages'] })
  network.applications.set(application, {
    appId: application,
    payloadFormat: '',
    decoder: '',
    converter: '',
    validator: '',
    encoder: '',
  })
  for (const device of [...(empty ? [] : sampleV2Devices(application)), ...more(application, devices)]) {
    network.devices.set(keyOf(application, device.devId), device)
    network.euis.set(euisOf(device), keyOf(application, device.devId))
  }
  return accessKey
}

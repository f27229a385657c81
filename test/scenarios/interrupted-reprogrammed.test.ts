import { isProgrammed } from '../support/acts.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { interruptions, type Story } from '../support/interruptions.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  lastDevNonce: 7,
}
const METER_11: DeviceSpec = { ...METER, version: 'MAC_V1_1' }
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1 },
}

const RETIRED = 'verify: { retireAfter: 0s }'

const reprogrammed = (spec: DeviceSpec, plan: string, withoutIdentity = false): Story => ({
  fleet: [spec],
  plan,
  options: { withoutIdentity },
  isReprogrammed: true,
  next: [isProgrammed(spec.id)],
})

const GENERATE = `policy: { persistSession: true, rootKeys: generate, deleteSource: after-heard }\n${RETIRED}`
const REPROGRAM = 'policy: { persistSession: true, abp: reprogram }'
const TO_OTAA = `policy: { persistSession: true, abp: to-otaa }
devices:
  include: [{ all: true }]
  overrides:
    - { match: "valve-*", set: { joinEui: "70B3D57ED0009009" } }`

interruptions('a device that will be re-programmed', {
  'with new root keys': reprogrammed(METER, GENERATE),
  'with new root keys, without an identity at hand': reprogrammed(METER, GENERATE, true),
  'with new root keys of LoRaWAN 1.1': reprogrammed(METER_11, GENERATE, true),
  'with a new session': reprogrammed(VALVE, REPROGRAM),
  'with a new session, without an identity at hand': reprogrammed(VALVE, REPROGRAM, true),
  'to join': reprogrammed(VALVE, TO_OTAA),
  'to join, without an identity at hand': reprogrammed(VALVE, TO_OTAA, true),
})

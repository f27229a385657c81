import type { DeviceSpec } from './fleet.ts'

/** LoRaWAN 1.0.3, with a counter beyond 16 bits and nonces that were used. */
export const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 70_000,
  nFCntDown: 12,
  usedDevNonces: [3, 9],
  lastJoinNonce: 4,
}

/** LoRaWAN 1.1: two downlink counters, and nonces that count. */
export const METER_11: DeviceSpec = {
  id: 'meter-11',
  number: 2,
  mode: 'otaa',
  version: 'MAC_V1_1',
  fCntUp: 95,
  nFCntDown: 14,
  aFCntDown: 6,
  lastDevNonce: 9,
  lastJoinNonce: 5,
}

export const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 3,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1 },
}

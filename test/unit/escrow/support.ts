import type { NewCredentials } from '../../../src/domain/credentials.ts'
import type { DeviceRecord } from '../../../src/domain/device.ts'
import type { DevAddr, DevEui, JoinEui } from '../../../src/domain/identifiers.ts'
import { Secret } from '../../../src/domain/secret.ts'

export const clock = () => new Date('2026-11-21T08:00:00Z')

const hexOf = (n: number, digits: number): string => n.toString(16).toUpperCase().padStart(digits, '0')

/** Keys of a made-up device: 32 upper-case hex digits, none like that of another. */
export const keysOf = (n: number): { readonly appKey: string; readonly appSKey: string } => ({
  appKey: `A0B1C2D3E4F50617${hexOf(n * 7919 + 1, 16)}`,
  appSKey: `5E55104EC0FFEE00${hexOf(n * 104729 + 3, 16)}`,
})

export const deviceOf = (n: number): DeviceRecord => ({
  ids: {
    deviceId: `meter-${n}`,
    devEui: `70B3D57E${hexOf(n + 1, 8)}` as DevEui,
    joinEui: '0000000000000000' as JoinEui,
  },
  registries: {
    'identity-server': { name: `Zähler ${n}`, attributes: { floor: '3' } },
    'join-server': { 'root_keys.app_key.key': new Secret(keysOf(n).appKey), last_dev_nonce: 17 },
    'network-server': {
      'session.keys.app_s_key.key': new Secret(keysOf(n).appSKey),
      'mac_state.pending_requests': [{ cid: 'CID_RX_TIMING_SETUP' }],
      'mac_settings.schedule_downlinks': null,
    },
  },
})

/** New credentials of a made-up device, with root keys. */
export const otaaOf = (n: number): NewCredentials => ({
  device: `meter-${n}`,
  target: `target-${n}`,
  activation: 'otaa',
  lorawanVersion: 'MAC_V1_0_3',
  frequencyPlan: 'EU_863_870_TTN',
  devEui: `70B3D57E${hexOf(n + 1, 8)}` as DevEui,
  joinEui: '0000000000000000' as JoinEui,
  rootKeys: { appKey: new Secret(keysOf(n).appKey) },
})

/** New credentials of a made-up ABP device, whose DevAddr reads like a number. */
export const abpOf = (n: number): NewCredentials => ({
  device: `meter-${n}`,
  target: `meter-${n}`,
  activation: 'abp',
  lorawanVersion: 'MAC_V1_0_2',
  frequencyPlan: 'EU_863_870_TTN',
  session: {
    devAddr: '1E500000' as DevAddr,
    appSKey: new Secret(keysOf(n).appSKey),
    fNwkSIntKey: new Secret(keysOf(n).appKey),
  },
})

/** The record with every secret in plain text, so that two records can be compared. */
export const revealed = (value: unknown): unknown => {
  if (value instanceof Secret) return { isSecret: true, value: value.reveal() }
  if (Array.isArray(value)) return value.map(revealed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]))
}

/** A key as it could appear in a file: hex of both cases, base64 with and without padding, and raw. */
export const spellingsOf = (key: string): readonly Buffer[] => {
  const raw = Buffer.from(key, 'hex')
  const texts = [
    key,
    key.toLowerCase(),
    raw.toString('base64'),
    raw.toString('base64url'),
    raw.toString('base64').replace(/=+$/, ''),
  ]
  return [raw, ...texts.map((text) => Buffer.from(text))]
}

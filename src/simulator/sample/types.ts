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

/** Frequency in Hz and data rate of a window in which a device hears what comes without an uplink. */
export interface Listening {
  readonly frequency: number
  readonly dataRate: string
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
  /** RX2 of a class C device or group, the ping slots of a class B one. */
  readonly listens?: Listening
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

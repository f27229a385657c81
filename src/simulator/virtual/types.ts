import type { JoinAccept } from '../radio/frames.ts'
import type { Command } from '../radio/mac-commands.ts'
import type { Listening, SampleDevice, SampleSession, SampleSessionKeys } from '../sample/types.ts'

/** A frame on its way to a gateway: frequency in Hz. */
interface SentFrame {
  readonly frequency: number
  readonly dataRate: string
  readonly phyPayload: Buffer
}

/** A frame from a gateway: frequency in Hz, delay in seconds after the uplink. */
export interface ReceivedFrame extends SentFrame {
  readonly delay: number
}

/** What a network made of a frame. `uplink` is what its Application Server passed on, payload in base64. */
export interface NetworkAnswer {
  readonly accepted: boolean
  readonly reason?: string
  readonly downlinks: readonly ReceivedFrame[]
  readonly uplink?: {
    readonly application: string
    readonly device: string
    readonly fCnt: number
    readonly fPort: number
    readonly frmPayload: string
  }
}

/** What a gateway has sent (`Transmission` of the network), as `antennaOf` reads it. */
export interface AirFrame extends SentFrame {
  readonly gatewayId: string
  readonly class: 'A' | 'B' | 'C'
  readonly time: string
}

/** Carries a frame to a network and brings its answer; see `radioOf`. */
export type Send = (frame: SentFrame) => Promise<NetworkAnswer>

/** A data downlink that the device heard and took. */
export interface HeardDownlink {
  /** Whole counter. */
  readonly fCnt: number
  readonly ack: boolean
  readonly confirmed: boolean
  readonly fPort: number | undefined
  /** Decrypted. */
  readonly payload: Buffer
  readonly commands: readonly Command[]
}

/** One transmission as the device saw it. `missed` says why it could not take what was sent. */
export interface UplinkOutcome {
  readonly accepted: boolean
  readonly reason?: string
  readonly fCnt: number
  readonly downlinks: readonly HeardDownlink[]
  readonly missed: readonly string[]
  readonly uplink?: NetworkAnswer['uplink']
}

/** A frame of class B or C that the device took. `multicast` is true for one to a group. */
export interface HeardTransmission extends HeardDownlink {
  readonly devAddr: string
  readonly multicast: boolean
}

/** What a device made of transmissions. `missed` says why it could not take those that were for it. */
export interface HearingOutcome {
  readonly downlinks: readonly HeardTransmission[]
  readonly missed: readonly string[]
}

/** `joined` is true when the device has taken a join-accept. */
export interface JoinOutcome {
  readonly accepted: boolean
  readonly joined: boolean
  readonly reason?: string
  readonly devNonce: number
  readonly accept?: JoinAccept
  readonly missed: readonly string[]
}

export interface UplinkOptions {
  readonly confirmed?: boolean
  readonly payload?: Buffer
  readonly fPort?: number
  /** In Hz; the first of the device's channels when left out. */
  readonly frequency?: number
}

/** A multicast session that somebody gave to a device. `lastFCntDown` is the last counter it has heard, -1 for none. */
export interface MulticastSession {
  readonly devAddr: string
  readonly keys: SampleSessionKeys
  readonly lastFCntDown: number
  /** Where the group is sent to; any when left out. */
  readonly listens?: Listening
}

/** What makes a device forget its session and join: a downlink on this port and, if given, with just this payload. */
export interface RejoinTrigger {
  readonly fPort: number
  readonly payload?: Buffer
}

/** What a device is made of. Counters and nonces are the last used ones. */
export interface VirtualDeviceOptions {
  readonly devEui?: string
  readonly joinEui?: string
  readonly lorawanVersion: SampleDevice['lorawanVersion']
  readonly frequencyPlan: string
  readonly rootKeys?: { readonly appKey: string; readonly nwkKey?: string }
  readonly session?: SampleSession
  readonly lastDevNonce?: number
  readonly lastJoinNonce?: number
  /** In seconds. */
  readonly rx1Delay: number
  readonly dataRate: string
  /** In Hz, in the order of the network's channel indexes. */
  readonly channels: readonly number[]
  readonly counterBits?: 16 | 32
  /** Class B and C hear what comes without an uplink; A, the default, does not. */
  readonly deviceClass?: 'A' | 'B' | 'C'
  /** Where a class B or C device listens; anywhere when left out. Joining and MAC commands move the data rate. */
  readonly listens?: Listening
  readonly multicast?: readonly MulticastSession[]
  readonly rejoinOn?: RejoinTrigger
}

/** A LoRaWAN device in memory, with its keys and counters. */
export interface VirtualDevice {
  /** Sends a join-request and takes the accept, if one is heard. */
  join(send: Send, frequency?: number): Promise<JoinOutcome>
  /** Sends data and takes what is heard. Throws without a session. */
  uplink(send: Send, options?: UplinkOptions): Promise<UplinkOutcome>
  /** Takes what was sent to it, or to its groups, without an uplink. Repeats are missed: counters have to rise. */
  hear(transmissions: readonly AirFrame[]): HearingOutcome
  /** Starts its counters again at 0, as an ABP device does after a power cycle. */
  resetCounters(): void
  /** Switched off and on: counters and MAC parameters start again; an OTAA device has no session and has to join. */
  powerCycle(): void
  /** The session as the device holds it now; undefined before it joined. */
  readonly session: SampleSession | undefined
  /** In seconds. */
  readonly rx1Delay: number
  readonly channels: readonly number[]
  readonly lastDevNonce: number
  /** True for an OTAA device without a session: the next thing that it does is to join. */
  readonly wantsJoin: boolean
}

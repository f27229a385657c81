import type { JoinAccept } from '../radio/frames.ts'
import type { Command } from '../radio/mac-commands.ts'
import type { SampleDevice, SampleSession } from '../sample/types.ts'

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
}

/** A LoRaWAN device in memory, with its keys and counters. */
export interface VirtualDevice {
  /** Sends a join-request and takes the accept, if one is heard. */
  join(send: Send, frequency?: number): Promise<JoinOutcome>
  /** Sends data and takes what is heard. Throws without a session. */
  uplink(send: Send, options?: UplinkOptions): Promise<UplinkOutcome>
  /** Starts its counters again at 0, as an ABP device does after a power cycle. */
  resetCounters(): void
  /** The session as the device holds it now; undefined before it joined. */
  readonly session: SampleSession | undefined
  /** In seconds. */
  readonly rx1Delay: number
  readonly channels: readonly number[]
  readonly lastDevNonce: number
}

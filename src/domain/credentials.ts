import type { DevAddr, DevEui, JoinEui } from './identifiers.ts'
import type { Secret } from './secret.ts'

/**
 * What a device has to be programmed with: new keys, EUIs or a new DevAddr, made for its registration on the target.
 * Keys are 32 upper-case hex digits. Nothing of it is on a network before it is safe in the escrow folder.
 */
export interface NewCredentials {
  /** Device id on the source. */
  readonly device: string
  /** Device id on the target. */
  readonly target: string
  readonly activation: 'otaa' | 'abp'
  /** `MAC_V1_0_3` */
  readonly lorawanVersion: string
  readonly frequencyPlan: string
  readonly devEui?: DevEui
  readonly joinEui?: JoinEui
  /** OTAA; `nwkKey` for LoRaWAN 1.1 alone. */
  readonly rootKeys?: { readonly appKey: Secret; readonly nwkKey?: Secret }
  /** ABP; below LoRaWAN 1.1 the one NwkSKey is `fNwkSIntKey`. */
  readonly session?: {
    readonly devAddr: DevAddr
    readonly appSKey: Secret
    readonly fNwkSIntKey: Secret
    readonly sNwkSIntKey?: Secret
    readonly nwkSEncKey?: Secret
  }
}

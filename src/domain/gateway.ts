import type { Diagnostic } from './diagnostic.ts'
import type { ErrorRecord } from './journal.ts'
import type { Json } from './json.ts'
import type { Secret } from './secret.ts'

/** Key with which a Basics Station speaks to its LoRaWAN Network Server. */
interface LnsKey {
  readonly keyId?: string
  /** As the API has it, base64. */
  readonly value: Secret
}

/** A gateway as a network registers it. */
export interface GatewayRecord {
  readonly id: string
  /** 16 hex digits; a gateway may be registered without. */
  readonly eui?: string
  /** By the name of the field in the API, such as `frequency_plan_ids`; what belongs to the network or to its people is left out. */
  readonly settings: Readonly<Record<string, Json>>
  /** Absent where there is none, or the credential may not see it. */
  readonly lnsKey?: LnsKey
}

/** Whose a gateway is on The Things Stack. */
export type GatewayOwner = { readonly user: string } | { readonly organization: string }

/** ISO 8601 times as the Gateway Server tells them. */
export interface GatewayConnection {
  readonly connectedAt?: string
  readonly disconnectedAt?: string
  readonly lastUplinkAt?: string
}

/** A gateway that has heard a device, as an uplink tells it. */
export interface Carrier {
  readonly id: string
  readonly eui?: string
}

/** A network's gateways, as far as its credential may see them. */
export interface GatewaysPort {
  /** All that the credential sees, with settings and keys as far as it may. */
  list(): Promise<readonly GatewayRecord[]>
  /** What anybody may see of a gateway by its id; undefined where there is none. */
  find(id: string): Promise<Carrier | undefined>
  create(gateway: GatewayRecord, owner: GatewayOwner): Promise<void>
  update(gateway: GatewayRecord): Promise<void>
  /** Undefined where it has never connected. */
  connection(id: string): Promise<GatewayConnection | undefined>
}

/** Some of many devices. */
export interface Some {
  readonly count: number
  /** A few of them, by device id on the source. */
  readonly examples: readonly string[]
}

/**
 * What becomes of one gateway, in the order in which they are best moved. create: its registration is copied. update: its own
 * registration on the target has other settings. same: nothing is to be written. blocked: left alone until a person acts.
 */
export interface GatewayChange {
  /** Id on the source. */
  readonly gateway: string
  readonly target: string
  readonly eui?: string
  readonly action: 'create' | 'update' | 'same' | 'blocked'
  /** Fields that are written, by name. */
  readonly settings: readonly string[]
  /** none: the source has none, or does not show it. */
  readonly lnsKey: 'carried' | 'same' | 'none'
  /** Devices that it has heard last. */
  readonly carries: number
  /** Devices that nobody on the source hears any more once it has left, of those that move. */
  readonly loses: Some
  /** The same, of devices that stay on the source: nobody will hear them. */
  readonly orphans: Some
  /** Keyed digests of what was read on both sides; null where the target has none. */
  readonly expect: { readonly source: string; readonly target: string | null }
  readonly findings: readonly Diagnostic[]
}

/** What an apply did with a registration. */
export interface GatewayResult {
  readonly gateway: string
  readonly target: string
  readonly status: 'registered' | 'updated' | 'failed'
  readonly error?: ErrorRecord
}

/** How a gateway that the plan moves is connected to the target. */
export interface GatewayRow {
  readonly gateway: string
  readonly target: string
  /** connected: now. gone: it was. never: not yet. absent: not registered there. */
  readonly status: 'connected' | 'gone' | 'never' | 'absent'
  /** ISO 8601. */
  readonly lastUplinkAt?: string
}

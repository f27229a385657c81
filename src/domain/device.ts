import type { Diagnostic } from './diagnostic.ts'
import type { DevEui, JoinEui } from './identifiers.ts'
import type { Json } from './json.ts'
import type { Secret } from './secret.ts'

/** The registries that hold a part of a device each, in the order in which a device is created. */
export const REGISTRIES = ['identity-server', 'join-server', 'application-server', 'network-server'] as const
export type Registry = (typeof REGISTRIES)[number]

/** A field mask path of The Things Stack within one registry, such as `mac_settings.rx1_delay`. */
export type FieldPath = string
export type FieldValue = Json | Secret
/** The fields that one registry holds; a field that is not set is absent (absent is not false). */
export type Fields = Readonly<Record<FieldPath, FieldValue>>

export interface DeviceIds {
  /** Unique in its application. */
  readonly deviceId: string
  readonly devEui?: DevEui
  readonly joinEui?: JoinEui
}

/**
 * A device as its registries hold it, each apart: a registry that does not know the device is absent.
 * Field names and values are those of The Things Stack, the widest of the networks' device records;
 * other networks map to them in their adapter. Frequencies are decimal strings in Hz, delays seconds,
 * keys `Secret`s of upper-case hex.
 */
export interface DeviceRecord {
  readonly ids: DeviceIds
  readonly registries: { readonly [R in Registry]?: Fields }
  /** What the network itself holds where it is not a The Things Stack: to put the device back there as it was. */
  readonly original?: Original
  readonly untold?: Untold
  /** What a person should know of how it was read: what its file had wrong and was repaired, or can not be read. */
  readonly findings?: readonly Diagnostic[]
}

/** What its network or file can not tell of a device. */
export interface Untold {
  /** How far it has counted JoinNonces. */
  readonly joinNonces?: true
  /** Its frame counters. */
  readonly counters?: true
  /** So many downlinks may have been sent to it between the reading and the end of the source. */
  readonly downlinks: number
}

/** A device in its network's own words, keys as `Secret`s. */
export type Original = { readonly [name: string]: Json | Secret | Original }

/** How the device is activated: by joining, by fixed session keys, or never (a multicast group). */
export type Activation = 'otaa' | 'abp' | 'multicast'

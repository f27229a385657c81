import type { DeviceIds, DeviceRecord, FieldPath, Fields, Registry } from './device.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { DevAddrPrefix } from './identifiers.ts'
import type { JournalRecord } from './journal.ts'
import type { Json } from './json.ts'
import type { SelectableDevice } from './migration-plan.ts'

/** Which application of which network: stable, printable, without credentials. */
export interface NetworkIdentity {
  /** `things-stack` */
  readonly network: string
  /** Host and port that serve the Network Server, such as `eu1.cloud.thethings.network`. */
  readonly host: string
  readonly application: string
}

/** What a credential is asked to do; decides the rights that are required. */
export type Intent = 'read-source' | 'migrate-source' | 'read-target' | 'migrate-target'

/** What is true of a network as a whole, read once a run. */
export interface NetworkFacts {
  /** As the server says it; absent where it does not. */
  readonly version?: string
  readonly netId?: string
  readonly devAddrPrefixes: readonly DevAddrPrefix[]
  /** Frequency plan ids with their band; empty where the network does not say. */
  readonly frequencyPlans: readonly { readonly id: string; readonly band?: string }[]
  /** PHY versions by band, as `{ EU_863_870: ['PHY_V1_0_2_REV_B', ...] }`; empty where the network does not say. */
  readonly phyVersions: Readonly<Record<string, readonly string[]>>
  /** The three server addresses that a device of this network carries; absent addresses are left out. */
  readonly serverAddresses: Fields
}

/**
 * One write on one registry: sets `fields`, and clears the paths of `clear` (masked and absent).
 * `create` tells the Identity Server to create instead of update; the other registries upsert.
 */
export interface RegistryWrite {
  readonly registry: Registry
  readonly ids: DeviceIds
  readonly fields: Fields
  readonly clear?: readonly FieldPath[]
  readonly create?: boolean
}

/** A device of an application that the plan does not name. */
export interface HeldElsewhere extends DeviceIds {
  readonly application: string
}

/**
 * A network as the engine sees it. One call is one API write, or the reads of one device; waiting,
 * reading back and deciding live in the engine. Every method throws `NetworkError` when the network
 * refuses or does not answer; reads that found nothing are values.
 */
export interface NetworkPort {
  readonly identity: NetworkIdentity
  /** Checks that the application exists and that the credential has every right, each missing one a finding. */
  preflight(intent: Intent): Promise<readonly Diagnostic[]>
  facts(): Promise<NetworkFacts>
  /** Default MAC settings of a frequency plan and PHY version, such as `{ desired_rx1_delay: 5 }`. */
  defaultMacSettings(frequencyPlan: string, phyVersion: string): Promise<Readonly<Record<string, Json>>>
  /** All devices that the Identity Server knows in this application with their attributes, by device id, in pages. */
  list(): AsyncIterable<readonly SelectableDevice[]>
  /**
   * Devices in other applications of the network, as far as the credential may look: to name the holder of EUIs
   * that are taken before anything is written. Empty where it may not.
   */
  elsewhere(): Promise<readonly HeldElsewhere[]>
  /** Reads all registries; the record lists those that know the device. No registry: `registries` is empty. */
  read(deviceId: string): Promise<DeviceRecord>
  /** Reads only what being heard shows: session, pending session and counters of the Network Server. */
  readSession(deviceId: string): Promise<Fields | undefined>
  /** Number of application downlinks in the queue; undefined where the credential may not see it. */
  queuedDownlinks(deviceId: string): Promise<number | undefined>
  write(write: RegistryWrite): Promise<void>
  /** `absent` where the registry did not know the device. */
  remove(registry: Registry, ids: DeviceIds): Promise<'done' | 'absent'>
  close(): Promise<void>
}

/** The open state file of one run. Both methods return once the records are on the disk (synced). */
export interface JournalPort {
  readonly lineage: string
  /** Number of records in the file. */
  readonly serial: number
  append(records: readonly JournalRecord[]): Promise<void>
  close(): Promise<void>
}

export type EscrowStage = 'A' | 'B'

/** Where full records are kept, encrypted, before a source is touched. */
export interface EscrowPort {
  /**
   * Returns once the record is encrypted, written, synced and read back; calls that come together share a
   * file. The answer names the file and the line in it (0 first), as the state keeps it.
   */
  store(stage: EscrowStage, record: DeviceRecord): Promise<{ readonly file: string; readonly line: number }>
}

/** Tells the time; tests set it. */
export type Clock = () => Date

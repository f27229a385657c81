import type { ApplicationPort } from './application.ts'
import type { NewCredentials } from './credentials.ts'
import type { DeviceIds, DeviceRecord, FieldPath, Fields, Registry } from './device.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { GatewaysPort } from './gateway.ts'
import type { DevAddr, DevAddrPrefix } from './identifiers.ts'
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

/** What a plan wants of a queue of downlinks besides: to know what waits in it, to append to it. */
export type QueueNeed = 'read-queue' | 'write-queue'

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

/** An application downlink that waits to be sent. */
export interface QueuedDownlink {
  /** 1 to 223. */
  readonly fPort: number
  /** Base64, decrypted. */
  readonly payload: string
  readonly confirmed: boolean
  /** `HIGH` and its like; absent for the lowest. */
  readonly priority?: string
  /** Gateways and time of a class B or C downlink, as the Application Server takes it. */
  readonly classBC?: Json
  /** Of the client that queued it; the network adds its own. */
  readonly correlationIds: readonly string[]
}

/** Default payload formatters of an application, in the words of The Things Stack; a parameter is JavaScript. */
export interface Formatters {
  readonly up_formatter?: string
  readonly up_formatter_parameter?: string
  readonly down_formatter?: string
  readonly down_formatter_parameter?: string
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
  /**
   * Checks that the application exists and that the credential has every right, each missing one a finding. `needs`
   * makes rights required that an intent can do without.
   */
  preflight(intent: Intent, needs?: readonly QueueNeed[]): Promise<readonly Diagnostic[]>
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
  /**
   * Reads all registries, or those that are named at least; the record lists those that know the device. No registry: `registries` is
   * empty.
   */
  read(deviceId: string, registries?: readonly Registry[]): Promise<DeviceRecord>
  /** Reads only what being heard shows: session, pending session and counters of the Network Server. */
  readSession(deviceId: string): Promise<Fields | undefined>
  /**
   * When each device of the application was seen last, in bulk, as texts to compare: no proof of being heard (a join request moves
   * it too), but one that did not move was not heard since.
   */
  lastSeen?(): Promise<ReadonlyMap<string, string>>
  /** Application downlinks in the queue, in their order; undefined where the credential may not see it. */
  downlinkQueue(deviceId: string): Promise<readonly QueuedDownlink[] | undefined>
  /** Appends to the queue. A second call appends again: what is there is to be read first. */
  pushDownlinks(deviceId: string, downlinks: readonly QueuedDownlink[]): Promise<void>
  /** The queue holds these, in their order, and nothing else. */
  replaceDownlinks(deviceId: string, downlinks: readonly QueuedDownlink[]): Promise<void>
  /** A DevAddr of the network's own block, for an ABP device that is re-programmed. */
  newDevAddr(): Promise<DevAddr>
  write(write: RegistryWrite): Promise<void>
  /** `absent` where the registry did not know the device. */
  remove(registry: Registry, ids: DeviceIds): Promise<'done' | 'absent'>
  /** Payload functions of the application, as default formatters would have them; undefined for none. */
  formatters?(): Promise<Formatters | undefined>
  /** Makes them the application's default formatters. */
  setFormatters?(formatters: Formatters): Promise<void>
  /** What the application has besides its devices, where the network tells. */
  readonly application?: ApplicationPort
  /** Gateways, where the network has a registry of them. */
  readonly gateways?: GatewaysPort
  /** Only of a network that can not be told to be silent. */
  readonly clearing?: Clearing
  /** It is a description of devices: nothing that it could be told would stop whoever serves them. */
  readonly stoppedByHand?: true
  close(): Promise<void>
}

/**
 * How a network is stopped that can not be muted: it loses the keys, and could not say afterwards what they were. So they
 * are on the target and in the escrow before. Such a network keeps a device in one piece, which a removal from any
 * registry removes, and answers a device as long as it has its keys.
 */
export interface Clearing {
  /** Empties root keys, session keys and DevAddr in one write, and leaves all else as `seen` has it. */
  clearKeys(seen: DeviceRecord): Promise<void>
  /** Writes the whole device as `record.original` has it, with the counters of the record; creates it where it is gone. */
  putBack(record: DeviceRecord): Promise<void>
}

/** The open state file of one run. Both methods return once the records are on the disk (synced). */
export interface JournalPort {
  readonly lineage: string
  /** Number of records in the file. */
  readonly serial: number
  append(records: readonly JournalRecord[]): Promise<void>
  close(): Promise<void>
}

/** A: before anything was changed. B: when the source had fallen silent. T: what the target held when it is rolled back. */
export const ESCROW_STAGES = ['A', 'B', 'T'] as const
export type EscrowStage = (typeof ESCROW_STAGES)[number]

/** Where in the escrow folder a record lies: the file's name, and the line in it (0 first). */
export interface EscrowPlace {
  readonly file: string
  readonly line: number
}

/** Where full records are kept, encrypted, before a source is touched. */
export interface EscrowPort {
  /** Whether an identity is at hand that can decrypt. */
  readonly canRead: boolean
  /**
   * Returns once the record is encrypted, written, synced and read back; calls that come together share a
   * file. The answer names the file and the line in it (0 first), as the state keeps it.
   */
  store(stage: EscrowStage, record: DeviceRecord): Promise<EscrowPlace>
  /**
   * Decrypts what was stored. Files are read once for all records in them.
   * @throws FerryError `IdentityMissing` (kind `credentials`) where none is at hand, else as reading the escrow does.
   */
  load(place: EscrowPlace): Promise<DeviceRecord>
  /** As `store`, for new credentials: JSON Lines and CSV, one record a device, for whoever programs the devices. */
  storeCredentials(credentials: NewCredentials): Promise<EscrowPlace>
  loadCredentials(place: EscrowPlace): Promise<NewCredentials>
}

/** Tells the time; tests set it. */
export type Clock = () => Date

import type { ChangeWindow } from './change-window.ts'
import type { GatewayOwner } from './gateway.ts'
import type { CountOrShare, Forbiddable, HouseRules, Limits } from './house-rules.ts'
import type { DevEui, Digest, JoinEui } from './identifiers.ts'
import type { Json } from './json.ts'

/** A secret by reference: the plan never holds the value. `file` is resolved against the plan's folder. */
export type SecretReference = { readonly env: string } | { readonly file: string }

/** One origin (`https://host[:port]`) for each registry; derived from `url` where the plan names none. */
export interface ServerUrls {
  readonly identity: string
  readonly join: string
  readonly network: string
  readonly application: string
}

export interface ThingsStackEnd {
  readonly network: 'things-stack'
  readonly url: string
  /** Those that the plan names; the adapter derives the rest. */
  readonly servers: Partial<ServerUrls>
  /** Of a source whose devices join by a Join Server that is no part of it. */
  readonly joinServer?: 'none'
  readonly application: string
  readonly apiKey: SecretReference
  /** Absolute path of a PEM file with the certificate authorities to trust besides the system's. */
  readonly caFile?: string
  /** Plain http or an unchecked certificate; loopback only. */
  readonly insecure: boolean
}

/** An application of a The Things Network Stack V2, which can only be left. */
export interface TtnV2End {
  readonly network: 'ttn-v2'
  /** Origin of the handler's HTTP API, or of the discovery server that names the handler. */
  readonly address: { readonly handler: string } | { readonly discovery: string }
  readonly application: string
  /** V2 calls it an access key. */
  readonly apiKey: SecretReference
  /** What V2 does not know of its devices. */
  readonly defaults: {
    readonly frequencyPlan: string
    /** `MAC_V1_0_2` */
    readonly lorawanVersion: string
    readonly lorawanPhyVersion: string
  }
  /** carry: the application's payload functions become default formatters of the target's, where that has none. */
  readonly payloadFunctions: 'ignore' | 'carry'
  readonly caFile?: string
  readonly insecure: boolean
}

/** A column of a CSV by what it holds; `attributes` by the name of the attribute. */
export const FILE_COLUMNS = [
  'deviceId',
  'devEui',
  'joinEui',
  'appKey',
  'nwkKey',
  'devAddr',
  'appSKey',
  'nwkSKey',
  'sNwkSIntKey',
  'nwkSEncKey',
  'fCntUp',
  'nFCntDown',
  'aFCntDown',
  'frequencyPlan',
  'lorawanVersion',
  'lorawanPhyVersion',
  'class',
  'name',
  'description',
  'latitude',
  'longitude',
  'altitude',
] as const
export type FileColumn = (typeof FILE_COLUMNS)[number]

/** Headings of a CSV. */
export interface FileColumns extends Partial<Readonly<Record<FileColumn, string>>> {
  readonly attributes?: Readonly<Record<string, string>>
}

/** Devices that a file describes. Whoever serves them can only be stopped by hand. */
export interface FileEnd {
  readonly network: 'file'
  /** Absolute. */
  readonly path: string
  /** As the plan writes it: names the source. */
  readonly name: string
  readonly format: 'auto' | 'devices-json' | 'things-stack-csv' | 'csv'
  readonly columns?: FileColumns
  /** Where the file does not say it. */
  readonly defaults?: {
    readonly frequencyPlan: string
    /** `MAC_V1_0_3` */
    readonly lorawanVersion?: string
    readonly lorawanPhyVersion?: string
    readonly joinEui?: JoinEui
  }
}

/** A source that is asked over the network, with a key. */
export type NetworkEnd = ThingsStackEnd | TtnV2End
export type SourceEnd = NetworkEnd | FileEnd

/** Chooses devices of the source; those named by any of the fields given. */
export interface Selector {
  readonly all?: true
  readonly ids?: readonly string[]
  /** Device ids of an `idsFile`, read already: one a line, blank lines and `#` comments left out. */
  readonly idsFile?: { readonly path: string; readonly ids: readonly string[] }
  /** A pattern over device ids; `*` stands for any characters, `?` for one. */
  readonly match?: string
  /** Attributes that the device must all have, with these values. */
  readonly attributes?: Readonly<Record<string, string>>
}

export type Rx1DelayPolicy = 'keep' | 'target' | number

/**
 * stop-first: the source falls silent, then the target speaks. delete-first: the source is deleted before the target
 * is created, the only order within one deployment, where EUIs are unique.
 */
export type Handover = 'stop-first' | 'delete-first'

/** What makes a device join anew: itself (none), a person (manual), or a downlink that the source sends. */
export type Rejoin =
  | { readonly trigger: 'none' | 'manual' }
  | {
      readonly trigger: 'source-downlink'
      /** 1 to 223. */
      readonly fPort: number
      /** Upper-case hex, at most 242 bytes; may be empty. */
      readonly payload: string
      readonly confirmed: boolean
    }

export interface Policy {
  /** Carry the active session (true), or have devices join anew (false). */
  readonly persistSession: boolean
  /** ABP below 1.0.4: the device will be reset, so the target accepts counters from 0. */
  readonly resetFrameCounters: boolean
  /** `keep`, `target`, or 1 to 15 seconds. */
  readonly rx1Delay: Rx1DelayPolicy
  readonly deleteSource: 'never' | 'after-import' | 'after-heard'
  readonly handover: Handover
  readonly preventRejoin: 'replace-root-keys' | 'none'
  readonly rejoin: Rejoin
  /** generate: new root keys, for OTAA devices that will be re-programmed. */
  readonly rootKeys: 'keep' | 'generate'
  /** keep: DevAddr and keys. reprogram: new ones. to-otaa: root keys instead of a session. */
  readonly abp: 'keep' | 'reprogram' | 'to-otaa'
  readonly queuedDownlinks: 'report' | 'copy' | 'wait-empty'
  /** A device that was muted before, by others: left alone, moved and muted on the target too, or moved and unmuted. */
  readonly mutedSource: 'blocked' | 'carry' | 'unmute'
  /** Added to downlink counters that are carried. auto: 0, for they are read after a confirmed mute. */
  readonly downlinkCounterMargin: 'auto' | number
  /** partial: what others registered in part is completed where what is there suffices. */
  readonly adopt: 'none' | 'partial'
}

export interface DeviceSettings {
  /** In a plan also a rule, such as `eui-{devEui}`; of one device the id itself. */
  readonly deviceId?: string
  /** EUIs on the target; other ones than the source's make it a device that will be re-programmed. */
  readonly devEui?: DevEui
  readonly joinEui?: JoinEui
  readonly name?: string
  readonly description?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly frequencyPlan?: string
  readonly lorawanVersion?: string
  readonly lorawanPhyVersion?: string
  /** Whether an ABP device obeys RXTimingSetupReq, so that another RX1 delay may be asked of it. */
  readonly obeysRxTimingSetup?: boolean
}

export interface Override {
  readonly select: Selector
  readonly policy: Partial<Policy>
  readonly set: DeviceSettings
}

/** A place on a server that is neither source nor target; without user and password it asks for none. */
export interface HttpPlace {
  /** Absolute, with path, and with a query where it has one. */
  readonly address: string
  readonly username?: string
  readonly password?: SecretReference
  readonly caFile?: string
  /** Plain http or an unchecked certificate; loopback only. */
  readonly insecure: boolean
}

/** A server that speaks the state protocol of Terraform, with locking. */
export interface HttpState extends HttpPlace {
  readonly lockAddress: string
  readonly unlockAddress: string
  readonly updateMethod: 'POST' | 'PUT'
  readonly lockMethod: 'LOCK' | 'PUT' | 'POST'
  readonly unlockMethod: 'UNLOCK' | 'PUT' | 'POST' | 'DELETE'
}

/** Devices that cross together: so many, or those with an id or attributes. */
export type Wave =
  | CountOrShare
  | { readonly match: string }
  | { readonly attributes: Readonly<Record<string, string>> }

/** What goes with the devices of what is around them. */
export interface ApplicationPlan {
  /** Default payload formatters. */
  readonly formatters: boolean
  /** Name, description and attributes of the application. */
  readonly attributes: boolean
  readonly webhooks: boolean
  readonly pubSubs: boolean
  readonly collaborators: boolean
}

/** Registrations of gateways that go with the devices. */
export interface GatewayPlan {
  readonly include: readonly GatewaySelector[]
  /** Whose they are on the target. */
  readonly owner: GatewayOwner
  /** Ids on the target, by those on the source, where they are others. */
  readonly rename: Readonly<Record<string, string>>
}

/** Chooses gateways; those named by any of the fields given. */
export interface GatewaySelector {
  readonly all?: true
  readonly ids?: readonly string[]
  /** A pattern over gateway ids; `*` stands for any characters, `?` for one. */
  readonly match?: string
}

/** A validated plan with every default filled in, paths absolute and id files read. Holds no secret. */
export interface MigrationPlan {
  readonly name: string
  readonly source: SourceEnd
  readonly target: ThingsStackEnd
  readonly devices: {
    readonly include: readonly Selector[]
    readonly exclude: readonly Selector[]
    readonly overrides: readonly Override[]
  }
  readonly policy: Policy
  /** Absent where the plan carries nothing of the application. */
  readonly application?: ApplicationPlan
  /** Absent where the plan leaves gateways alone. */
  readonly gateways?: GatewayPlan
  readonly coverage: { readonly gateways: 'on-target' | 'moving-now' | 'packet-broker' | 'unknown' }
  readonly rollout: {
    /** Requests at once per network. */
    readonly maxConcurrency: number
    /** So many devices first, then stop until they are heard; 0 for none. */
    readonly canary: number
    /** Failed devices at which the run stops: a count, or a share of the devices to migrate (0 to 1). */
    readonly maxFailures: CountOrShare
    /** After the canary, in this order; the rest comes last. */
    readonly waves?: readonly Wave[]
    /** Share (0 to 1) of a wave that has to be heard before the next begins; 1 where it is absent. */
    readonly minHeard?: number
    /** When something new may begin. */
    readonly window?: ChangeWindow
  }
  readonly verify: {
    /** Milliseconds. */
    readonly heardWithin: number
    /** How often devices send, in milliseconds; where it is absent the source tells. */
    readonly expectedInterval?: number
    /** Milliseconds from being heard to the delete of `deleteSource: after-heard`. */
    readonly retireAfter: number
  }
  readonly escrow: {
    /** age public keys (`age1...`). */
    readonly recipients: readonly string[]
    /** Absolute path of the folder. */
    readonly path: string
    /** It outlives the machine that runs this, and so does the state. */
    readonly durable?: true
    /** Each file is put there too; `address` is that of the folder, without a slash at its end. */
    readonly http?: HttpPlace
  }
  readonly state: {
    /** Absolute path of the state file. */
    readonly file: string
    /** Where the compacted state lies, by which machines that never met go on from each other. */
    readonly http?: HttpState
  }
  readonly digestKey?: SecretReference
  /** What the plan says must never be done; checked when it is read. */
  readonly forbid?: readonly Forbiddable[]
  readonly limits?: Limits
}

/** A plan with where it came from. */
export interface LoadedPlan {
  readonly plan: MigrationPlan
  /** As the user gave it. */
  readonly file: string
  /** SHA-256 over the plan's meaning: the normalised plan without absolute paths, and the ids of its id files. */
  readonly digest: Digest
  /** What its organisation says for all plans; not part of the digest. */
  readonly organisation?: HouseRules
}

/** Policy and settings of one device, after the overrides that select it, in their order. */
export interface DeviceIntent {
  readonly policy: Policy
  readonly set: DeviceSettings
  /** Its new id was made by a rule of the plan: the old one is kept as an attribute. */
  readonly renamedByRule?: true
}

export interface SelectableDevice {
  readonly deviceId: string
  readonly devEui?: DevEui
  readonly joinEui?: JoinEui
  readonly attributes?: Json
}

/** What a plan wants of one device. */
export interface Selection {
  readonly selected: boolean
  /** The entry of `exclude` that took the device out, such as `match "test-*"`; absent where none did. */
  readonly excludedBy?: string
  /** The first wave that chooses it by id or attributes, by its number in `rollout.waves` (0 first). */
  readonly wave?: number
  /** What the rule for its new id asks for and the device does not have, such as `devEui`. */
  readonly lacks?: string
  /** After the overrides that select the device, in their order; later ones win, field by field. */
  readonly intent: DeviceIntent
}

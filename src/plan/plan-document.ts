import type { Forbiddable } from '../domain/house-rules.ts'
import type { FileColumns } from '../domain/migration-plan.ts'

/** A plan as it is written, once it fits the schema and defaults are filled in. */
export interface PlanDocument extends HouseRulesDocument {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly source: SourceDocument
  readonly target: NetworkDocument
  readonly devices: {
    readonly include: readonly SelectorDocument[]
    readonly exclude: readonly SelectorDocument[]
    readonly overrides: readonly OverrideDocument[]
  }
  readonly policy: PolicyDocument
  readonly application?: {
    readonly formatters: 'ignore' | 'carry'
    readonly attributes: 'ignore' | 'carry'
    readonly webhooks: 'ignore' | 'carry'
    readonly pubSubs: 'ignore' | 'carry'
    readonly collaborators: 'ignore' | 'carry'
  }
  readonly gateways?: {
    readonly include: readonly {
      readonly all?: true
      readonly ids?: readonly string[]
      readonly match?: string
    }[]
    readonly owner: { readonly user?: string; readonly organization?: string }
    readonly rename: Readonly<Record<string, string>>
  }
  readonly coverage: { readonly gateways: 'on-target' | 'moving-now' | 'packet-broker' | 'unknown' }
  readonly rollout: {
    readonly maxConcurrency: number
    readonly canary: number
    readonly maxFailures: number | string
    readonly waves?: readonly (number | string | WaveDocument)[]
    readonly minHeard: string
    readonly window?: string
  }
  readonly verify: {
    readonly heardWithin: string
    readonly expectedInterval?: string
    readonly retireAfter: string
  }
  readonly escrow: {
    readonly recipients: readonly string[]
    readonly path?: string
    readonly durable: boolean
    readonly http?: HttpPlaceDocument
  }
  readonly state?: string | StateDocument
  readonly digestKey?: SecretDocument
}

/** What a plan says for itself, and an organisation for all plans. */
export interface HouseRulesDocument {
  readonly forbid?: readonly Forbiddable[]
  readonly limits?: { readonly devices?: number | string; readonly deletes?: number | string }
}

export interface SecretDocument {
  readonly env?: string
  readonly file?: string
}

interface WaveDocument {
  readonly match?: string
  readonly attributes?: Readonly<Record<string, string>>
}

export interface HttpPlaceDocument {
  readonly address: string
  readonly username?: string
  readonly password?: SecretDocument
  readonly caFile?: string
  readonly insecure: boolean
}

interface StateDocument {
  readonly file?: string
  readonly http: HttpPlaceDocument & {
    readonly lockAddress: string
    readonly unlockAddress?: string
    readonly updateMethod: 'POST' | 'PUT'
    readonly lockMethod: 'LOCK' | 'PUT' | 'POST'
    readonly unlockMethod: 'UNLOCK' | 'PUT' | 'POST' | 'DELETE'
  }
}

export interface NetworkDocument {
  readonly network: 'things-stack'
  readonly url: string
  readonly servers: ServersDocument
  readonly application: string
  readonly apiKey: SecretDocument
  readonly caFile?: string
  readonly insecure: boolean
}

/** Which fields it has depends on the kind of network; rules say which. */
export interface SourceDocument {
  readonly network: 'things-stack' | 'ttn-v2' | 'file'
  readonly url?: string
  readonly servers: ServersDocument
  readonly application?: string
  readonly apiKey?: SecretDocument
  readonly accessKey?: SecretDocument
  readonly discovery?: string
  readonly defaults?: DefaultsDocument
  readonly payloadFunctions: 'ignore' | 'carry'
  readonly path?: string
  readonly format: 'auto' | 'devices-json' | 'things-stack-csv' | 'csv'
  readonly columns?: FileColumns
  readonly caFile?: string
  readonly insecure: boolean
}

interface DefaultsDocument {
  readonly frequencyPlan: string
  readonly lorawanVersion?: string
  readonly lorawanPhyVersion?: string
  readonly joinEui?: string
}

export interface ServersDocument {
  readonly identity?: string
  readonly join?: string
  readonly network?: string
  readonly application?: string
}

export interface SelectorDocument {
  readonly all?: true
  readonly ids?: readonly string[]
  readonly idsFile?: string
  readonly match?: string
  readonly attributes?: Readonly<Record<string, string>>
}

export interface PolicyDocument {
  readonly persistSession: boolean
  readonly resetFrameCounters: boolean
  readonly rx1Delay: 'keep' | 'target' | number
  readonly deleteSource: 'never' | 'after-import' | 'after-heard'
  readonly handover: 'stop-first' | 'delete-first'
  readonly preventRejoin: 'replace-root-keys' | 'none'
  readonly rejoin: RejoinDocument
  readonly rootKeys: 'keep' | 'generate'
  readonly abp: 'keep' | 'reprogram' | 'to-otaa'
  readonly queuedDownlinks: 'report' | 'copy' | 'wait-empty'
  readonly mutedSource: 'blocked' | 'carry' | 'unmute'
  readonly downlinkCounterMargin: 'auto' | number
  readonly adopt: 'none' | 'partial'
}

/** Only in the plan's own policy are the defaults of `payload` and `confirmed` filled in: lists stay as they are. */
export interface RejoinDocument {
  readonly trigger: 'none' | 'manual' | 'source-downlink'
  readonly fPort?: number
  readonly payload?: string
  readonly confirmed?: boolean
}

export interface SettingsDocument {
  readonly deviceId?: string
  readonly devEui?: string
  readonly joinEui?: string
  readonly name?: string
  readonly description?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly frequencyPlan?: string
  readonly lorawanVersion?: string
  readonly lorawanPhyVersion?: string
  readonly obeysRxTimingSetup?: boolean
}

export interface OverrideDocument extends SelectorDocument {
  readonly policy?: Partial<PolicyDocument>
  readonly set?: SettingsDocument
}

type Missing<T> = T extends readonly (infer Item)[]
  ? readonly (Missing<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Missing<T[K]> | undefined }
    : T

/** One policy, of which anything may be missing. */
export type PolicyDraft = { readonly [K in keyof PolicyDocument]?: Missing<PolicyDocument[K]> }

/** A plan of which anything may be missing, because it was wrong and has been reported; indexes still hold. */
export type Draft = Missing<PlanDocument>

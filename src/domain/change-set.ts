import type { ApplicationChange } from './application.ts'
import type { Activation, FieldPath, Registry } from './device.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { GatewayChange } from './gateway.ts'
import type { Digest } from './identifiers.ts'
import type { Route, StepName, TargetEuis } from './journal.ts'
import type { Json } from './json.ts'
import type { MigrationPlan } from './migration-plan.ts'
import type { NetworkIdentity } from './ports.ts'

export const CHANGE_SET_FORMAT_VERSION = 1

/** How a value is shown: as it is, or for a secret only whether it is the same. */
export type ShownValue =
  | { readonly value: Json }
  /** Against what the target holds; where it holds none, `same` is the source's own, `added` another. */
  | { readonly sensitive: 'same' | 'changes' | 'added' | 'removed' }
  /** A counter, nonce or MAC state: carried as the source holds it when it falls silent. */
  | { readonly moving: true }
  /** A key or address that is made when the device crosses. */
  | { readonly generated: true }
  | { readonly absent: true }

/** Why a field is written or left, for the three values: last applied by us, on the target, wanted. */
export type FieldReason =
  | 'create'
  | 'source-changed'
  | 'target-drifted'
  | 'plan'
  | 'not-known-before'
  | 'equal'
  | 'server-default'
  | 'server-owned'
  | 'not-carried'
  | 'session-is-alive'

export interface FieldChange {
  readonly registry: Registry
  readonly path: FieldPath
  readonly before: ShownValue
  readonly after: ShownValue
  readonly verdict: 'write' | 'leave'
  readonly reason: FieldReason
  /** The rule behind, such as `policy.rx1Delay` or `not carried: belongs to the source's cluster`. */
  readonly because?: string
}

/**
 * create: not on the target. resume: a crossing that was begun goes on. update: on the target, registry
 * fields differ. adopt: there already and equal, only recorded. retire: heard, and steps on the source are due.
 * wait: nothing can be done before it is heard or its time has come. done: nothing is left.
 * blocked: left alone until a person acts. excluded: by the plan. gone: known to the state, not on the source.
 */
export const ACTIONS = [
  'create',
  'resume',
  'update',
  'adopt',
  'retire',
  'wait',
  'done',
  'blocked',
  'excluded',
  'gone',
] as const
export type Action = (typeof ACTIONS)[number]

/** What a reviewer judges devices by. */
export interface DeviceProfile {
  readonly activation: Activation
  readonly class: 'A' | 'B' | 'C'
  /** `MAC_V1_0_3` */
  readonly lorawanVersion: string
  readonly lorawanPhyVersion: string
  readonly frequencyPlan: string
}

/** Keyed or plain digests of what the change was computed from: 16 hex digits, or null where there is nothing. */
export interface Expectation {
  /** HMAC over all root keys of the source. */
  readonly rootKeys: string | null
  /** HMAC over DevAddr, session key id and session keys of the source; only where the session is carried. */
  readonly session: string | null
  /** Over the settings that are carried. */
  readonly settings: string
  /** Over the fields of the target that are compared; null where the device is absent. */
  readonly target: string | null
}

export interface DeviceChange {
  /** Device id on the source; names the device in state and change set. */
  readonly device: string
  /** Device id on the target. */
  readonly target: string
  readonly devEui?: string
  readonly joinEui?: string
  readonly action: Action
  /** Where the device was last: its status in the state, for resume, wait and done. */
  readonly status?: string
  readonly route?: Route
  /** Absent for stop-first. */
  readonly handover?: 'delete-first'
  /** EUIs on the target, where they are others than the source's. */
  readonly becomes?: TargetEuis
  readonly profile?: DeviceProfile
  readonly fields: readonly FieldChange[]
  /** Steps that an apply would do now, in order. */
  readonly steps: readonly StepName[]
  /** Steps that come when the device was heard or its time has come. */
  readonly later: readonly StepName[]
  readonly findings: readonly Diagnostic[]
  readonly expect?: Expectation
  /** The wave that chooses it by id or attributes, by its number in `rollout.waves` (0 first). */
  readonly wave?: number
}

/** Sorts after every hex digit. */
const NO_EUI = 'g'

const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The order of a change set: by DevEUI, then device id; devices without DevEUI come last. */
export const byDevEui = (a: DeviceChange, b: DeviceChange): number =>
  inOrder(a.devEui ?? NO_EUI, b.devEui ?? NO_EUI) || inOrder(a.device, b.device)

/** orphaned-devices only where a plan moves gateways, the last two only where it or its organisation sets limits. */
export const GUARDS = [
  'source-shrunk',
  'target-updates',
  'blocked-devices',
  'orphaned-devices',
  'limit-devices',
  'limit-deletes',
] as const

/** A threshold: refuses the whole apply when `used` is above `limit`. */
export interface Guard {
  /** Named in `--allow NAME=COUNT`. */
  readonly name: (typeof GUARDS)[number]
  readonly used: number
  readonly limit: number
  /** What the limit is a share of, where it is one. */
  readonly of?: number
  readonly ok: boolean
  readonly because: string
}

/** Default payload formatters that the target's application gets, by a digest over them. */
export interface FormattersChange {
  readonly verdict: 'write'
  readonly digest: Digest
}

export interface ChangeSet {
  readonly formatVersion: typeof CHANGE_SET_FORMAT_VERSION
  readonly tool: string
  readonly plan: { readonly name: string; readonly file: string; readonly digest: Digest }
  readonly source: NetworkIdentity
  readonly target: NetworkIdentity
  /** The state it was computed on; serial 0 is "there was no state", and is compared too. */
  readonly base: { readonly lineage: string; readonly serial: number }
  /** False where reading was cut short: may be shown, never applied. */
  readonly complete: boolean
  /** Findings about the whole, such as versions and coverage. */
  readonly findings: readonly Diagnostic[]
  readonly guards: readonly Guard[]
  /** Absent where nothing of the application is written. */
  readonly formatters?: FormattersChange
  /** What is around the devices; absent where the plan leaves it alone. */
  readonly application?: readonly ApplicationChange[]
  /** In the order in which they are best moved; absent where the plan leaves gateways alone. */
  readonly gateways?: readonly GatewayChange[]
  readonly policy: MigrationPlan['policy']
  readonly coverage: MigrationPlan['coverage']
  readonly rollout: MigrationPlan['rollout']
  /** Where state, escrow and lock lie, relative to the plan's folder where they can be. */
  readonly files: { readonly state: string; readonly escrow: string; readonly lock: string }
  /** Whether a plan's own digest key was used, or one that is derived from public values. */
  readonly digestKey: 'plan' | 'derived'
  /** Sorted by DevEUI, then device id. */
  readonly devices: readonly DeviceChange[]
  /** Over all of the above, without clock: the plan id that people approve. */
  readonly digest: Digest
}

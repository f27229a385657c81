import type { Registry } from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import type { ErrorRecord, Route, SilenceReason, StepName, TargetEuis } from '../../domain/journal.ts'
import type { EscrowPlace } from '../../domain/ports.ts'

/** What a step came to, as far as the journal tells; an intent without outcome is `unknown`. */
export type StepStatus = 'done' | 'failed' | 'unknown'

/** The steps that were tried, and what they came to. */
export type Steps = { readonly [S in StepName]?: StepStatus }

/** What the state knows of one device: the fold of its records. */
export interface DeviceProgress {
  /** Device id on the source. */
  readonly device: string
  readonly target: string
  readonly devEui?: string
  readonly joinEui?: string
  /** Undefined for a device that was adopted or only updated. */
  readonly route?: Route
  readonly handover?: 'delete-first'
  /** In which it crossed, where the plan has waves. */
  readonly wave?: string
  readonly becomes?: TargetEuis
  /** Registries of the target that held the device before it crossed, by others. */
  readonly adopts: readonly Registry[]
  readonly steps: Steps
  /** Registered on the target by an attempt before this one, and not taken back. */
  readonly registeredBefore: boolean
  /** The target was let go in a crossing before this one: what it counted then is lost with its registration. */
  readonly livedOnTarget: boolean
  readonly escrow: { readonly A?: EscrowPlace; readonly B?: EscrowPlace; readonly T?: EscrowPlace }
  /** `schedule_downlinks` of the source before we muted it; undefined: we did not touch it. */
  readonly sourceScheduling?: boolean | null
  readonly sourceKeys?: { readonly session: string | null; readonly rootKeys: string | null }
  readonly baseline?: {
    readonly lastFCntUp: number
    readonly devAddr: string | null
    readonly sourceDevAddr: string | null
    readonly startedAt?: string
    readonly interval?: number
    readonly heardBy?: readonly Carrier[]
  }
  /** What is likely the cause that it was not heard in time, when that was last looked into. */
  readonly silence?: readonly SilenceReason[]
  readonly credentials?: EscrowPlace & { readonly rootKeys: string | null; readonly session: string | null }
  readonly sourceCounters?: { readonly lastAFCntDown: number; readonly lastNFCntDown: number }
  readonly copiedDownlinks?: number
  /** The target refused the import for good after the source was deleted: the source gets the device back. */
  readonly importRefused?: ErrorRecord
  /** When a rollback began that has not ended. */
  readonly rollbackAt?: string
  readonly unmutedAt?: string
  readonly resetHeard?: string
  readonly heard?: { readonly at: string; readonly devAddr: string; readonly lastFCntUp: number }
  readonly applied?: Readonly<Record<string, string>>
  /** It was taken back: the source is as it was, and serves it. */
  readonly undone?: true
  readonly deferred?: { readonly at: string; readonly code: string; readonly message: string }
  readonly lastError?: ErrorRecord
  /** When the last record of the device was written. */
  readonly at?: string
}

export type Progress = ReadonlyMap<string, DeviceProgress>

import type { Registry } from './device.ts'
import type { Carrier } from './gateway.ts'
import type { Digest } from './identifiers.ts'

export const STATE_FORMAT_VERSION = 1

/** The steps of a crossing, in the words of `ARCHITECTURE.md`; each is one write, or one check that gates. */
export const STEPS = [
  'escrow',
  'credentials',
  'check-import',
  'create-identity',
  'set-join',
  'set-application',
  'set-network',
  'compare',
  'stop-source',
  'clear-source',
  'confirm-handover',
  'read-again',
  'check-escrow',
  'queue-empty',
  'final-network',
  'final-start-time',
  'final-join',
  'final-application',
  'copy-downlinks',
  'unmute-target',
  'queue-trigger',
  'trigger-sent',
  'hear',
  'end-reset',
  'prevent-rejoin',
  'delete-application',
  'delete-network',
  'delete-join',
  'delete-identity',
  'update-identity',
  'update-join',
  'update-application',
  'update-network',
  'undo-network',
  'undo-application',
  'undo-join',
  'undo-identity',
  'restore-identity',
  'restore-join',
  'restore-application',
  'restore-network',
  'start-source',
  'mute-target',
  'read-target',
  'return-join',
  'return-application',
  'return-network',
  'put-back',
] as const
export type StepName = (typeof STEPS)[number]

/** Deletes on the source, in their order: the Identity Server last, so that a delete that failed stays findable. */
export const RETIRE_STEPS = [
  'delete-application',
  'delete-network',
  'delete-join',
  'delete-identity',
] as const

/** Whether a step deletes on the source. */
export const isDelete = (step: StepName): boolean => step.startsWith('delete-')

/** Why a device is deferred whose handover nobody has confirmed. */
export const NOT_CONFIRMED = 'HandoverNotConfirmed'

export type Side = 'source' | 'target'

/**
 * A crossing, by what is carried: with the handover it decides the steps (`engine/progress/steps.ts`).
 * joining-triggered: a downlink of the source makes it join, and the source serves the old session until it has.
 * otaa-reprogrammed, abp-reprogrammed: what the device is on the target, with other EUIs or new keys; the source serves
 * it with the old ones until somebody has re-programmed it.
 */
export const ROUTES = [
  'session-kept',
  'joining-anew',
  'joining-triggered',
  'abp-kept',
  'abp-reset',
  'otaa-reprogrammed',
  'abp-reprogrammed',
  'multicast',
] as const
export type Route = (typeof ROUTES)[number]

export interface ErrorRecord {
  readonly code: string
  /** Sentence for a person; holds no secret. */
  readonly message: string
  readonly hint?: string
  readonly correlationId?: string
}

/**
 * One line of the state file. `device` is the device id on the source. Everything in it is what we did or
 * saw; no key, and no value from which one could be told, is ever part of a record.
 */
export type JournalRecord =
  | {
      readonly t: 'open'
      readonly run: string
      readonly at: string
      readonly command: string
      readonly plan: Digest
      /** Digest of the change set that is carried out. */
      readonly changeSet: Digest
      readonly tool: string
    }
  /** The device's crossing begins, or begins again: what was known of steps before is void. */
  | {
      readonly t: 'begin'
      readonly device: string
      readonly at: string
      readonly target: string
      readonly devEui?: string
      readonly joinEui?: string
      readonly route: Route
      /** Absent for stop-first. */
      readonly handover?: 'delete-first'
      /** EUIs on the target, where they are others than the source's. */
      readonly becomes?: TargetEuis
      /** Registries of the target that held the device before, by others: completed, never taken back. */
      readonly adopts?: readonly Registry[]
      /** Why it begins again, where it does. */
      readonly because?: string
      /** Where the plan moves devices in waves: `canary`, `wave 1` and so on, or `rest`. */
      readonly wave?: string
    }
  /** Written and synced before the request of a step leaves. */
  | {
      readonly t: 'intent'
      readonly device: string
      readonly step: StepName
      readonly side: Side
      readonly registry: Registry
      readonly verb: 'create' | 'set' | 'delete'
      readonly paths: readonly string[]
    }
  | {
      readonly t: 'outcome'
      readonly device: string
      readonly step: StepName
      readonly at: string
      readonly status: 'done' | 'already' | 'failed' | 'unknown'
      readonly error?: ErrorRecord
    }
  /** What later steps and runs need to know. */
  | { readonly t: 'fact'; readonly device: string; readonly fact: Fact }
  /**
   * The device was taken back: the target records of our making are gone, the source is as it was. `returned`: by a
   * rollback, and what the target had counted is on the source again.
   */
  | {
      readonly t: 'undone'
      readonly device: string
      readonly at: string
      readonly error?: ErrorRecord
      readonly returned?: true
    }
  | {
      readonly t: 'close'
      readonly run: string
      readonly at: string
      readonly result: 'applied' | 'partial' | 'aborted'
    }

/**
 * Why the target may not hear a device. muted: it may not answer, so that no join is accepted. gateways-absent: none of the gateways
 * that heard it last is registered there. gateways-away: they are, and none is connected. other-plan: another frequency plan than on
 * the source. foreign-dev-addr: its DevAddr is not of the target's blocks, so only gateways of the target bring it. never-sent: the
 * source has heard nothing of it either.
 */
export const SILENCE_REASONS = [
  'muted',
  'gateways-absent',
  'gateways-away',
  'other-plan',
  'foreign-dev-addr',
  'never-sent',
] as const
export type SilenceReason = (typeof SILENCE_REASONS)[number]

/** EUIs of a device on the target, where they are others than the source's. */
export interface TargetEuis {
  readonly devEui?: string
  readonly joinEui?: string
}

export type Fact =
  | { readonly name: 'escrow'; readonly stage: 'A' | 'B' | 'T'; readonly file: string; readonly line: number }
  /** `schedule_downlinks` as the source had it before we muted it: null for absent. */
  | { readonly name: 'source-scheduling'; readonly value: boolean | null }
  /** The source was given back what the escrow holds (`ferry escrow restore`). */
  | { readonly name: 'restored'; readonly at: string }
  /** The source was given back the value it had: it is as before we touched it. */
  | { readonly name: 'source-started' }
  /**
   * Keyed digests of what the source held when the crossing began: of the session that is carried (null where none
   * is), to notice that the device joined anew; of the root keys, to tell the device's own from their replacements.
   */
  | { readonly name: 'source-keys'; readonly session: string | null; readonly rootKeys: string | null }
  /** What the target held when we let it go; being heard is measured against it. */
  | {
      readonly name: 'baseline'
      readonly lastFCntUp: number
      readonly devAddr: string | null
      readonly sourceDevAddr: string | null
      /** When the target's session began; a reset of the counters begins it anew. */
      readonly startedAt?: string
      /** The longest silence between its last uplinks on the source, in milliseconds. */
      readonly interval?: number
      /** Gateways that heard it last on the source, those that heard most first; a few. */
      readonly heardBy?: readonly Carrier[]
    }
  /** The target has not heard it in time, and what is likely the cause. */
  | { readonly name: 'silent'; readonly at: string; readonly reasons: readonly SilenceReason[] }
  | { readonly name: 'heard'; readonly at: string; readonly devAddr: string; readonly lastFCntUp: number }
  /** Digests of the settings last applied, by `registry path`: the prior value of the three-valued diff. */
  | { readonly name: 'applied'; readonly settings: Readonly<Record<string, string>> }
  /**
   * New credentials were made and lie encrypted in the escrow folder. Keyed digests of them: null for what is not new.
   */
  | {
      readonly name: 'credentials'
      readonly file: string
      readonly line: number
      readonly rootKeys: string | null
      readonly session: string | null
    }
  /** Downlink counters of the source before the downlink that makes the device join was queued there. */
  | { readonly name: 'source-counters'; readonly lastAFCntDown: number; readonly lastNFCntDown: number }
  /** The target refused a device whose source is deleted already: the source gets it back from the escrow. */
  | { readonly name: 'import-refused'; readonly at: string; readonly error: ErrorRecord }
  /** Application downlinks that were copied from the source's queue. */
  | { readonly name: 'copied-downlinks'; readonly count: number }
  /** A rollback of the device has begun: nothing else is done with it until it is undone. */
  | { readonly name: 'rollback-begun'; readonly at: string }
  /** An ABP device was heard with a counter below ours: somebody has reset it. */
  | { readonly name: 'reset-heard'; readonly at: string }
  /** A waiting source (a join accept was sent): try again in a later run. */
  | { readonly name: 'deferred'; readonly at: string; readonly code: string; readonly message: string }

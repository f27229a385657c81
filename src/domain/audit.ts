import type { Activation, Registry } from './device.ts'
import type { ErrorRecord, Side } from './journal.ts'
import type { NetworkIdentity } from './ports.ts'

/**
 * What one network holds of a device id. complete: every registry that its activation needs. half-registered: in the
 * Identity Server, and missing elsewhere. orphan: in others and not in the Identity Server, which alone lists.
 * ids-differ: registries know it with different EUIs. unreadable: a registry refused to tell. absent: in none.
 */
export type RegistrationStatus =
  | 'complete'
  | 'half-registered'
  | 'orphan'
  | 'ids-differ'
  | 'unreadable'
  | 'absent'

/** A device id on one network, by its registries. Holds no key. */
export interface Registration {
  readonly deviceId: string
  readonly status: RegistrationStatus
  readonly devEui?: string
  readonly joinEui?: string
  /** Absent where nothing that is held tells it. */
  readonly activation?: Activation
  /** Empty where it is not known: `ids-differ` and `unreadable`. */
  readonly held: readonly Registry[]
  /** Those that it needs and that do not know it; an orphan lacks the Identity Server at least. */
  readonly missing: readonly Registry[]
  /** Network or Application Server hold an active session of it. */
  readonly hasSession: boolean
  /** Code of what is wrong with its session, such as `SessionsDiffer`. */
  readonly sessionFault?: string
  /** Why nothing can be told, for `ids-differ` and `unreadable`. */
  readonly error?: ErrorRecord
}

/** In the order in which they are told: what hides or contradicts first. */
export const AUDIT_KINDS = [
  'ids-differ',
  'orphan',
  'half-registered',
  'euis-taken',
  'eui-twin',
  'session',
  'absent',
  'unreadable',
] as const
export type AuditKind = (typeof AUDIT_KINDS)[number]

/** One thing that is wrong with one device id. Sentences are lower case, without full stop. */
export interface AuditFinding {
  readonly kind: AuditKind
  /** Listed in `docs/errors.md`. */
  readonly code: string
  readonly side: Side
  /** On that side. */
  readonly device: string
  readonly devEui?: string
  /** What is the case, of this device. */
  readonly message: string
  /** What it means for the migration; the same for all devices of which the same is true. */
  readonly means: string
  /** The repair to make, with `ID` in the place of the device id. */
  readonly fix: string
}

/** A device id of the source with its id on the target, or an id that only the target has (`device` is absent). */
export interface AuditedDevice {
  readonly device?: string
  readonly target: string
  /** The plan moves it. */
  readonly selected: boolean
  readonly source?: Registration
  readonly onTarget: Registration
}

export interface Audit {
  readonly plan: { readonly name: string; readonly file: string }
  readonly source: NetworkIdentity
  readonly target: NetworkIdentity
  /** By id, those of the source first. */
  readonly devices: readonly AuditedDevice[]
  /** By kind, then side and id. */
  readonly findings: readonly AuditFinding[]
}

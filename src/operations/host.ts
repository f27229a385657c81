import type { Emit } from '../domain/events.ts'
import type { Clock } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import type { LockOwner } from '../state/lock.ts'

/** The machine that an operation runs on, as values: operations know no process, no console and no clock of their own. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly owner: LockOwner
  readonly emit: Emit
  /** Name and version of the tool, such as `lorawan-ferry 0.1.0`. */
  readonly tool: string
  /** The working folder: paths are shown relative to it. */
  readonly folder: string
  /** Ends requests at once; for the second interrupt. */
  readonly signal?: AbortSignal
  /** Turns true with the first interrupt: finish what is in flight, start nothing new. */
  readonly draining: () => boolean
  readonly pause: (milliseconds: number) => Promise<void>
  /** The age identity that can read the escrow, where it is at hand. */
  readonly identity?: Secret
}

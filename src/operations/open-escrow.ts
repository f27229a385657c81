import { createEscrow, type Escrow } from '../escrow/escrow.ts'
import type { Host } from './host.ts'
import type { Workspace } from './workspace.ts'

/** The escrow of a plan for one run, encrypted to the recipients. */
export const openEscrow = (
  { loaded, stores }: Workspace,
  { clock, identity }: Host,
  recipients: readonly string[],
): Escrow =>
  createEscrow({
    folder: loaded.plan.escrow.path,
    recipients,
    clock,
    ...(stores.copies === undefined ? {} : { copies: stores.copies }),
    ...(identity === undefined ? {} : { identity }),
  })

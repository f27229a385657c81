import type { Audit } from '../domain/audit.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { auditNetworks } from '../engine/audit/audit.ts'
import { preflight } from '../engine/planning/preflight.ts'
import { intentFor } from '../plan/select-devices.ts'
import { joinHostsOf } from './ends.ts'
import type { Host } from './host.ts'
import { readKnownState, type Workspace } from './workspace.ts'

export interface Audited {
  readonly audit: Audit
  /** Warnings of preflight and credentials. */
  readonly warnings: readonly Diagnostic[]
}

/**
 * Looks for devices that are registered in part, for records that nothing lists and for EUIs that are held twice, on
 * both networks of a plan. Asks for the rights of `ferry plan`, takes no lock and writes nothing.
 * @throws FerryError kind `credentials`, `plan-invalid` or `stale`; NetworkError where a network refuses or is away.
 */
export const auditMigration = async (workspace: Workspace, host: Host): Promise<Audited> => {
  const { loaded, source, target } = workspace
  const { progress } = await readKnownState(workspace.stores)
  const warnings = await preflight(source, target, false, { source: [], target: [] })
  const audit = await auditNetworks({
    loaded,
    source,
    target,
    joinHosts: { source: joinHostsOf(loaded.plan.source), target: joinHostsOf(loaded.plan.target) },
    select: (device) => intentFor(loaded.plan, device),
    progress,
    emit: host.emit,
  })
  return { audit, warnings: [...workspace.warnings, ...warnings] }
}

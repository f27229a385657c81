import type { Audit } from '../domain/audit.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import type { ThingsStackEnd } from '../domain/migration-plan.ts'
import { auditNetworks } from '../engine/audit/audit.ts'
import { preflight } from '../engine/planning/preflight.ts'
import { serverUrls } from '../networks/things-stack/index.ts'
import { intentFor } from '../plan/select-devices.ts'
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
  const { progress } = await readKnownState(workspace)
  const warnings = await preflight(source, target, false, { source: [], target: [] })
  const audit = await auditNetworks({
    loaded,
    source,
    target,
    joinHosts: { source: joinHosts(loaded.plan.source), target: joinHosts(loaded.plan.target) },
    select: (device) => intentFor(loaded.plan, device),
    progress,
    emit: host.emit,
  })
  return { audit, warnings: [...workspace.warnings, ...warnings] }
}

/** The Join Server may be apart from the Network Server, and be known by the name of either. */
const joinHosts = (end: ThingsStackEnd): readonly string[] => {
  const { join, network } = serverUrls(end)
  return [join, network].map((url) => new URL(url).hostname)
}

import type { Diagnostic } from '../domain/diagnostic.ts'
import { type Planning, planChanges } from '../engine/planning/plan.ts'
import { preflight, queueNeeds } from '../engine/planning/preflight.ts'
import { surveyNetworks } from '../engine/planning/survey.ts'
import { intentFor, selectGateways, unknownDevices } from '../plan/select-devices.ts'
import { isWithinOneDeployment, joinHostsOf } from './ends.ts'
import type { Host } from './host.ts'
import { type KnownState, readKnownState, shownPath, type Workspace } from './workspace.ts'

export interface Planned extends Planning {
  readonly state: KnownState
  /** Warnings of preflight and credentials. */
  readonly warnings: readonly Diagnostic[]
}

/** Where state, lock and escrow lie, for people. */
const filesOf = (
  { loaded, lockFile, stores }: Workspace,
  { folder }: Host,
): { readonly state: string; readonly escrow: string; readonly lock: string } => {
  const { state, escrow } = loaded.plan
  const [file, lock] =
    state.http === undefined
      ? [shownPath(state.file, folder), shownPath(lockFile, folder)]
      : [stores.state.place, state.http.lockAddress]
  return { state: file, lock, escrow: stores.copies?.place ?? shownPath(escrow.path, folder) }
}

/**
 * Checks rights, reads both networks and the state, and computes the change set. Writes nothing.
 * @param writes whether an apply is to follow: then the rights to write are asked for too.
 */
export const planMigration = async (workspace: Workspace, host: Host, writes: boolean): Promise<Planned> => {
  const { loaded, source, target } = workspace
  const ends = { loaded, source, target, selectGateway: selectGateways(loaded.plan), emit: host.emit }
  const asked = async () => {
    const warnings = await preflight(source, target, writes, queueNeeds(loaded.plan, writes))
    return { warnings, survey: await surveyNetworks(ends) }
  }
  // The state of a large fleet takes seconds to read, and so do the listings: neither waits for the other.
  const [state, { warnings, survey }] = await Promise.all([readKnownState(workspace.stores), asked()])
  const planning = await planChanges({
    ...ends,
    survey,
    sameDeployment: isWithinOneDeployment(loaded.plan),
    joinHosts: joinHostsOf(loaded.plan.source),
    select: (device) => intentFor(loaded.plan, device),
    unknownDevices: (isKnown) => unknownDevices(loaded, isKnown),
    state: { lineage: workspace.lineage, serial: state.serial, progress: state.progress },
    digestKey: workspace.digestKey,
    files: filesOf(workspace, host),
    tool: host.tool,
    clock: host.clock,
  })
  return { ...planning, state, warnings: [...workspace.warnings, ...warnings] }
}

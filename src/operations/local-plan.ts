import type { LoadedPlan, ThingsStackEnd } from '../domain/migration-plan.ts'
import type { NetworkIdentity } from '../domain/ports.ts'
import { serverUrls } from '../networks/things-stack/index.ts'
import { lineageOf, type StateOwner } from '../state/format.ts'
import { lockFileOf } from '../state/lock.ts'

/** What of a plan is known without its secrets and networks: whose the state is, and where it lies. */
export interface LocalPlan {
  readonly loaded: LoadedPlan
  readonly lineage: string
  readonly stateOwner: StateOwner
  readonly lockFile: string
}

const identityOf = (end: ThingsStackEnd): NetworkIdentity => ({
  network: end.network,
  host: new URL(serverUrls(end).network).host,
  application: end.application,
})

/** Reads nothing and asks nothing: enough for everything that works on the state alone. */
export const localPlan = (loaded: LoadedPlan): LocalPlan => {
  const { plan } = loaded
  const stateOwner = {
    name: plan.name,
    source: identityOf(plan.source),
    target: identityOf(plan.target),
  }
  return { loaded, lineage: lineageOf(stateOwner), stateOwner, lockFile: lockFileOf(plan.state) }
}

import type { LoadedPlan } from '../domain/migration-plan.ts'
import { lineageOf, type StateOwner } from '../state/format.ts'
import { lockFileOf } from '../state/lock.ts'
import { identityOfEnd } from './ends.ts'

/** What of a plan is known without its secrets and networks: whose the state is, and where it lies. */
export interface LocalPlan {
  readonly loaded: LoadedPlan
  readonly lineage: string
  readonly stateOwner: StateOwner
  readonly lockFile: string
}

/** Reads nothing and asks nothing: enough for everything that works on the state alone. */
export const localPlan = (loaded: LoadedPlan): LocalPlan => {
  const { plan } = loaded
  const stateOwner = {
    name: plan.name,
    source: identityOfEnd(plan.source),
    target: identityOfEnd(plan.target),
  }
  return { loaded, lineage: lineageOf(stateOwner), stateOwner, lockFile: lockFileOf(plan.state.file) }
}

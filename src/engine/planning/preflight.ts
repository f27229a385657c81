import type { Diagnostic } from '../../domain/diagnostic.ts'
import { FerryError } from '../../domain/errors.ts'
import type { MigrationPlan } from '../../domain/migration-plan.ts'
import type { NetworkPort, QueueNeed } from '../../domain/ports.ts'

/** What preflight finds wrong with the plan, and not with the key. */
const PLAN_MISTAKES: readonly string[] = ['ApplicationNotFound', 'RegistryNotServed']

export interface QueueNeeds {
  readonly source: readonly QueueNeed[]
  readonly target: readonly QueueNeed[]
}

/** What the plan asks of the queues of downlinks, by any of its policies; writing to them is for an apply alone. */
export const queueNeeds = ({ policy, devices }: MigrationPlan, writes = true): QueueNeeds => {
  const policies = [policy, ...devices.overrides.map((override) => override.policy)]
  const copies = policies.some(({ queuedDownlinks }) => queuedDownlinks === 'copy')
  const waits = policies.some(({ queuedDownlinks }) => queuedDownlinks === 'wait-empty')
  const triggers = policies.some(({ rejoin }) => rejoin?.trigger === 'source-downlink')
  return {
    source: [
      ...(copies || waits || triggers ? (['read-queue'] as const) : []),
      ...(triggers && writes ? (['write-queue'] as const) : []),
    ],
    target: copies ? ['read-queue', 'write-queue'] : [],
  }
}

/** Both ends must allow all that the command will do; every right that is missing is named, and nothing was written. */
export const preflight = async (
  source: NetworkPort,
  target: NetworkPort,
  writes: boolean,
  needs: QueueNeeds,
): Promise<readonly Diagnostic[]> => {
  const findings = await Promise.all([
    source.preflight(writes ? 'migrate-source' : 'read-source', needs.source),
    target.preflight(writes ? 'migrate-target' : 'read-target', writes ? needs.target : []),
  ])
  const all = toldOnce(findings.flat())
  refuseErrors(all)
  return all
}

/** Source and target may be two applications of one network with one key: both then find the same. */
const toldOnce = (findings: readonly Diagnostic[]): readonly Diagnostic[] => {
  const seen = new Set<string>()
  return findings.filter((finding) => {
    const said = JSON.stringify(finding)
    const isNew = !seen.has(said)
    seen.add(said)
    return isNew
  })
}

/** Ends a run for what preflight found wrong: a mistake of the plan, or of the key where it is any error of that. */
export const refuseErrors = (findings: readonly Diagnostic[]): void => {
  const errors = findings.filter((finding) => finding.severity === 'error')
  const first = errors[0]
  if (first === undefined) return
  const isPlans = errors.every((finding) => PLAN_MISTAKES.includes(finding.code))
  throw new FerryError(isPlans ? 'plan-invalid' : 'credentials', first.code, first.message, {
    diagnostics: errors,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  })
}

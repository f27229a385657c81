import type { Diagnostic } from '../../domain/diagnostic.ts'
import { FerryError } from '../../domain/errors.ts'
import type { NetworkPort } from '../../domain/ports.ts'

/** What preflight finds wrong with the plan, and not with the key. */
const PLAN_MISTAKES: readonly string[] = ['ApplicationNotFound', 'RegistryNotServed']

/** Both ends must allow all that the command will do; every right that is missing is named, and nothing was written. */
export const preflight = async (
  source: NetworkPort,
  target: NetworkPort,
  writes: boolean,
): Promise<readonly Diagnostic[]> => {
  const findings = await Promise.all([
    source.preflight(writes ? 'migrate-source' : 'read-source'),
    target.preflight(writes ? 'migrate-target' : 'read-target'),
  ])
  const all = findings.flat()
  refuseErrors(all)
  return all
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

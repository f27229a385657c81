import type { Diagnostic } from '../domain/diagnostic.ts'
import { FerryError } from '../domain/errors.ts'
import type { SecretReference } from '../domain/migration-plan.ts'
import type { Secret } from '../domain/secret.ts'
import { resolveSecret } from '../plan/resolve-secret.ts'
import type { Host } from './host.ts'

/**
 * The secret that a plan refers to, with warnings about where it lies.
 * @throws FerryError kind `credentials` for one that is missing or can not be used
 */
export const secretOf = async (
  reference: SecretReference,
  env: Host['env'],
): Promise<{ readonly value: Secret; readonly warnings: readonly Diagnostic[] }> => {
  const checked = await resolveSecret(reference, env)
  if (!checked.ok) throw credentialError(checked.diagnostics)
  return {
    value: checked.value,
    warnings: checked.diagnostics.filter((finding) => finding.severity !== 'error'),
  }
}

/** The first finding as the error, with all of them. */
export const credentialError = (findings: readonly Diagnostic[]): FerryError => {
  const errors = findings.filter((finding) => finding.severity === 'error')
  const first = errors[0]
  return new FerryError(
    'credentials',
    first?.code ?? 'MissingSecret',
    first?.message ?? 'a secret is missing',
    {
      diagnostics: errors,
      ...(first?.hint === undefined ? {} : { hint: first.hint }),
    },
  )
}

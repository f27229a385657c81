import { FerryError, NetworkError } from '../../domain/errors.ts'
import type { ErrorRecord } from '../../domain/journal.ts'
import { errorRecord } from './device-journal.ts'
import { StepFailure } from './ensure.ts'

/** What failed for one device; undefined for errors that end the run: refused credentials, an unwritable state, defects. */
export const failureOf = (error: unknown): ErrorRecord | undefined => {
  if (error instanceof StepFailure) return error.error
  if (!(error instanceof NetworkError) || error.refusesCredentials) return undefined
  const { code, message, hint, fault } = error
  return errorRecord({ code, message, hint, correlationId: fault.correlationId })
}

/** A key that is not accepted any more fails for every device: said once, with the way on. */
export const endOfRun = (error: unknown, command: string): unknown =>
  error instanceof NetworkError && error.refusesCredentials
    ? new FerryError('credentials', error.code, error.message, {
        cause: error,
        hint: `${error.hint ?? 'check the key and its rights'}; then run ${command} again: it goes on where it was`,
      })
    : error

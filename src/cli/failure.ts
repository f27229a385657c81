import { FerryError, NetworkError } from '../index.ts'
import { shellWord } from '../report/escape.ts'
import type { End } from './exit-codes.ts'
import type { Shell } from './shell.ts'
import { findingText, tell } from './tell.ts'

/** What the user configured is wrong, rather than that a network is out of order. */
const CONFIGURATION = new Set([
  'HostUnreachable',
  'CertificateRefused',
  'NotTls',
  'ProxyRefused',
  'RegistryNotServed',
])

/** The end that an error stands for. */
export const endOf = (error: unknown): End => {
  if (error instanceof FerryError) return error.kind
  if (!(error instanceof NetworkError)) return 'unexpected'
  if (error.refusesCredentials) return 'credentials'
  return CONFIGURATION.has(error.code) ? 'plan-invalid' : 'unexpected'
}

/** Says in one sentence what went wrong and what to do; never a stack. */
export const tellFailure = (
  shell: Shell,
  error: unknown,
  debugFile: string | undefined,
  plan?: string,
): void => {
  const { err } = shell
  if (shell.interrupts.signal.aborted && endOf(error) !== 'state-not-written') {
    tell(err, 'error', 'interrupted; the state is safe, run the same command again to go on')
  } else if (error instanceof FerryError) tellFerryError(shell, error, plan)
  else if (error instanceof NetworkError) tellNetworkError(shell, error)
  else {
    tell(
      err,
      'error',
      `Unexpected ${nameOf(error)}: this is a defect of ferry, not of your plan`,
      debugFile === undefined
        ? 'run the same command with --debug: it writes the error with its stack, without keys, to ferry-debug.log for a report'
        : `report it with ${debugFile}, which holds the error with its stack, without keys`,
    )
  }
}

const tellNetworkError = ({ err }: Shell, { code, message, hint, fault }: NetworkError): void => {
  const where = fault.correlationId === undefined ? '' : ` (correlation id ${fault.correlationId})`
  tell(err, 'error', `${code} ${message}${where}`, hint)
}

/** The class of the error alone: its message may quote anything. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error)

/** A hint about the lock is given where the plan is not known: it is named here. */
const hintOf = ({ kind, hint }: FerryError, plan: string | undefined): string | undefined =>
  kind === 'locked' && plan !== undefined
    ? hint?.replace('ferry state unlock PLAN ', () => `ferry state unlock ${shellWord(plan)} `)
    : hint

const tellFerryError = ({ err }: Shell, error: FerryError, plan: string | undefined): void => {
  const [first] = error.diagnostics
  const isSummary = first === undefined || first.message !== error.message
  for (const finding of error.diagnostics) {
    if (isSummary) err.write(findingText(finding, err))
    else tell(err, finding.severity, `${finding.code} ${finding.message}`, finding.hint)
  }
  if (isSummary) tell(err, 'error', `${error.code} ${error.message}`, hintOf(error, plan))
}

import type { FailureKind } from '../index.ts'

/** Ends of a command: the kinds of failures, and those that are none. */
export type End = 'done' | 'changes' | 'sigint' | 'sigterm' | FailureKind

/** The one table of exit codes; published, so a code never changes its meaning. */
export const EXIT_CODES: Readonly<Record<End, number>> = {
  done: 0,
  unexpected: 1,
  changes: 2,
  'plan-invalid': 3,
  blocked: 4,
  stale: 5,
  locked: 6,
  partial: 7,
  differences: 8,
  credentials: 9,
  usage: 64,
  'state-not-written': 74,
  sigint: 130,
  sigterm: 143,
}

/** What `--help` says of each code. */
export const EXIT_MEANINGS: readonly (readonly [End, string])[] = [
  ['done', 'done, or nothing to do'],
  ['unexpected', 'unexpected error, or a network that does not answer'],
  ['changes', 'changes are pending (only with --detailed-exitcode)'],
  ['plan-invalid', 'the plan or the configuration is invalid'],
  ['blocked', 'blocked by a guard, a policy or a conflict, or not confirmed'],
  ['stale', 'stale or mismatching change set or state'],
  ['locked', 'the state is locked by another run'],
  ['partial', 'partly done: run the same command again'],
  ['differences', 'verify found differences or silent devices, or audit found something'],
  ['credentials', 'credentials or rights are missing'],
  ['usage', 'wrong usage'],
  ['state-not-written', 'the state could not be written, work stopped'],
  ['sigint', 'interrupted (Ctrl-C); the state is safe'],
  ['sigterm', 'terminated; the state is safe'],
]

/** Where several ends are true of one run, the first of these counts. */
const PRECEDENCE: readonly End[] = [
  'state-not-written',
  'sigint',
  'sigterm',
  'unexpected',
  'usage',
  'locked',
  'stale',
  'credentials',
  'plan-invalid',
  'blocked',
  'partial',
  'differences',
  'changes',
  'done',
]

/** The exit code of a run of which all these are true; none is `done`. */
export const exitCodeOf = (...ends: readonly End[]): number =>
  EXIT_CODES[PRECEDENCE.find((end) => ends.includes(end)) ?? 'done']

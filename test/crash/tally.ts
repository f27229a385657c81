import { appendFileSync } from 'node:fs'

/** A failure is told when it happens: the run goes on for a long time. */
export const told = (failure: string): string => {
  process.stdout.write(`FAILED ${failure}\n`)
  return failure
}

/** Tells the script that runs the whole how much was survived. */
export const survived = (kind: 'kills' | 'faults' | 'mutations', count: number): void => {
  const file = process.env['FERRY_CRASH_TALLY']
  if (file !== undefined) appendFileSync(file, `${kind} ${count}\n`)
}

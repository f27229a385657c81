import { appendFileSync } from 'node:fs'

/** Tells the script that runs the whole how much was survived. */
export const survived = (kind: 'kills' | 'faults' | 'mutations', count: number): void => {
  const file = process.env['FERRY_CRASH_TALLY']
  if (file !== undefined) appendFileSync(file, `${kind} ${count}\n`)
}

import { FerryError, parseChangeSet, serialiseChangeSet } from '../../src/index.ts'
import { brokenChangeSet } from './change-set-mutations.ts'

/** Milliseconds; what takes longer hangs. */
const LONGEST = 5_000

/** Raw control characters, and marks that turn the direction of text. */
const RAW = /\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u

const wrongWith = (seed: number): string | undefined => {
  const { original, bytes } = brokenChangeSet(seed)
  const began = performance.now()
  try {
    // what was only written otherwise is the same change set still
    const taken = serialiseChangeSet(parseChangeSet(bytes.toString('utf8')))
    if (taken !== original) return 'an edited change set was taken'
  } catch (error) {
    if (!(error instanceof FerryError)) return `threw ${error instanceof Error ? error.stack : String(error)}`
    if (error.kind !== 'stale') return `${error.code} is ${error.kind}`
    if (!/^ChangeSet[A-Z][A-Za-z]+$/.test(error.code)) return `the code ${error.code}`
    if (error.message.length > 300) return `${error.code} in ${error.message.length} characters`
    if (RAW.test(error.message)) return `raw control characters: ${JSON.stringify(error.message)}`
  }
  return performance.now() - began > LONGEST ? 'took over 5 seconds' : undefined
}

/** Seeds and what is wrong; `FERRY_CRASH_CASE="change-sets: 4711"` makes one of them alone. */
export const brokenChangeSets = (first: number, count: number): readonly string[] => {
  const failures: string[] = []
  for (let seed = first; seed < first + count; seed += 1) {
    const wrong = wrongWith(seed)
    if (wrong !== undefined) failures.push(`change-sets: ${seed}\n${wrong}`)
  }
  return failures
}

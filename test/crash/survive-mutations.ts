import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDiagnostic, loadPlan } from '../../src/index.ts'
import { mutated } from './mutations.ts'

export const PLANS: readonly string[] = readdirSync('plans')
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => readFileSync(join('plans', name), 'utf8'))

/** Milliseconds; what takes longer hangs. */
const LONGEST = 5_000

/** Raw control characters but the end of a line, and marks that turn the direction of text. */
const RAW = /(?!\n)\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u

/** What is wrong with how one broken plan was taken; undefined when it was refused or read as it should. */
const wrongWith = async (seed: number): Promise<string | undefined> => {
  const bytes = mutated(PLANS, seed)
  const places = Buffer.from(bytes)
    .toString('latin1')
    .split(/[\n\r]/).length
  const began = performance.now()
  try {
    const { ok, diagnostics } = await loadPlan(join('plans', 'mutated.yaml'), {
      readBytes: async (path) => (path.endsWith('mutated.yaml') ? bytes : readFileSync(path)),
    })
    if (performance.now() - began > LONGEST) return 'took over 5 seconds'
    if (!ok && diagnostics.length === 0) return 'refused without a word'
    for (const finding of diagnostics) {
      const { code, subject, message } = finding
      if (RAW.test(formatDiagnostic(finding)))
        return `${code} with raw control characters: ${JSON.stringify(message)}`
      if (!/^[A-Z][A-Za-z0-9]+$/.test(code)) return `a finding without a code: ${message}`
      if (subject === undefined || !('file' in subject)) return `${code} without a place`
      if (subject.line < 1 || subject.line > places + 1) return `${code} at line ${subject.line} of ${places}`
    }
    if (Reflect.get({}, 'polluted') !== undefined) return 'changed the prototype of all objects'
    return undefined
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : String(error)}`
  }
}

/** Seeds and what is wrong, of so many broken plans; `FERRY_CRASH_CASE="mutations: 4711"` makes one of them alone. */
export const brokenPlans = async (first: number, count: number): Promise<readonly string[]> => {
  const failures: string[] = []
  for (let seed = first; seed < first + count; seed += 1) {
    const wrong = await wrongWith(seed)
    if (wrong !== undefined) failures.push(`mutations: ${seed}\n${wrong}`)
  }
  return failures
}

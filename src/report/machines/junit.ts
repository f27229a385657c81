import type { Annotation } from './annotation.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** Text is harmless already: control characters, which XML can not hold, are written as escapes. */
const xml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '')

/** What was looked at: a plan, or a device of one. */
export interface Case {
  readonly suite: string
  readonly name: string
  readonly findings: readonly Annotation[]
}

const caseText = ({ suite, name, findings }: Case): string => {
  const open = `    <testcase classname="${xml(suite)}" name="${xml(name)}"`
  if (findings.length === 0) return `${open}/>`
  const lines = findings.map(({ code, message, hint, file, line, column }) =>
    xml(`${file}:${line}:${column} ${code} ${message}${hint === undefined ? '' : `\n  hint: ${hint}`}`),
  )
  const [first] = findings.filter(({ severity }) => severity === 'error')
  return first === undefined
    ? `${open}>\n      <system-out>${lines.join('\n')}</system-out>\n    </testcase>`
    : `${open}>\n      <failure type="${xml(first.code)}" message="${xml(first.message)}">${lines.join('\n')}</failure>\n    </testcase>`
}

/** A report of tests in the form of JUnit: an error is a failure, all else is told beside a test that passed. */
export const junitReport = (cases: readonly Case[]): string => {
  const suites = new Map<string, Case[]>()
  for (const each of cases) {
    const suite = suites.get(each.suite)
    if (suite === undefined) suites.set(each.suite, [each])
    else suite.push(each)
  }
  const failures = (some: readonly Case[]): number =>
    some.filter(({ findings }) => findings.some(({ severity }) => severity === 'error')).length
  const body = [...suites].map(
    ([name, some]) =>
      `  <testsuite name="${xml(name)}" tests="${some.length}" failures="${failures(some)}" errors="0" skipped="0">\n${some.map(caseText).join('\n')}\n  </testsuite>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="lorawan-ferry" tests="${cases.length}" failures="${failures(cases)}">\n${body.join('\n')}\n</testsuites>\n`
}

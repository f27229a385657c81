import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { EDGE_CASES } from './cases.ts'

const root = join(import.meta.dirname, '../..')

interface Tagged {
  readonly file: string
  readonly name: string
}

/** A tag is in the name of a test, so it is in the report of a run too: `[edge 31]`, or `[edge 1, 2]`. */
const TAG = /(['"`])((?:(?!\1)[^\n\\]|\\.)*?)\s*\[edge (\d+(?:, \d+)*)\]\1/g

/** The tests that carry the number of each case. A test is tagged where it is written, and none is ever skipped. */
export const taggedTests = (): ReadonlyMap<number, readonly Tagged[]> => {
  const tests = new Map<number, Tagged[]>()
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.test\.ts$/.test(file))
    .map((file) => join(root, 'test', file))
    .sort()
  for (const path of files) {
    for (const [, , name = '', numbers = ''] of readFileSync(path, 'utf8').matchAll(TAG)) {
      const tagged = { file: relative(root, path).replaceAll('\\', '/'), name: name.trim() }
      for (const number of numbers.split(', ').map(Number))
        tests.set(number, [...(tests.get(number) ?? []), tagged])
    }
  }
  return tests
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** `docs/edge-cases.md` from its first table on. */
export const edgeCasesPage = (): string => {
  const tests = taggedTests()
  const rows = EDGE_CASES.map(({ title, verdict, does }, index) => {
    const shown = (tests.get(index + 1) ?? []).map(
      ({ file, name }) => `\`${file.replace(/^test\//, '')}\`: ${name}`,
    )
    return `| ${index + 1} | ${cell(title)} | ${verdict} | ${cell(does)} | ${cell(shown.join('<br>'))} |`
  })
  const count = (verdict: string): number => EDGE_CASES.filter((each) => each.verdict === verdict).length
  return `# Awkward devices, and what becomes of them

${EDGE_CASES.length} cases, each with what the tool does and the tests that assert it on both networks; ${count('not built')} of them are not built, and say
what is missing. A test carries the number of its case in its name, such as \`[edge 31]\`, and this page is made of those
names: \`npx vitest run test/edge-cases --update\` writes it anew.

| verdict | means |
|---|---|
| proceeds | it crosses, or the run goes on |
| changes | something is written otherwise than the source has it, and the preview tells it |
| warns | it goes on, and somebody should know |
| leaves alone | this device stays as it is on both networks, and the others go on |
| refuses | the whole run, before anything is written |
| asks | needs a field of the plan or an option |

| # | case | verdict | what it does | tests, below \`test/\` |
|---|---|---|---|---|
${rows.join('\n')}
`
}

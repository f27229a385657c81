import type { Annotation } from './annotation.ts'

/** Results that code scanning takes of a run; those that refuse a plan come first. */
const MOST = 5_000

const byWeight = { error: 0, warning: 1, note: 2 } as const

/** A path as a relative URI, its parts encoded. */
const uriOf = (file: string): string => file.split('/').map(encodeURIComponent).join('/')

/** SARIF 2.1.0, for code scanning. `version` is that of this tool. */
export const sarifLog = (annotations: readonly Annotation[], version: string): string => {
  const results = [...annotations].sort((a, b) => byWeight[a.severity] - byWeight[b.severity]).slice(0, MOST)
  const rules = [...new Set(results.map(({ code }) => code))].sort()
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'lorawan-ferry', version, rules: rules.map((id) => ({ id })) } },
        columnKind: 'unicodeCodePoints',
        results: results.map(({ code, severity, message, hint, file, line, column }) => ({
          ruleId: code,
          ruleIndex: rules.indexOf(code),
          level: severity,
          message: { text: hint === undefined ? `${message}.` : `${message}.\n${hint}.` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(file) },
                region: { startLine: line, startColumn: column },
              },
            },
          ],
        })),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

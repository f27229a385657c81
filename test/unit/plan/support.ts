import type { Checked, Diagnostic } from '../../../src/domain/diagnostic.ts'
import type { LoadedPlan } from '../../../src/domain/migration-plan.ts'
import { type IdsFileText, parsePlan } from '../../../src/plan/parse-plan.ts'

export interface Sections {
  readonly head?: string
  readonly metadata?: string
  readonly source?: string
  readonly target?: string
  readonly devices?: string
  readonly policy?: string
  readonly rest?: string
}

export const SOURCE = `source:
  network: things-stack
  url: https://eu1.cloud.thethings.network
  application: building-a
  apiKey: { env: SOURCE_API_KEY }`

export const TARGET = `target:
  network: things-stack
  url: https://example.eu1.cloud.thethings.industries
  application: building-a
  apiKey: { env: TARGET_API_KEY }`

/** A plan without any finding, of which sections can be replaced. */
export const planText = (sections: Sections = {}): string =>
  [
    sections.head ?? 'apiVersion: ferry/v1\nkind: MigrationPlan',
    sections.metadata ?? 'metadata: { name: building-a }',
    sections.source ?? SOURCE,
    sections.target ?? TARGET,
    sections.devices ?? 'devices: { include: [{ all: true }] }',
    sections.policy ?? 'policy: { persistSession: true, deleteSource: after-heard }',
    sections.rest ?? 'coverage: { gateways: on-target }',
    '',
  ].join('\n')

const FILE = 'plans/building-a.yaml'

export const parse = (text: string, idsFiles: Readonly<Record<string, string>> = {}): Checked<LoadedPlan> =>
  parsePlan(text, {
    file: FILE,
    folder: '/migrations/plans',
    idsFiles: new Map(
      Object.entries(idsFiles).map(([name, ids]): [string, IdsFileText] => [name, { text: ids }]),
    ),
  })

export const placeOf = ({ subject }: Diagnostic): string =>
  subject !== undefined && 'file' in subject ? `${subject.file}:${subject.line}:${subject.column}` : 'nowhere'

/** Marks where findings are expected. */
const MARK = '‸'

/** A text without its marks, and the places of the marks. */
export const marked = (text: string): { readonly text: string; readonly places: readonly string[] } => {
  const places: string[] = []
  let plain = ''
  for (const [index, part] of text.split(MARK).entries()) {
    if (index > 0) {
      const lines = plain.split('\n')
      places.push(`${FILE}:${lines.length}:${(lines.at(-1) ?? '').length + 1}`)
    }
    plain += part
  }
  return { text: plain, places }
}

/** `file:line:column Code` of every finding. */
export const told = ({ diagnostics }: Checked<unknown>): readonly string[] =>
  diagnostics.map((diagnostic) => `${placeOf(diagnostic)} ${diagnostic.code}`)

/** The plan of a text that has to be right. */
export const planOf = (text: string, idsFiles: Readonly<Record<string, string>> = {}): LoadedPlan => {
  const result = parse(text, idsFiles)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

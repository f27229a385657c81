import { join, resolve } from 'node:path'
import type { Checked, Diagnostic } from '../domain/diagnostic.ts'
import type { HouseRules } from '../domain/house-rules.ts'
import type { LoadedPlan } from '../domain/migration-plan.ts'
import { checkSchema, without } from './check-schema.ts'
import { arrange, error, type Finding } from './finding.ts'
import { type IdsFile, parseIdsFile } from './ids-file.ts'
import { type Located, nodeAt, offsetOf } from './located.ts'
import { digestOfPlan, normalise } from './normalise.ts'
import { placesIn } from './places.ts'
import { plainValue } from './plain-value.ts'
import type { Draft, PlanDocument } from './plan-document.ts'
import { readYaml, type YamlText } from './read-yaml.ts'
import { checkRules } from './rules.ts'
import { planSchema, withDefaults } from './schema.ts'
import { shown } from './shown.ts'

/** Text of an id file, or why there is none, in words for a person. */
export type IdsFileText = { readonly text: string } | { readonly problem: string }

export interface ParseOptions {
  /** The plan as the user gave it; named in findings. */
  readonly file: string
  /** Absolute path of the plan's folder. */
  readonly folder: string
  /** By their path as the plan writes it. */
  readonly idsFiles?: ReadonlyMap<string, IdsFileText>
  /** What the organisation says for all plans. */
  readonly organisation?: HouseRules
}

/** A plan whose text was read and compared with the schema; its rules are not checked yet. */
export interface PlanReading {
  readonly yaml: YamlText
  readonly draft?: Draft
  readonly findings: readonly Finding[]
}

/** The first half: YAML and schema. Pure; never throws, whatever the text. */
export const readPlan = (text: string): PlanReading => {
  const yaml = readYaml(text)
  if (yaml.root === undefined) return { yaml, findings: yaml.findings }
  const plain = plainValue(yaml.root, planSchema())
  const { findings, wrong } = checkSchema(yaml.root, plain.value)
  // taken out again afterwards: a default in the place of a wrong value would have rules speak of it
  const draft = without(withDefaults(without(plain.value, wrong)), wrong) as Draft | undefined
  return {
    yaml,
    ...(draft === undefined ? {} : { draft }),
    findings: [...yaml.findings, ...plain.findings, ...findings],
  }
}

/** Paths of the id files that a plan names, as it writes them. */
export const idsFilesOf = ({ draft }: PlanReading): readonly string[] => {
  const { include = [], exclude = [], overrides = [] } = draft?.devices ?? {}
  const names = [...include, ...exclude, ...overrides].flatMap((selector) => selector?.idsFile ?? [])
  return [...new Set(names)]
}

/** The second half: id files, rules, defaults. Pure. */
export const finishPlan = (reading: PlanReading, options: ParseOptions): Checked<LoadedPlan> => {
  const { yaml, draft } = reading
  const { file, folder } = options
  const files = parseIdsFiles(reading, options)
  const rules =
    draft === undefined || yaml.root === undefined ? [] : checkPlan(yaml.root, draft, files.parsed, options)
  const own = [...reading.findings, ...files.missing, ...rules].map((finding) => place(finding, yaml, file))
  const diagnostics = arrange([...own, ...files.diagnostics], file)
  if (draft === undefined || diagnostics.some(({ severity }) => severity === 'error'))
    return { ok: false, diagnostics }
  // fits the schema: nothing was wrong or missing, and defaults are filled in
  const plan = normalise(draft as PlanDocument, { folder, idsFiles: files.parsed })
  const { organisation } = options
  const loaded = { plan, file, digest: digestOfPlan(plan, folder) }
  return { ok: true, value: organisation === undefined ? loaded : { ...loaded, organisation }, diagnostics }
}

/**
 * Parses and checks the text of a plan. All findings are reported at once, by place; the plan is there
 * only where none of them is an error. Pure: `idsFiles` holds the id files that the plan names.
 */
export const parsePlan = (text: string, options: ParseOptions): Checked<LoadedPlan> =>
  finishPlan(readPlan(text), options)

const checkPlan = (
  root: Located,
  draft: Draft,
  idsFiles: ReadonlyMap<string, IdsFile>,
  { file, folder, organisation }: ParseOptions,
): readonly Finding[] =>
  checkRules({
    ...(organisation === undefined ? {} : { organisation }),
    draft,
    written: (path) => nodeAt(root, path) !== undefined,
    idsFiles,
    absolute: (path) => resolve(folder, path),
    file: resolve(folder, file.split(/[\\/]/).at(-1) ?? file),
  })

interface ParsedIdsFiles {
  readonly parsed: ReadonlyMap<string, IdsFile>
  /** Those that could not be read, at the fields that name them. */
  readonly missing: readonly Finding[]
  /** Placed in the id files. */
  readonly diagnostics: readonly Diagnostic[]
}

const parseIdsFiles = (reading: PlanReading, { file, idsFiles }: ParseOptions): ParsedIdsFiles => {
  const parsed = new Map<string, IdsFile>()
  const missing: Finding[] = []
  const diagnostics: Diagnostic[] = []
  for (const name of idsFilesOf(reading)) {
    const read = idsFiles?.get(name) ?? { problem: 'was not read' }
    if ('problem' in read) {
      missing.push(...unreadable(reading, name, read.problem))
      continue
    }
    const ids = parseIdsFile(read.text)
    parsed.set(name, ids)
    const beside = join(file, '..', name)
    diagnostics.push(...ids.findings.map((finding) => placeInText(finding, read.text, beside)))
  }
  return { parsed, missing, diagnostics }
}

const unreadable = ({ draft }: PlanReading, name: string, problem: string): readonly Finding[] =>
  (['include', 'exclude', 'overrides'] as const).flatMap((list) =>
    (draft?.devices?.[list] ?? []).flatMap((selector, index) => {
      if (selector?.idsFile !== name) return []
      const message = `the file ${shown(name)} ${problem}`
      const hint = 'idsFile is relative to the folder of the plan, one device id a line'
      return [error({ code: 'IdsFileUnreadable', message, hint, path: ['devices', list, index, 'idsFile'] })]
    }),
  )

const told = ({ code, severity, message, hint }: Finding): Diagnostic => ({
  code,
  severity,
  message,
  ...(hint === undefined ? {} : { hint }),
})

/** Gives a finding its line and column in the plan. */
const place = (finding: Finding, { root, placeOf }: YamlText, file: string): Diagnostic => {
  const { path = [], at = 'value' } = finding
  const offset = finding.offset ?? (root === undefined ? 0 : offsetOf(root, path, at))
  return { ...told(finding), subject: { file, ...placeOf(offset) } }
}

/** Gives a finding with an offset its line and column in a text that is no YAML. */
export const placeInText = (finding: Finding, text: string, file: string): Diagnostic => {
  return { ...told(finding), subject: { file, ...placesIn(text)(finding.offset ?? 0) } }
}

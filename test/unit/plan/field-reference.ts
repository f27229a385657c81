import { CELLS, RULES } from '../../../src/plan/rules.ts'
import { type SchemaField, schemaFields } from '../../../src/plan/schema.ts'

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

const typeOf = ({ schema }: SchemaField): string => {
  if (schema.enum?.every((value) => typeof value !== 'boolean')) {
    const numbers = schema.enum.filter((value) => typeof value === 'number')
    const words = schema.enum.filter((value) => typeof value === 'string').map(code)
    const range = numbers.length === 0 ? [] : [`${Math.min(...numbers)} to ${Math.max(...numbers)}`]
    return [...words, ...range].join(', ')
  }
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'whole number',
    boolean: 'true or false',
    array: 'list',
    object: 'mapping',
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  return types.map((type) => names[type] ?? type).join(' or ')
}

const textOf = (field: SchemaField): string => {
  const { path, schema, required } = field
  const name = path.join('.').replaceAll('.[]', '[]')
  const facts = [
    typeOf(field),
    required ? 'required' : schema.default === undefined ? 'optional' : `default ${code(schema.default)}`,
  ]
  const examples = (schema.examples ?? []).map(code).join(', ')
  const lines = [`### ${name}`, `${schema.title ?? ''}. ${facts.join('; ')}.`, schema.description ?? '']
  return [...lines, `Example: ${examples}`].join('\n\n')
}

const cellsText = (): string =>
  [
    '| cell | the guide asks | here |',
    '|---|---|---|',
    ...Object.entries(CELLS).map(([cell, { by, asks, ours }]) => `| ${cell} | ${asks} | ${by}: ${ours} |`),
  ].join('\n')

const rulesText = (): string =>
  [
    '| codes | cell | because |',
    '|---|---|---|',
    ...RULES.map(({ codes, cell = '', because }) => `| ${codes.join(', ')} | ${cell} | ${because} |`),
  ].join('\n')

const INTRODUCTION = `# The migration plan

A migration plan is a YAML file that says which LoRaWAN devices move from one network to another, and how. People
write it, review it, and keep it under version control; it holds no secret. \`plans/minimal.yaml\` is the least that a
plan says, \`plans/full.yaml\` has every field. Editors that know JSON Schema complete and check a plan by its first line,
\`# yaml-language-server: $schema=...\`; \`ferry validate\` checks it without any network.

## How it is read

- One YAML 1.2 document in UTF-8, of up to 2 MiB. Longer lists of devices go into a text file, named by \`idsFile\`.
- Anchors and aliases are allowed, up to 100; merge keys (\`<<\`), custom tags, directives and double keys are refused.
- Ids, names, attributes, EUIs and payloads are text. \`70e5000000000001\`, \`007\` and \`1e3\` are numbers to YAML: they are
  taken as written, with a warning to quote them.
- Secrets are named by \`env\` or \`file\`, never written. Findings do not show what could be a secret.
- Paths are relative to the folder of the plan. Durations are days, hours, minutes and seconds: \`7d\`, \`1h30m\`.
- All findings come in one run, as \`file:line:column code message\` and what to write instead. Errors refuse the plan,
  warnings and notes do not.
- Fields and values of the design that are not built yet are refused (NotBuiltYet), never accepted and ignored.

## Fields`

/** \`docs/plan.md\`, from the schema and the rules. */
export const fieldReference = (): string =>
  [
    INTRODUCTION,
    ...schemaFields().map(textOf),
    '## Rules',
    'What is checked beyond the fields, and why.',
    rulesText(),
    "## The vendor's guides, cell by cell",
    'What the guides ask for a move between deployments of The Things Stack, keeping the session (c) and joining anew (d): A1 devices, A2 before, A3 read, A4 source, A5 drop on import, A6 ABP, A7 coverage, A8 what is left, A9 advice. Checked in the plan, known by reading the networks, done by the engine, or told by a field.',
    cellsText(),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n')

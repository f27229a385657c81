import { type Finding, warning } from './finding.ts'
import type { Located, LocatedScalar, Path } from './located.ts'
import { childSchema, type SchemaNode } from './schema.ts'
import { isSecretReference } from './secret-fields.ts'
import { looksSecret } from './shown.ts'

export interface PlainValue {
  readonly value: unknown
  readonly findings: readonly Finding[]
}

/**
 * A located value as plain data for the schema. Where the schema wants text and YAML read a number, true
 * or null from an unquoted scalar, the text as written is taken, with a warning to quote it: to YAML,
 * `70E5000000000001` is Infinity, `007` is 7 and `1.0` is 1.
 */
export const plainValue = (root: Located, schema: SchemaNode): PlainValue => {
  const findings: Finding[] = []
  const convert = (node: Located, node_schema: SchemaNode | undefined, path: Path): unknown => {
    if (node.kind === 'scalar') return scalarValue(node, node_schema, path, findings)
    const inner = (step: string | number): SchemaNode | undefined =>
      node_schema === undefined || isSecretReference(path) ? undefined : childSchema(node_schema, step)
    if (node.kind === 'list') {
      return node.items.map((item, index) => convert(item, inner(index), [...path, index]))
    }
    // fromEntries defines own properties, so that a key __proto__ stays a key
    return Object.fromEntries(
      [...node.entries].map(([name, { value }]) => [name, convert(value, inner(name), [...path, name])]),
    )
  }
  const value = convert(root, schema, [])
  return { value, findings }
}

const scalarValue = (
  node: LocatedScalar,
  schema: SchemaNode | undefined,
  path: Path,
  findings: Finding[],
): unknown => {
  const guessed = node.plain && typeof node.value !== 'string'
  if (schema?.type !== 'string' || !guessed || node.source === '') return node.value
  // `state: null` says that there is none; in a list of ids or as an attribute, null is a word
  if (node.value === null && !isWord(path)) return null
  if (fits(node.source, schema)) findings.push(quoteFinding(node.source, node.value, path))
  return node.source
}

/** What does not fit in any case, such as `heardWithin: 24`, is complained about for that; hexadecimal misleads always. */
const fits = (source: string, { pattern, enum: values }: SchemaNode): boolean =>
  HEX.test(source) ||
  ((pattern === undefined || new RegExp(pattern).test(source)) && (values?.includes(source) ?? true))

const HEX = /^(0x)?[0-9A-Fa-f]{8,}$/

const isWord = (path: Path): boolean => typeof path.at(-1) === 'number' || path.at(-2) === 'attributes'

const quoteFinding = (source: string, value: LocatedScalar['value'], path: Path): Finding => {
  const hex = HEX.test(source)
  const text = looksSecret(source) ? 'the value' : source
  const kind = typeof value === 'number' ? 'a number' : value === null ? 'nothing' : 'true or false'
  return warning({
    code: hex ? 'QuoteHex' : 'QuoteText',
    message: hex
      ? `${text} is hexadecimal and ${kind} to YAML; it is taken as written`
      : `${text} is ${kind} to YAML; it is taken as text, as written`,
    hint: text === source ? `write "${source}"` : 'quote it',
    path,
  })
}

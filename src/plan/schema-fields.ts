import { stringify } from 'yaml'
import { error, type Finding } from './finding.ts'
import { type Path, pathText } from './located.ts'
import { nearest } from './nearest.ts'
import { isFieldNotBuilt } from './not-built.ts'
import { childSchema, schemaAt, schemaFields } from './schema.ts'
import { isInSecretReference } from './secret-fields.ts'
import { looksSecret, shownName } from './shown.ts'

/** `under "source"`, or nothing at the top. */
const place = (parent: Path): string => (parent.length === 0 ? '' : ` under "${pathText(parent)}"`)

export interface UnknownField {
  readonly finding: Finding
  /** The field of the same parent that was probably meant. */
  readonly meant?: string
}

/** Names the parents under which a field exists: `policy`, `devices.overrides[].policy`. */
const homesOf = (name: string): readonly string[] =>
  schemaFields()
    .filter(({ path }) => path.at(-1) === name)
    .map(({ path }) => path.slice(0, -1).join('.').replaceAll('.[]', '[]'))
    .map((parent) => (parent === '' ? 'the top level' : `"${parent}"`))

/**
 * A field that the schema does not know: not built yet, misspelt, in the wrong place, or nothing that is
 * known. Its value is never shown.
 */
export const explainUnknown = (parent: Path, name: string): UnknownField => {
  const path = [...parent, name]
  if (isInSecretReference(parent)) {
    const message = `"${pathText(parent)}" has a field that is neither env nor file`
    const hint =
      'write { env: NAME_OF_A_VARIABLE } or { file: path }; its name is not shown, it may be a secret'
    return { finding: error({ code: 'UnknownField', message, hint, path, at: 'key' }) }
  }
  if (isFieldNotBuilt(parent, name)) {
    const message = `"${name}"${place(parent)} is planned and not built yet`
    const hint = 'leave it out; the changelog says when it is there'
    return { finding: error({ code: 'NotBuiltYet', message, hint, path, at: 'key' }) }
  }
  const siblings = Object.keys(schemaAt(parent)?.properties ?? {})
  const meant = nearest(name, siblings)
  const message = `unknown field ${shownName(name)}${place(parent)}`
  const text = { code: 'UnknownField', message, path, at: 'key' as const }
  if (meant !== undefined) return { finding: error({ ...text, hint: `did you mean "${meant}"?` }), meant }
  return { finding: error({ ...text, hint: elsewhere(name) ?? `${known(siblings)}` }) }
}

const known = (siblings: readonly string[]): string =>
  siblings.length === 0 ? 'leave it out' : `the fields here are ${siblings.join(', ')}`

/** Where a field belongs that is known, or nearly so, in another place. */
const elsewhere = (name: string): string | undefined => {
  const names = [...new Set(schemaFields().map(({ path }) => path.at(-1) ?? ''))].filter(
    (item) => item !== '[]',
  )
  const exact = names.find((item) => item === name)
  const found = exact ?? nearest(name, names)
  if (found === undefined) return undefined
  const homes = homesOf(found).join(' or ')
  return exact === undefined ? `did you mean "${found}" under ${homes}?` : `it belongs under ${homes}`
}

/** A required field that is not there, with an example of it. */
export const explainMissing = (parent: Path, name: string): Finding => {
  const schema = childSchema(schemaAt(parent) ?? {}, name)
  const examples = (schema?.examples ?? []).map((example) => `${name}: ${flow(example)}`)
  const message = `"${name}" is missing${place(parent)}`
  const hint = examples.length === 0 ? undefined : `write ${examples.join(', or ')}`
  return error({ code: 'MissingField', message, ...(hint === undefined ? {} : { hint }), path: parent })
}

/** A value as YAML on one line. */
const flow = (value: unknown): string => {
  const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trim()
  return looksSecret(text) ? '...' : text.replace(/\s*\n\s*/g, ' ')
}

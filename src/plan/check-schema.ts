import type { Finding } from './finding.ts'
import { type Located, nodeAt, type Path, pathText } from './located.ts'
import { isFieldNotBuilt } from './not-built.ts'
import { type SchemaError, schemaErrors } from './schema.ts'
import { explainMissing, explainUnknown } from './schema-fields.ts'
import { explainKey, explainValue } from './schema-values.ts'
import { isInSecretReference } from './secret-fields.ts'

export interface SchemaFindings {
  readonly findings: readonly Finding[]
  /** Paths whose values do not fit; later checks leave them out. */
  readonly wrong: readonly Path[]
}

/** Errors that are looked at; a file with more is no plan that was meant to be one. */
const MOST_ERRORS = 1000

/** Of several complaints about one value, the one that says most. */
const PRECEDENCE = ['type', 'enum', 'pattern', 'maxLength', 'minLength', 'minimum', 'maximum']

const pathOf = (pointer: string, root: unknown): Path => {
  let value = root
  return pointer
    .split('/')
    .slice(1)
    .map((escaped) => {
      const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
      const step = Array.isArray(value) ? Number(name) : name
      value = (value as Readonly<Record<string, unknown>> | undefined)?.[name]
      return step
    })
}

const rank = ({ keyword }: SchemaError): number => {
  const index = PRECEDENCE.indexOf(keyword)
  return index < 0 ? PRECEDENCE.length : index
}

/**
 * What of a plan does not fit the schema, as one finding for each mistake: a value is complained about
 * once, a misspelt field is not also missing under its right name, and what lies in a network that is not
 * built yet is not complained about at all.
 */
export const checkSchema = (root: Located, value: unknown): SchemaFindings => {
  const findings: Finding[] = []
  const wrong: Path[] = []
  const misspelt = new Set<string>()
  const missing: { readonly parent: Path; readonly name: string }[] = []
  const values = new Map<string, { readonly path: Path; readonly errors: SchemaError[] }>()

  for (const complaint of schemaErrors(value).slice(0, MOST_ERRORS)) {
    const path = pathOf(complaint.instancePath, value)
    // Which of two ways a value has to fit is no mistake of its own.
    if (complaint.keyword === 'if') continue
    if (complaint.keyword === 'additionalProperties') {
      const name = String(complaint.params['additionalProperty'])
      const unknown = explainUnknown(path, name)
      if (unknown.meant !== undefined) misspelt.add(pathText([...path, unknown.meant]))
      findings.push(unknown.finding)
      wrong.push([...path, name])
    } else if (complaint.keyword === 'required') {
      missing.push({ parent: path, name: String(complaint.params['missingProperty']) })
    } else if (complaint.keyword === 'propertyNames') {
      const name = String(complaint.params['propertyName'])
      findings.push(explainKey(path, name))
      wrong.push([...path, name])
    } else if (complaint.propertyName === undefined) {
      const known = values.get(complaint.instancePath)
      if (known === undefined) values.set(complaint.instancePath, { path, errors: [complaint] })
      else known.errors.push(complaint)
    }
  }
  for (const { parent, name } of missing) {
    if (!misspelt.has(pathText([...parent, name]))) findings.push(explainMissing(parent, name))
  }
  for (const { path, errors } of values.values()) {
    const [first] = [...errors].sort((a, b) => rank(a) - rank(b))
    if (first === undefined || (hasUnknown(path, findings) && first.keyword === 'minProperties')) continue
    if (!isBroken(root, path)) findings.push(explainValue(root, path, first))
    if (PRECEDENCE.includes(first.keyword)) wrong.push(path)
  }
  return { findings: withoutFutureNetworks(findings), wrong }
}

const isBroken = (root: Located, path: Path): boolean => {
  const node = nodeAt(root, path)
  return node?.kind === 'scalar' && node.broken === true
}

/** An object whose only field is misspelt is complained about for that, not for being empty. */
const hasUnknown = (parent: Path, findings: readonly Finding[]): boolean =>
  findings.some(
    ({ path, at }) => at === 'key' && path !== undefined && pathText(path.slice(0, -1)) === pathText(parent),
  )

/** A network that is not built yet has fields of its own; only that it is not built is worth saying. */
const withoutFutureNetworks = (findings: readonly Finding[]): readonly Finding[] => {
  const future = findings.flatMap(({ code, path }) =>
    code === 'NotBuiltYet' && path?.length === 2 && path[1] === 'network' ? [path[0]] : [],
  )
  return findings.filter(({ code, path = [] }) => {
    if (!future.includes(path[0])) return true
    if (code === 'NotBuiltYet') return !isFieldNotBuilt(path.slice(0, -1), String(path.at(-1)))
    return code === 'LiteralSecret' && isInSecretReference(path)
  })
}

/** A copy of plain data without the values at the given paths; list items become undefined, so that indexes hold. */
export const without = (value: unknown, paths: readonly Path[]): unknown => {
  const copy = structuredClone(value)
  for (const path of paths) {
    const last = path.at(-1)
    if (last === undefined) return undefined
    let parent: unknown = copy
    for (const step of path.slice(0, -1)) {
      parent = (parent as Record<string | number, unknown> | undefined | null)?.[step]
    }
    if (parent === null || typeof parent !== 'object') continue
    if (Array.isArray(parent)) parent[Number(last)] = undefined
    else delete (parent as Record<string, unknown>)[String(last)]
  }
  return copy
}

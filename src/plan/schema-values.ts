import { error, type Finding } from './finding.ts'
import { type Located, nodeAt, type Path, pathText } from './located.ts'
import { nearest } from './nearest.ts'
import { valueNotBuilt } from './not-built.ts'
import { type SchemaError, type SchemaNode, schemaAt } from './schema.ts'
import { isInSecretReference, isSecretReference } from './secret-fields.ts'
import { looksSecret, shown } from './shown.ts'

/** The pattern of device and application ids of The Things Stack. */
const ID_PATTERN = '^[a-z0-9](?:-?[a-z0-9]){2,}$'
/** That of applications of a Stack V2 too. */
const V2_ID_PATTERN = '^[a-z0-9](?:[-_]?[a-z0-9])+$'

const isId = ({ pattern }: SchemaNode): boolean => pattern === ID_PATTERN || pattern === V2_ID_PATTERN

/** The name that messages call a value by: the last name of its path, with the item's number. */
const labelOf = (path: Path): string => {
  if (path.length === 0) return 'the plan'
  const named = path.findLastIndex((step) => typeof step === 'string')
  const text = pathText(path.slice(Math.max(0, named)))
  return looksSecret(text) ? 'the value' : `"${text}"`
}

/** A value that does not fit its schema, as one sentence; what could be a secret is not shown. */
export const explainValue = (root: Located, path: Path, complaint: SchemaError): Finding => {
  if (isInSecretReference(path)) return explainSecret(root, path, complaint)
  const schema = schemaAt(path) ?? {}
  const notBuilt = valueNotBuilt(path, complaint.data)
  if (notBuilt !== undefined) {
    const message = `${labelOf(path)} ${shown(complaint.data)} is planned and not built yet`
    return error({ code: 'NotBuiltYet', message, hint: notBuilt, path })
  }
  const [code, message, hint] = sentence(root, path, schema, complaint)
  return error({
    code,
    message: `${labelOf(path)} ${message}`,
    ...(hint === undefined ? {} : { hint }),
    path,
  })
}

type Sentence = readonly [code: string, message: string, hint?: string | undefined]

const sentence = (root: Located, path: Path, schema: SchemaNode, complaint: SchemaError): Sentence => {
  const { keyword, data } = complaint
  const limit = Number(complaint.params['limit'])
  switch (keyword) {
    case 'type':
      return wrongType(root, path, schema)
    case 'enum':
      return path.length === 1 && path[0] === 'apiVersion' && /^ferry\/v\d+$/.test(String(data))
        ? [
            'UnsupportedVersion',
            `is ${shown(data)}, a version that this release does not read`,
            'write ferry/v1',
          ]
        : ['WrongValue', `is ${shown(data)}, which is not one of its values`, allowedHint(schema, data)]
    case 'pattern':
      return [
        isId(schema) ? 'InvalidId' : 'WrongValue',
        `is ${shown(data)}, which does not have its form`,
        patternHint(schema, data),
      ]
    case 'maxLength':
      return [
        isId(schema) ? 'InvalidId' : 'WrongValue',
        `has ${[...String(data)].length} characters, ${limit} are allowed`,
        'shorten it',
      ]
    case 'minimum':
    case 'maximum':
      return ['WrongValue', `is ${shown(data)}`, rangeHint(schema)]
    case 'minLength':
      return ['WrongValue', 'is empty', exampleHint(schema)]
    case 'minItems':
      return ['WrongValue', 'is an empty list', exampleHint(schema)]
    case 'minProperties':
      return isSelector(path)
        ? ['EmptySelector', 'selects nothing', 'write all: true, ids, idsFile, match or attributes']
        : ['WrongValue', 'is empty', 'write a field, or leave it out']
    case 'maxProperties':
      return ['WrongValue', `has more than ${limit} entries`, `keep ${limit}`]
    default:
      return ['WrongValue', 'does not fit the schema', exampleHint(schema)]
  }
}

/** A key of `attributes` that no attribute can have. */
export const explainKey = (parent: Path, name: string): Finding => {
  const form = schemaAt(parent)?.propertyNames?.patternErrorMessage
  const text = `${labelOf(parent)} has the key ${shown(name)}, which does not have its form`
  const hint = form === undefined ? {} : { hint: `write ${form}` }
  return error({ code: 'InvalidId', message: text, ...hint, path: [...parent, name], at: 'key' })
}

const isSelector = (path: Path): boolean =>
  path[0] === 'devices' && (path[1] === 'include' || path[1] === 'exclude') && path.length === 3

/** What a reference to a secret has instead of `env` or `file`. Nothing that was written is shown. */
const explainSecret = (root: Located, path: Path, complaint: SchemaError): Finding => {
  const label = labelOf(path)
  const node = nodeAt(root, path)
  const empty = node?.kind === 'scalar' && node.source === '' && node.value === null
  const hint = 'write { env: NAME_OF_A_VARIABLE } or { file: path }'
  if (empty || complaint.keyword === 'minProperties' || complaint.keyword === 'minLength') {
    return error({ code: 'WrongValue', message: `${label} is empty`, hint, path })
  }
  if (complaint.keyword === 'maxProperties') {
    const text = { code: 'WrongValue', message: `${label} has both env and file`, hint: 'keep one of them' }
    return error({ ...text, path })
  }
  const message = isSecretReference(path)
    ? `${label} is written into the plan, and a plan holds no secret`
    : `${label} is not ${path.at(-1) === 'env' ? 'the name of an environment variable' : 'a path'}`
  const revoke = 'if it is a key, revoke it: it is in a file that others read'
  return error({ code: 'LiteralSecret', message, hint: `${hint}; ${revoke}`, path })
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
}

const typesOf = (schema: SchemaNode): readonly string[] =>
  schema.type === undefined ? [] : typeof schema.type === 'string' ? [schema.type] : schema.type

const wrongType = (root: Located, path: Path, schema: SchemaNode): Sentence => {
  const wanted = typesOf(schema)
    .map((type) => TYPES[type] ?? type)
    .join(' or ')
  const node = nodeAt(root, path)
  const hint = schema.enum === undefined ? exampleHint(schema) : allowedHint(schema, undefined)
  if (node === undefined || node.kind !== 'scalar') {
    return [
      'WrongType',
      `is ${node?.kind === 'list' ? 'a list' : 'a mapping'}, and ${wanted} is expected`,
      hint,
    ]
  }
  if (node.source === '' && node.value === null)
    return ['WrongType', `is empty, and ${wanted} is expected`, hint]
  const said = /^(?:yes|on|y)$/i.test(node.source)
    ? 'true'
    : /^(?:no|off|n)$/i.test(node.source)
      ? 'false'
      : ''
  const better = typesOf(schema).includes('boolean') && said !== '' ? `write ${said}` : hint
  const found = typeof node.value === 'string' ? shown(node.value) : shown(node.source).replaceAll('"', '')
  return ['WrongType', `is ${found}, and ${wanted} is expected`, better]
}

/** `keep, target or 1 to 15` */
const allowedText = (values: readonly (string | number | boolean)[]): string => {
  const numbers = values.filter((value) => typeof value === 'number')
  const words = values.filter((value) => typeof value !== 'number').map(String)
  if (numbers.length > 2) words.push(`${Math.min(...numbers)} to ${Math.max(...numbers)}`)
  else words.push(...numbers.map(String))
  const last = words.pop() ?? ''
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`
}

const allowedHint = (schema: SchemaNode, data: unknown): string => {
  const values = schema.enum ?? []
  const texts = values.filter((value) => typeof value === 'string')
  const meant = typeof data === 'string' ? nearest(data, texts) : undefined
  const allowed = `write ${allowedText(values)}`
  if (typeof data === 'string' && values.includes(Number(data))) return `write ${data} without quotes`
  return meant === undefined || values.length === 1 ? allowed : `did you mean "${meant}"? ${allowed}`
}

const rangeHint = ({ minimum, maximum }: SchemaNode): string =>
  `write ${minimum ?? 0} to ${maximum ?? 'any number'}`

const patternHint = (schema: SchemaNode, data: unknown): string | undefined => {
  const form = schema.patternErrorMessage
  if (form === undefined) return exampleHint(schema)
  const lower = String(data).trim().toLowerCase()
  const fits = schema.pattern === ID_PATTERN && new RegExp(ID_PATTERN).test(lower) && !looksSecret(lower)
  return fits ? `did you mean "${lower}"? write ${form}` : `write ${form}`
}

const exampleHint = ({ examples = [] }: SchemaNode): string | undefined => {
  const [first] = examples
  return first === undefined ? undefined : `write for example ${JSON.stringify(first)}`
}

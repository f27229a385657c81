import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject } from 'ajv'
import type { Path } from './located.ts'

/** The keywords of draft-07 that the plan's schema uses. */
export interface SchemaNode {
  readonly $id?: string
  readonly $ref?: string
  readonly title?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly (string | number | boolean)[]
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly propertyNames?: SchemaNode
  readonly additionalProperties?: boolean | SchemaNode
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly definitions?: Readonly<Record<string, SchemaNode>>
  readonly pattern?: string
  /** What the pattern asks for, in words; editors show it too. */
  readonly patternErrorMessage?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
}

export type SchemaError = ErrorObject

/** `schemas/migration-plan.v1.json`: the same place from `src/plan` and from `dist/plan`. */
const SCHEMA_URL = new URL('../../schemas/migration-plan.v1.json', import.meta.url)

let loaded: SchemaNode | undefined
/** The published schema; read once. */
export const planSchema = (): SchemaNode => {
  loaded ??= JSON.parse(readFileSync(SCHEMA_URL, 'utf8')) as SchemaNode
  return loaded
}

let validator: ((value: unknown) => readonly SchemaError[]) | undefined
/** All the ways in which a value does not fit the schema. */
export const schemaErrors = (value: unknown): readonly SchemaError[] => {
  validator ??= compile()
  return validator(value)
}

const compile = (): ((value: unknown) => readonly SchemaError[]) => {
  // A test holds the schema against the meta-schema; checking and optimising it at each start takes longer than its use.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    verbose: true,
    validateSchema: false,
    code: { optimize: false },
  })
  ajv.addVocabulary(['patternErrorMessage'])
  const validate = ajv.compile(planSchema())
  return (value) => (validate(value) ? [] : (validate.errors ?? []))
}

/** A node with its reference followed; what stands beside the reference wins. */
export const resolved = (node: SchemaNode): SchemaNode => {
  if (node.$ref === undefined) return node
  let target: unknown = planSchema()
  for (const step of node.$ref.replace(/^#\//, '').split('/')) {
    target = (target as Readonly<Record<string, unknown>>)[step]
  }
  const { $ref: _, ...beside } = node
  return { ...resolved(target as SchemaNode), ...beside }
}

/** The schema of a field or list item of a node; undefined where the schema knows none. */
export const childSchema = (node: SchemaNode, step: string | number): SchemaNode | undefined => {
  if (typeof step === 'number') return node.items === undefined ? undefined : resolved(node.items)
  const property =
    node.properties !== undefined && Object.hasOwn(node.properties, step) ? node.properties[step] : undefined
  if (property !== undefined) return resolved(property)
  return typeof node.additionalProperties === 'object' ? resolved(node.additionalProperties) : undefined
}

/** The schema at a path; undefined where the schema knows none. */
export const schemaAt = (path: Path): SchemaNode | undefined =>
  path.reduce<SchemaNode | undefined>(
    (node, step) => (node === undefined ? undefined : childSchema(node, step)),
    planSchema(),
  )

export interface SchemaField {
  /** Names only; a list is a step without a name, written `[]`. */
  readonly path: readonly string[]
  readonly schema: SchemaNode
  readonly required: boolean
}

/** Every field of the plan, parents before children, in the order of the schema. */
export const schemaFields = (): readonly SchemaField[] => {
  const fields: SchemaField[] = []
  const visit = (node: SchemaNode, path: readonly string[]): void => {
    for (const [name, property] of Object.entries(node.properties ?? {})) {
      const schema = resolved(property)
      fields.push({ path: [...path, name], schema, required: node.required?.includes(name) ?? false })
      visit(schema, [...path, name])
      if (schema.items !== undefined) visit(resolved(schema.items), [...path, name, '[]'])
    }
  }
  visit(planSchema(), [])
  return fields
}

/**
 * A value with the schema's defaults filled in, at every level. Only what is absent is filled, lists stay
 * as they are, and what does not fit is left alone.
 */
export const withDefaults = (value: unknown, node: SchemaNode = planSchema()): unknown => {
  if (node.properties === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) {
    return value
  }
  const filled: Record<string, unknown> = { ...value }
  for (const [name, property] of Object.entries(node.properties)) {
    const schema = resolved(property)
    const given = filled[name] ?? structuredClone(schema.default)
    if (given !== undefined) filled[name] = withDefaults(given, schema)
  }
  return filled
}

import type { Json } from '../../domain/json.ts'
import { remembered } from '../../domain/remembered.ts'

export type JsonObject = { readonly [key: string]: Json }

export const objectOf = (value: Json | undefined): JsonObject | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : undefined

export const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

export const arrayOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])

/** Paths are those of field tables: few, and asked for once a device. */
const namesOf = remembered((path: string): readonly string[] => path.split('.'))

/** The value at a dotted path; undefined where it, or an object above it, is absent or null. */
export const valueAt = (root: Json | undefined, path: string): Json | undefined => {
  let at: Json | undefined = root
  for (const name of namesOf(path)) {
    const inside = objectOf(at)
    at = inside !== undefined && Object.hasOwn(inside, name) ? inside[name] : undefined
  }
  return at === null ? undefined : at
}

/** Builds an object from dotted paths; a path within another's value is put into it. */
export const treeOf = (entries: Iterable<readonly [string, Json]>): JsonObject => {
  const root: Record<string, Json> = {}
  for (const [path, value] of entries) {
    const names = path.split('.')
    const last = names.pop() ?? path
    let at = root
    for (const name of names) {
      const inside = { ...objectOf(at[name]) }
      at[name] = inside
      at = inside
    }
    at[last] = value
  }
  return root
}

export const without = (value: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))

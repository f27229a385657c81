/** Built anew and not deleted from: V8 gives an object that something was deleted from a shape of its own, larger than itself. */
export const omit = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  if (!keys.some((key) => key in value)) return value
  const kept: Partial<T> = {}
  for (const key of Object.keys(value) as (keyof T)[]) if (!keys.includes(key as K)) kept[key] = value[key]
  return kept as Omit<T, K>
}

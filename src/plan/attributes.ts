import type { SelectableDevice } from '../domain/migration-plan.ts'

/** The attributes of a device by name; undefined where its network gives none, or something else. */
export const attributesOf = ({
  attributes,
}: SelectableDevice): Readonly<Record<string, unknown>> | undefined =>
  attributes === null || typeof attributes !== 'object' || Array.isArray(attributes)
    ? undefined
    : (attributes as Readonly<Record<string, unknown>>)

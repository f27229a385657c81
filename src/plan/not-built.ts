import type { Path } from './located.ts'

/**
 * What the design of plans knows and no release does yet. A field or value whose effect is not built is
 * refused, never accepted and ignored; and it is not called unknown, because a reader found it in the design.
 */
const FIELDS: readonly (readonly [parent: RegExp, names: readonly string[]])[] = [
  [/^target$/, ['discovery', 'accessKey', 'defaults', 'path', 'format', 'columns']],
]

const VALUES: readonly (readonly [field: RegExp, values: readonly string[], hint: string])[] = [
  [
    /^source\.network$/,
    ['chirpstack'],
    'this release migrates from The Things Stack, Stack V2 and files: write things-stack, ttn-v2 or file',
  ],
  [
    /^target\.network$/,
    ['ttn-v2', 'file', 'chirpstack'],
    'this release migrates to The Things Stack: write things-stack',
  ],
]

const general = (path: Path): string =>
  path
    .map((step) => (typeof step === 'number' ? '[]' : step))
    .join('.')
    .replaceAll('.[]', '[]')

/** Whether a field is known to the design and not built. */
export const isFieldNotBuilt = (parent: Path, name: string): boolean =>
  FIELDS.some(([pattern, names]) => pattern.test(general(parent)) && names.includes(name))

/** What to write instead of a value that is known to the design and not built; undefined for other values. */
export const valueNotBuilt = (path: Path, value: unknown): string | undefined =>
  VALUES.find(
    ([pattern, values]) => pattern.test(general(path)) && values.some((known) => known === value),
  )?.[2]

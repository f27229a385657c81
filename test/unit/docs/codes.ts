import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Several humps (`DuplicateDevEui`): how nearly every code is written, and nearly nothing else. */
const HUMPS = /'((?:[A-Z][a-z0-9]+){2,})'/g
/** One word or more, at the places where a code alone stands. */
const PLACES: readonly RegExp[] = [
  /\bcode: '([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)'/g,
  /\bcode: \w+ \? '([A-Z][A-Za-z0-9]*)' : '[A-Z][A-Za-z0-9]*'/g,
  /\bnew FerryError\(\s*'[a-z-]+',\s*'([A-Z][A-Za-z0-9]*)'/g,
  /\bnew NetworkError\(\s*'([A-Z][A-Za-z0-9]*)'/g,
  /\bunexplained\(\w+, '([A-Z][A-Za-z0-9]*)'/g,
  /\b(?:constant|refuse|ownError|error|warning|note|blocked|defer)\(\s*(?:context,\s*)?'([A-Z][A-Za-z0-9]*)'/g,
]
/** Keys of tables of codes. */
const TABLES: Readonly<Record<string, RegExp>> = { 'plan/codes.ts': /^ {2}([A-Z][A-Za-z0-9]*):/gm }

/** Words of several humps that are names of types, classes and fields. */
const NO_CODES: ReadonlySet<string> = new Set([
  'DevAddr',
  'DevEui',
  'FerryError',
  'JoinEui',
  'NetworkError',
  'OrganisationPolicy',
  'StepFailure',
])

const src = join(import.meta.dirname, '../../../src')

/** Sources that can print a code: all but the local networks, whose errors are those of The Things Stack. */
const sources = (): readonly string[] =>
  readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('simulator/'),
  )

/** Codes that a source text holds. */
export const codesIn = (text: string, file = ''): readonly string[] => {
  const table = TABLES[file]
  const patterns = [HUMPS, ...PLACES, ...(table === undefined ? [] : [table])]
  const found = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))
  return found.filter((code) => !NO_CODES.has(code))
}

/** Every code of the sources, each with the files that hold it. */
export const codesOfSources = (): ReadonlyMap<string, readonly string[]> => {
  const codes = new Map<string, string[]>()
  for (const file of sources()) {
    for (const code of new Set(codesIn(readFileSync(join(src, file), 'utf8'), file)))
      codes.set(code, [...(codes.get(code) ?? []), file])
  }
  return codes
}

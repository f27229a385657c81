import { isStackId } from '../domain/identifiers.ts'
import type { Finding } from './finding.ts'
import { error, warning } from './finding.ts'
import { looksSecret, shown } from './shown.ts'

/** Bytes of an id file: some 400 000 ids. */
export const LARGEST_IDS_FILE = 16 * 1024 * 1024
/** Findings that are told of one id file. */
const MOST_FINDINGS = 20

export interface IdsFile {
  readonly ids: readonly string[]
  /** With offsets in the id file's own text. */
  readonly findings: readonly Finding[]
}

/**
 * Device ids of a text file: one a line; blank lines, and what follows a `#`, are left out, as are line
 * ends of any kind and blanks around. What is no device id is an error, what comes twice a warning.
 */
export const parseIdsFile = (text: string): IdsFile => {
  const seen = new Map<string, number>()
  const findings: Finding[] = []
  let offset = 0
  for (const [index, line] of text.split('\n').entries()) {
    const id = line.replace(/#.*$/s, '').trim()
    const at = offset + Math.max(0, line.search(/\S/))
    if (id !== '') checkId(id, index + 1, at, seen, findings)
    offset += line.length + 1
  }
  const left = findings.length - MOST_FINDINGS
  if (left <= 0) return { ids: [...seen.keys()], findings }
  const told = [...findings].sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'))
  const severity = told[MOST_FINDINGS]?.severity === 'error' ? error : warning
  const more = severity({
    code: 'MoreFindings',
    message: `${left} more findings in this file are left out`,
    offset: 0,
  })
  return { ids: [...seen.keys()], findings: [...told.slice(0, MOST_FINDINGS), more] }
}

const checkId = (
  id: string,
  line: number,
  offset: number,
  seen: Map<string, number>,
  findings: Finding[],
): void => {
  const first = seen.get(id)
  if (first !== undefined) {
    const message = `the device id ${shown(id)} stands in line ${first} already`
    findings.push(warning({ code: 'DuplicateId', message, hint: 'remove one of them', offset }))
    return
  }
  if (isStackId(id)) {
    seen.set(id, line)
    return
  }
  const lower = id.toLowerCase()
  const form = '3 to 36 of a-z, 0-9 and single inner hyphens'
  const hint =
    isStackId(lower) && !looksSecret(lower)
      ? `did you mean "${lower}"?`
      : `write one device id a line: ${form}`
  findings.push(error({ code: 'InvalidId', message: `${shown(id)} is not a device id`, hint, offset }))
}

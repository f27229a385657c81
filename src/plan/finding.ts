import type { Diagnostic } from '../domain/diagnostic.ts'
import type { Path } from './located.ts'

/** A finding before it has a place: what `Diagnostic` says, at a path or an offset of the document. */
export interface Finding {
  readonly code: string
  readonly severity: Diagnostic['severity']
  readonly message: string
  readonly hint?: string
  readonly path?: Path
  /** Default `value`. */
  readonly at?: 'key' | 'value'
  /** Instead of a path: UTF-16 units from the start. */
  readonly offset?: number
}

type Text = Omit<Finding, 'severity'>

export const error = (text: Text): Finding => ({ severity: 'error', ...text })
export const warning = (text: Text): Finding => ({ severity: 'warning', ...text })
export const note = (text: Text): Finding => ({ severity: 'note', ...text })

/** Most findings of one run that are told; a reader of more reads none. */
const MOST_FINDINGS = 200

const placeOf = (diagnostic: Diagnostic): readonly [string, number, number] => {
  const subject = diagnostic.subject
  return subject !== undefined && 'file' in subject
    ? [subject.file, subject.line, subject.column]
    : ['', 0, 0]
}

const compare = (a: Diagnostic, b: Diagnostic): number => {
  const [, lineA, columnA] = placeOf(a)
  const [, lineB, columnB] = placeOf(b)
  if (lineA !== lineB) return lineA - lineB
  if (columnA !== columnB) return columnA - columnB
  return a.code < b.code ? -1 : a.code > b.code ? 1 : 0
}

/**
 * Findings as they are told: those of the plan first, then those of other files, each by place and code,
 * each once (an aliased value is checked wherever it is used), and no more than 200.
 */
export const arrange = (diagnostics: readonly Diagnostic[], file: string): readonly Diagnostic[] => {
  const unique = new Map<string, Diagnostic>()
  for (const diagnostic of diagnostics) {
    const key = JSON.stringify([placeOf(diagnostic), diagnostic.code, diagnostic.message])
    if (!unique.has(key)) unique.set(key, diagnostic)
  }
  const sorted = [...unique.values()].sort((a, b) => {
    const [fileA] = placeOf(a)
    const [fileB] = placeOf(b)
    if (fileA === fileB) return compare(a, b)
    if (fileA === file) return -1
    if (fileB === file) return 1
    return fileA < fileB ? -1 : 1
  })
  if (sorted.length <= MOST_FINDINGS) return sorted
  const errors = sorted.filter(({ severity }) => severity === 'error')
  const kept = (errors.length > 0 ? errors : sorted).slice(0, MOST_FINDINGS)
  return [
    ...kept,
    {
      code: 'MoreFindings',
      severity: errors.length > 0 ? 'error' : 'warning',
      message: `${sorted.length - kept.length} more findings are left out`,
      hint: 'correct those above and validate again',
      subject: { file, line: 1, column: 1 },
    },
  ]
}

import { digestOfText } from '../../domain/json.ts'
import type { Annotation } from './annotation.ts'

const LEVELS = { error: 'critical', warning: 'minor', note: 'info' } as const

/**
 * A Code Quality report of GitLab, which a merge request shows beside the lines. The fingerprint leaves the line out: a finding
 * that only moved is not told as new. Two of one text get different ones.
 */
export const gitlabReport = (annotations: readonly Annotation[]): string => {
  const seen = new Map<string, number>()
  const issues = annotations.map(({ severity, file, line, code, message, hint }) => {
    const text = `${file}\n${code}\n${message}`
    const times = (seen.get(text) ?? 0) + 1
    seen.set(text, times)
    return {
      description: hint === undefined ? message : `${message} (hint: ${hint})`,
      check_name: code,
      fingerprint: digestOfText(`${text}\n${times}`).replace('sha256:', ''),
      severity: LEVELS[severity],
      location: { path: file, lines: { begin: line } },
    }
  })
  return `${JSON.stringify(issues, null, 2)}\n`
}

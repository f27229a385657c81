import type { Diagnostic } from '../domain/diagnostic.ts'

const placeOf = ({ subject }: Diagnostic): string => {
  if (subject === undefined) return ''
  if ('file' in subject) return `${subject.file}:${subject.line}:${subject.column} `
  return subject.path === undefined ? `${subject.device} ` : `${subject.device} ${subject.path} `
}

/**
 * A finding as one or two lines: `file:line:column code message`, and the hint indented under it.
 * A device takes the place of the file where the finding is about one.
 */
export const formatDiagnostic = (diagnostic: Diagnostic): string => {
  const line = `${placeOf(diagnostic)}${diagnostic.code} ${diagnostic.message}`
  return diagnostic.hint === undefined ? line : `${line}\n  ${diagnostic.hint}`
}

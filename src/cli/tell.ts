import type { Diagnostic } from '../index.ts'
import { harmless } from '../report/escape.ts'
import { type Line, line, renderLines, type Tone } from '../report/layout.ts'
import type { Output } from './shell.ts'

/** Folded at words for a person; a line stays one elsewhere, so that logs can be searched. */
export const foldedFor = (output: Output, ...lines: readonly Line[]): string =>
  renderLines(lines, output.isTerminal ? output.width : Number.POSITIVE_INFINITY, output.style)

const hintLines = (hint: string | undefined): readonly Line[] =>
  hint === undefined ? [] : [line(4, `  hint: ${harmless(hint)}`)]

/** One sentence on its own line, with what to do under it. Texts of others are made harmless. */
export const tell = (
  output: Output,
  label: 'error' | 'warning' | 'note',
  sentence: string,
  hint?: string,
): void => {
  const tone: Tone = label === 'error' ? 'red' : label === 'warning' ? 'yellow' : 'dim'
  output.write(foldedFor(output, line(2, [tone, `${label}:`], ` ${harmless(sentence)}`), ...hintLines(hint)))
}

/** `file:line:column `, or the device that it is about. */
const placeOf = ({ subject }: Diagnostic): string => {
  if (subject === undefined) return ''
  if ('file' in subject) return `${subject.file}:${subject.line}:${subject.column} `
  return subject.path === undefined ? `${subject.device} ` : `${subject.device} ${subject.path} `
}

/** A finding as `validate` prints it: `file:line:column code message`, and under it what to write instead. */
export const findingText = (finding: Diagnostic, output: Output): string => {
  const tone: Tone = finding.severity === 'error' ? 'red' : finding.severity === 'warning' ? 'yellow' : 'dim'
  const suffix = finding.severity === 'error' ? '' : ` (${finding.severity})`
  return foldedFor(
    output,
    line(
      2,
      harmless(placeOf(finding)),
      [tone, harmless(finding.code)],
      ` ${harmless(finding.message)}${suffix}`,
    ),
    ...hintLines(finding.hint),
  )
}

/** Warnings and notes that came with a result; none of them ends the run. */
export const tellFindings = (output: Output, findings: readonly Diagnostic[]): void => {
  for (const finding of findings) {
    tell(output, finding.severity, `${placeOf(finding)}${finding.code} ${finding.message}`, finding.hint)
  }
}

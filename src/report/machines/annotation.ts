import type { ChangeSet } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { harmless } from '../escape.ts'
import { allowOption, failedGuard } from '../verdict.ts'
import { count } from '../words.ts'

/** A finding at a line of a file, as review tools show it. All text is harmless and on one line. */
export interface Annotation {
  readonly code: string
  readonly severity: Diagnostic['severity']
  readonly message: string
  readonly hint?: string
  /** As the plan was named, with `/`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

const portable = (file: string): string => harmless(file).replaceAll('\\', '/')

const annotationOf = (
  { code, severity, message, hint }: Diagnostic,
  place: { readonly file: string; readonly line: number; readonly column: number },
): Annotation => ({
  code,
  severity,
  message: harmless(message),
  ...(hint === undefined ? {} : { hint: harmless(hint) }),
  file: portable(place.file),
  line: place.line,
  column: place.column,
})

/** Findings about plans, at their places. */
export const annotationsOf = (findings: readonly Diagnostic[], file: string): readonly Annotation[] =>
  findings.map((finding) => {
    const { subject } = finding
    return annotationOf(
      finding,
      subject !== undefined && 'file' in subject ? subject : { file, line: 1, column: 1 },
    )
  })

/** Devices that a message names of those that share a finding. */
const NAMED = 3

/**
 * What a change set has to tell, at the plan's first line: a plan names devices by patterns, so a device has no line of its own.
 * Devices with the same finding are one annotation, for a review shows ten or so.
 */
export const annotationsOfChangeSet = ({
  findings,
  guards,
  devices,
  plan,
}: Pick<ChangeSet, 'findings' | 'guards' | 'devices' | 'plan'>): readonly Annotation[] => {
  const ofDevices = new Map<string, { readonly finding: Diagnostic; readonly devices: string[] }>()
  for (const device of devices)
    for (const finding of device.findings) {
      if (finding.severity === 'note') continue
      const key = `${finding.severity} ${finding.code}`
      const known = ofDevices.get(key) ?? { finding, devices: [] }
      known.devices.push(device.device)
      ofDevices.set(key, known)
    }
  const failed = guards.filter(({ ok }) => !ok)
  return annotationsOf(
    [
      ...findings.filter(({ severity }) => severity !== 'note'),
      ...failed.map(
        (guard): Diagnostic => ({
          code: 'GuardRefused',
          severity: 'error',
          message: `${failedGuard(guard)} ${guard.because}`,
          hint: `look why; to go on all the same: ${allowOption(guard)}`,
        }),
      ),
      ...[...ofDevices.values()].map(({ finding, devices: names }): Diagnostic => {
        const { subject: _device, ...rest } = finding
        const some = `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ', ...' : ''}`
        return {
          ...rest,
          message:
            names.length === 1
              ? `${some}: ${finding.message}`
              : `${count(names.length)} devices (${some}), the first: ${finding.message}`,
        }
      }),
    ],
    plan.file,
  )
}

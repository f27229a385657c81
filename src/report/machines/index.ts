import type { ChangeSet } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { harmless } from '../escape.ts'
import { type Annotation, annotationsOf, annotationsOfChangeSet } from './annotation.ts'
import type { MachineFormat } from './formats.ts'
import { githubCommands } from './github.ts'
import { gitlabReport } from './gitlab.ts'
import { type Case, junitReport } from './junit.ts'
import { sarifLog } from './sarif.ts'

interface CheckedPlan {
  readonly file: string
  readonly findings: readonly Diagnostic[]
}

const rendered = (
  format: MachineFormat,
  version: string,
  annotations: readonly Annotation[],
  cases: () => readonly Case[],
): string => {
  switch (format) {
    case 'github':
      return githubCommands(annotations)
    case 'gitlab':
      return gitlabReport(annotations)
    case 'sarif':
      return sarifLog(annotations, version)
    case 'junit':
      return junitReport(cases())
  }
}

/** What `ferry validate` found; as tests, one a plan. */
export const renderChecked = (
  plans: readonly CheckedPlan[],
  format: MachineFormat,
  version: string,
): string => {
  const cases = plans.map(
    ({ file, findings }): Case => ({
      suite: 'ferry validate',
      name: harmless(file),
      findings: annotationsOf(findings, file),
    }),
  )
  const all = cases.flatMap(({ findings }) => findings)
  return rendered(format, version, all, () => cases)
}

/** What `ferry plan` found; as tests, one a device that the plan selects, and one for the whole. */
export const renderFound = (changeSet: ChangeSet, format: MachineFormat, version: string): string =>
  rendered(format, version, annotationsOfChangeSet(changeSet), () => casesOf(changeSet))

const casesOf = (changeSet: ChangeSet): readonly Case[] => {
  const { plan, devices } = changeSet
  const suite = `ferry plan ${harmless(plan.name)}`
  return [
    { suite, name: 'the plan as a whole', findings: annotationsOfChangeSet({ ...changeSet, devices: [] }) },
    ...devices
      .filter(({ action }) => action !== 'excluded' && action !== 'gone')
      .map(({ device, findings }) => ({
        suite,
        name: harmless(device),
        findings: annotationsOf(
          findings.map(({ subject: _device, ...rest }) => rest),
          plan.file,
        ),
      })),
  ]
}

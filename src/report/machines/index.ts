import type { ChangeSet } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { harmless } from '../escape.ts'
import { annotationsOf, annotationsOfChangeSet } from './annotation.ts'
import type { MachineFormat } from './formats.ts'
import { githubCommands } from './github.ts'
import { gitlabReport } from './gitlab.ts'
import { type Case, junitReport } from './junit.ts'
import { sarifLog } from './sarif.ts'

interface CheckedPlan {
  readonly file: string
  readonly findings: readonly Diagnostic[]
}

/** What `ferry validate` found. */
export const renderChecked = (
  plans: readonly CheckedPlan[],
  format: MachineFormat,
  version: string,
): string => {
  const found = plans.map(({ file, findings }) => ({ file, annotations: annotationsOf(findings, file) }))
  const all = found.flatMap(({ annotations }) => annotations)
  switch (format) {
    case 'github':
      return githubCommands(all)
    case 'gitlab':
      return gitlabReport(all)
    case 'sarif':
      return sarifLog(all, version)
    case 'junit':
      return junitReport(
        found.map(({ file, annotations }) => ({
          suite: 'ferry validate',
          name: harmless(file),
          findings: annotations,
        })),
      )
  }
}

/** What `ferry plan` found; as tests, one a device that the plan selects, and one for the whole. */
export const renderFound = (changeSet: ChangeSet, format: MachineFormat, version: string): string => {
  const annotations = annotationsOfChangeSet(changeSet)
  switch (format) {
    case 'github':
      return githubCommands(annotations)
    case 'gitlab':
      return gitlabReport(annotations)
    case 'sarif':
      return sarifLog(annotations, version)
    case 'junit':
      return junitReport(casesOf(changeSet))
  }
}

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

import type { FieldChange } from '../domain/change-set.ts'
import type { Registry } from '../domain/device.ts'
import { REGISTRIES } from '../domain/device.ts'
import type { StepName } from '../domain/journal.ts'

/** The step that writes settings of a registry on a device that is on the target already. */
export const UPDATE_STEP: Readonly<Record<Registry, StepName>> = {
  'identity-server': 'update-identity',
  'join-server': 'update-join',
  'application-server': 'update-application',
  'network-server': 'update-network',
}

/** One step for each registry with a setting to write. */
export const updateSteps = (changes: readonly FieldChange[]): readonly StepName[] =>
  REGISTRIES.filter((registry) =>
    changes.some((change) => change.registry === registry && change.verdict === 'write'),
  ).map((registry) => UPDATE_STEP[registry])

import type { FieldChange } from '../../domain/change-set.ts'
import type { DeviceRecord, Fields, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import type { StepName } from '../../domain/journal.ts'
import { settingDigests, settingsDigest } from '../device/digests.ts'
import { settingChanges } from '../planning/diff.ts'
import { unmuting } from '../planning/unmuting.ts'
import { type CrossingContext, desiredFrom, onTarget, targetIds } from './context.ts'
import { ensureWrite } from './ensure.ts'

/** The step that writes settings of a registry on a device that is on the target already. */
const UPDATE_STEP: Readonly<Record<Registry, StepName>> = {
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

/**
 * Writes the settings that differ on a device that the target holds already: settings alone, so that its session,
 * counters and keys stay as they live there. Computed again from fresh readings of both sides.
 */
export const updateSettings = async (context: CrossingContext): Promise<'done' | 'stale'> => {
  const { source, target, change, intent, journal } = context
  const [seen, held] = await Promise.all([source.read(change.device), target.read(change.target)])
  const desired = await desiredFrom(context, seen)
  if (isStale(context, seen, desired.record)) return 'stale'
  const progress = journal.progress()
  const changes = [
    ...settingChanges(held, desired.record, desired.reasons, progress?.applied),
    ...unmuting({ source: seen, target: held, progress, policy: intent.policy }),
  ]
  for (const registry of REGISTRIES) {
    const paths = changes
      .filter((item) => item.registry === registry && item.verdict === 'write')
      .map((item) => item.path)
    if (paths.length === 0) continue
    const wanted: Fields = desired.record.registries[registry] ?? {}
    const fields = Object.fromEntries(
      paths.flatMap((path) => (wanted[path] === undefined ? [] : [[path, wanted[path]]])),
    )
    const clear = paths.filter((path) => wanted[path] === undefined)
    await ensureWrite(onTarget(context), UPDATE_STEP[registry], {
      registry,
      ids: targetIds(context),
      fields,
      ...(clear.length > 0 ? { clear } : {}),
    })
  }
  await rememberApplied(context, desired.record)
  return 'done'
}

/** The source is not what the preview showed: it lost a registry, or other settings are wanted now. */
const isStale = ({ change }: CrossingContext, seen: DeviceRecord, desired: DeviceRecord): boolean =>
  seen.registries['identity-server'] === undefined ||
  (change.expect !== undefined && settingsDigest(desired) !== change.expect.settings)

/** What was applied last is the prior value of the next three-valued diff. */
const rememberApplied = (
  { journal }: CrossingContext,
  record: Parameters<typeof settingDigests>[0],
): Promise<void> => journal.fact({ name: 'applied', settings: settingDigests(record) })

/** Records a device that the target holds already and equal; nothing is sent. */
export const adopt = async (context: CrossingContext): Promise<'done' | 'stale'> => {
  const seen = await context.source.read(context.change.device)
  const desired = (await desiredFrom(context, seen)).record
  if (isStale(context, seen, desired)) return 'stale'
  await rememberApplied(context, desired)
  return 'done'
}

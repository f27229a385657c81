import type { FieldChange } from '../../domain/change-set.ts'
import type { DeviceRecord } from '../../domain/device.ts'
import type { Policy } from '../../domain/migration-plan.ts'
import { isMuted, MUTE } from '../device/scheduling.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { isLetGo } from '../progress/standing.ts'

interface Muted {
  readonly source: DeviceRecord
  readonly target: DeviceRecord
  readonly progress: DeviceProgress | undefined
  readonly policy: Pick<Policy, 'mutedSource'>
}

/**
 * Tools that mute the source and export the device afterwards make a target that is muted too: no network answers the
 * device. With `mutedSource: unmute` the target serves it, as long as the source is silent, and not because of us. The same goes for
 * one that we carried muted, where the plan was edited afterwards.
 */
export const unmuting = ({ source, target, progress, policy }: Muted): readonly FieldChange[] =>
  policy.mutedSource === 'unmute' &&
  isMuted(source) &&
  isMuted(target) &&
  // Carried muted: as it was before we stopped it.
  (isLetGo(progress) ? progress?.sourceScheduling === false : progress?.sourceScheduling === undefined)
    ? [
        {
          registry: 'network-server',
          path: MUTE,
          before: { value: false },
          after: { absent: true },
          verdict: 'write',
          reason: 'plan',
          because: 'policy.mutedSource',
        },
      ]
    : []

import { acceptedDeviceId } from '../../domain/accepted-id.ts'
import type { DeviceIntent, MigrationPlan, SelectableDevice, Selection } from '../../domain/migration-plan.ts'
import type { DeviceProgress, Progress } from '../progress/progress.ts'

/** A device id on the source, with what plan and state say of it. */
export interface KnownDevice {
  readonly deviceId: string
  /** Its id on the target: as the crossing began, or as the plan says. */
  readonly target: string
  readonly selected: boolean
  readonly intent: DeviceIntent
  /** The plan names the id itself, in `ids` or an `idsFile`. */
  readonly named: boolean
  /** As the Identity Server lists it; absent where it does not. */
  readonly listed?: SelectableDevice
  readonly progress?: DeviceProgress
}

export interface Known {
  /** Ids to look for on the source, sorted. */
  readonly devices: readonly KnownDevice[]
  /** Ids to look for on the target, sorted: listed there, theirs, and those of the source (an orphan would be in the way). */
  readonly targetIds: readonly string[]
}

/** There is no look-up by EUI and only the Identity Server lists: every id that anything names is looked for. */
export const knownIds = (input: {
  readonly plan: Pick<MigrationPlan, 'devices'>
  readonly source: readonly SelectableDevice[]
  readonly target: readonly SelectableDevice[]
  readonly progress: Progress
  readonly select: (device: SelectableDevice) => Selection
}): Known => {
  const { plan, progress, select } = input
  const listed = new Map(input.source.map((device) => [device.deviceId, device]))
  const named = namedIds(plan)
  const ids = new Set([...listed.keys(), ...named, ...progress.keys()])
  const devices = [...ids].sort().map((deviceId): KnownDevice => {
    const listing = listed.get(deviceId)
    const known = progress.get(deviceId)
    const { selected, intent } = select(listing ?? { deviceId })
    return {
      deviceId,
      target: known?.target ?? intent.set.deviceId ?? deviceId,
      selected,
      intent,
      named: named.has(deviceId),
      ...(listing === undefined ? {} : { listed: listing }),
      ...(known === undefined ? {} : { progress: known }),
    }
  })
  const targetIds = new Set([
    ...input.target.map(({ deviceId }) => deviceId),
    // Ids of networks that allow others can not be in the way.
    ...devices.flatMap(({ deviceId, target }) => [deviceId, target]).filter(isTaken),
  ])
  return { devices, targetIds: [...targetIds].sort() }
}

const isTaken = (deviceId: string): boolean => acceptedDeviceId(deviceId) === deviceId

const namedIds = ({ devices }: Pick<MigrationPlan, 'devices'>): ReadonlySet<string> =>
  new Set(
    [...devices.include, ...devices.exclude, ...devices.overrides.map(({ select }) => select)].flatMap(
      ({ ids, idsFile }) => [...(ids ?? []), ...(idsFile?.ids ?? [])],
    ),
  )

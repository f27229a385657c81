import type { DeviceChange } from '../../domain/change-set.ts'
import type { SelectableDevice } from '../../domain/migration-plan.ts'
import type { NewIdOf } from '../device/relays.ts'
import type { PlanningInput } from './plan.ts'
import { pinnedIntent } from './plan-device.ts'

/** What devices are called on the target. Few name another one, as relays do: they are looked up once one does. */
interface NewIds {
  readonly of: NewIdOf
  /** From now on the changes tell. */
  settle(changes: readonly DeviceChange[]): void
}

export const newIds = ({ select, state }: PlanningInput, devices: readonly SelectableDevice[]): NewIds => {
  const planned = (listed: readonly SelectableDevice[]): NewIdOf => {
    let byId: ReadonlyMap<string, SelectableDevice> | undefined
    return (deviceId) => {
      byId ??= new Map(listed.map((device) => [device.deviceId, device]))
      const device = byId.get(deviceId)
      if (device === undefined) return deviceId
      return pinnedIntent(select(device).intent, state.progress.get(deviceId)).set.deviceId ?? deviceId
    }
  }
  const changed = (changes: readonly DeviceChange[]): NewIdOf => {
    let byId: ReadonlyMap<string, string> | undefined
    return (deviceId) => {
      byId ??= new Map(changes.map(({ device, target }) => [device, target]))
      return byId.get(deviceId) ?? deviceId
    }
  }
  let of = planned(devices)
  return {
    of: (deviceId) => of(deviceId),
    settle: (changes) => {
      of = changed(changes)
    },
  }
}

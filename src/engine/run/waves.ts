import type { Action, DeviceChange } from '../../domain/change-set.ts'
import { isGroup } from '../planning/groups.ts'
import type { DeviceProgress } from '../progress/progress.ts'

export interface Wave {
  readonly name: string
  readonly devices: readonly DeviceChange[]
  /** The devices after this wave wait until all canaries were heard. */
  readonly gate: boolean
  /** The canaries, by device id: of this wave, and those that crossed before. */
  readonly canaries: readonly string[]
}

const PASSED_OVER: readonly Action[] = ['excluded', 'blocked', 'gone']

/**
 * The devices that may begin to cross now, in the order of the change set. With a canary, the first so many devices
 * that ever crossed under this state are the canaries; until each of them was heard, nobody else begins.
 */
export const nextWave = (
  changes: readonly DeviceChange[],
  progress: ReadonlyMap<string, DeviceProgress>,
  canary: number,
): Wave => {
  const created = changes.filter((change) => change.action === 'create' && !isGroup(change))
  // One that was left out, is blocked or gone is no canary any more: it would hold the others back for ever.
  const counted = new Set(
    changes.filter((change) => !PASSED_OVER.includes(change.action)).map(({ device }) => device),
  )
  const crossed = [...progress.values()].filter(
    ({ route, device }) => route !== undefined && route !== 'multicast' && counted.has(device),
  )
  const before = crossed.slice(0, canary)
  const ids = new Set(before.map(({ device }) => device))
  // A canary that was begun and is not on the target yet, or not any more, goes on: it would hold itself back.
  const again = created.filter(({ device }) => ids.has(device))
  const first = created.filter(({ device }) => !ids.has(device)).slice(0, canary - before.length)
  const devices = [...again, ...first]
  const canaries = [...ids, ...first.map(({ device }) => device)]
  if (before.length < canary || devices.length > 0) return { name: 'canary', devices, gate: true, canaries }
  if (before.some((device) => device.heard === undefined))
    return { name: 'canary', devices: [], gate: true, canaries }
  return { name: canary > 0 ? 'rest' : 'all', devices: created, gate: false, canaries }
}

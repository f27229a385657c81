import type { DeviceChange } from '../domain/change-set.ts'
import type { DeviceProgress } from './progress.ts'

export interface Wave {
  readonly name: string
  readonly devices: readonly DeviceChange[]
  /** The devices after this wave wait until all canaries were heard. */
  readonly gate: boolean
}

/**
 * The devices that may begin to cross now, in the order of the change set. With a canary, the first so many devices
 * that ever crossed under this state are the canaries; until each of them was heard, nobody else begins.
 */
export const nextWave = (
  created: readonly DeviceChange[],
  progress: ReadonlyMap<string, DeviceProgress>,
  canary: number,
): Wave => {
  const crossed = [...progress.values()].filter((device) => device.route !== undefined)
  const canaries = crossed.slice(0, canary)
  const missing = Math.max(0, canary - canaries.length)
  if (missing > 0) return { name: 'canary', devices: created.slice(0, missing), gate: true }
  if (canaries.some((device) => device.heard === undefined))
    return { name: 'canary', devices: [], gate: true }
  return { name: canary > 0 ? 'rest' : 'all', devices: created, gate: false }
}

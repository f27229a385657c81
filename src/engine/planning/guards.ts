import type { DeviceChange, Guard } from '../../domain/change-set.ts'
import type { CountOrShare, Limits } from '../../domain/house-rules.ts'
import { isSourceEnding, type Progress } from '../progress/progress.ts'

export interface GuardInput {
  readonly changes: readonly DeviceChange[]
  readonly progress: Progress
  /** Ids of all devices in the source's application, selected or not. */
  readonly sourceDevices: ReadonlySet<string>
  /** Devices in the target's application. */
  readonly targetDevices: number
  /** Of the plan, and of its organisation. */
  readonly limits: readonly Limits[]
}

/** Shares with a floor, so that small fleets are not refused for one device. */
const atLeast = (floor: number, share: number, of: number): number => Math.max(floor, Math.floor(share * of))

/**
 * Thresholds over the whole change set: above one, nothing is written. They catch a listing that came back short,
 * a plan that rewrites a target, and a mistake that blocks half a fleet. Deletes on the source are ordered by
 * `policy.deleteSource` and shown as a risk; they happen only on devices that crossed, so they have no guard unless the plan or
 * its organisation sets a limit.
 */
export const guardsOf = ({
  changes,
  progress,
  sourceDevices,
  targetDevices,
  limits,
}: GuardInput): readonly Guard[] => {
  const expected = [...progress.values()]
    .filter((device) => !isSourceEnding(device))
    .map(({ device }) => device)
  const missing = expected.filter((device) => !sourceDevices.has(device)).length
  const selected = changes.filter((change) => change.action !== 'excluded' && change.action !== 'gone').length
  const updates = changes.filter((change) => change.action === 'update').length
  const blocked = changes.filter((change) => change.action === 'blocked').length
  const guard = (name: Guard['name'], used: number, limit: number, of: number, because: string): Guard => ({
    name,
    used,
    limit,
    of,
    ok: used <= limit,
    because,
  })
  return [
    guard(
      'source-shrunk',
      missing,
      sourceDevices.size === 0 ? 0 : Math.floor(expected.length / 2),
      expected.length,
      'devices that the state knows and the source no longer has',
    ),
    guard(
      'target-updates',
      updates,
      atLeast(20, 0.5, targetDevices),
      targetDevices,
      'devices on the target whose settings would be changed',
    ),
    guard(
      'blocked-devices',
      blocked,
      atLeast(10, 0.5, selected),
      selected,
      'devices that can not cross as they are',
    ),
    ...limitGuards(changes, limits, selected),
  ]
}

/** The strictest of those that say anything; a share of few devices is rounded down, but for one device at least. */
const strictest = (limits: readonly (CountOrShare | undefined)[], of: number): number | undefined => {
  const counts = limits
    .filter((limit) => limit !== undefined)
    .map((limit) =>
      'count' in limit ? limit.count : Math.max(limit.share > 0 ? 1 : 0, Math.floor(limit.share * of)),
    )
  return counts.length === 0 ? undefined : Math.min(...counts)
}

const isDelete = (step: string): boolean => step.startsWith('delete-')

const limitGuards = (
  changes: readonly DeviceChange[],
  limits: readonly Limits[],
  selected: number,
): readonly Guard[] => {
  const touched = changes.filter(({ steps }) => steps.length > 0)
  const kinds = [
    {
      name: 'limit-devices',
      used: touched.length,
      limit: strictest(
        limits.map(({ devices }) => devices),
        selected,
      ),
      because: 'devices that one apply would change',
    },
    {
      name: 'limit-deletes',
      used: touched.filter(({ steps }) => steps.some(isDelete)).length,
      limit: strictest(
        limits.map(({ deletes }) => deletes),
        selected,
      ),
      because: 'devices that one apply would delete on the source',
    },
  ] as const
  return kinds.flatMap(({ limit, ...guard }) =>
    limit === undefined ? [] : [{ ...guard, limit, of: selected, ok: guard.used <= limit }],
  )
}

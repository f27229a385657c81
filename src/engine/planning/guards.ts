import type { DeviceChange, Guard } from '../../domain/change-set.ts'
import type { GatewayChange } from '../../domain/gateway.ts'
import { type CountOrShare, countOf, type Limits } from '../../domain/house-rules.ts'
import { isDelete } from '../../domain/journal.ts'
import type { Progress } from '../progress/progress.ts'
import { isSourceEnding } from '../progress/standing.ts'

export interface GuardInput {
  readonly changes: readonly DeviceChange[]
  readonly progress: Progress
  /** Ids of all devices in the source's application, selected or not. */
  readonly sourceDevices: ReadonlySet<string>
  /** Devices in the target's application. */
  readonly targetDevices: number
  /** Of the plan, and of its organisation. */
  readonly limits: readonly Limits[]
  /** Those that the plan moves, where it does. */
  readonly gateways?: readonly GatewayChange[]
}

const guard = (name: Guard['name'], used: number, limit: number, of: number, because: string): Guard => ({
  name,
  used,
  limit,
  of,
  ok: used <= limit,
  because,
})

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
  gateways,
}: GuardInput): readonly Guard[] => {
  const expected = [...progress.values()]
    .filter((device) => !isSourceEnding(device))
    .map(({ device }) => device)
  const missing = expected.filter((device) => !sourceDevices.has(device)).length
  const selected = changes.filter((change) => change.action !== 'excluded' && change.action !== 'gone').length
  const updates = changes.filter((change) => change.action === 'update').length
  const blocked = changes.filter((change) => change.action === 'blocked').length
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
    ...(gateways === undefined
      ? []
      : [
          guard(
            'orphaned-devices',
            gateways.reduce((sum, { orphans }) => sum + orphans.count, 0),
            0,
            sourceDevices.size,
            'devices that stay on the source, and that nobody there hears once the gateways have left',
          ),
        ]),
    ...limitGuards(changes, limits, selected),
  ]
}

/** The strictest of those that say anything. */
const strictest = (limits: readonly (CountOrShare | undefined)[], of: number): number | undefined => {
  const counts = limits.filter((limit) => limit !== undefined).map((limit) => countOf(limit, of))
  return counts.length === 0 ? undefined : Math.min(...counts)
}

const limitGuards = (
  changes: readonly DeviceChange[],
  limits: readonly Limits[],
  selected: number,
): readonly Guard[] => {
  const limited = (
    kind: keyof Limits,
    name: Guard['name'],
    devices: readonly DeviceChange[],
    because: string,
  ): readonly Guard[] => {
    const limit = strictest(
      limits.map((each) => each[kind]),
      selected,
    )
    return limit === undefined ? [] : [guard(name, devices.length, limit, selected, because)]
  }
  const touched = changes.filter(({ steps }) => steps.length > 0)
  const deleted = touched.filter(({ steps }) => steps.some(isDelete))
  return [
    ...limited('devices', 'limit-devices', touched, 'devices that one apply would change'),
    ...limited('deletes', 'limit-deletes', deleted, 'devices that one apply would delete on the source'),
  ]
}

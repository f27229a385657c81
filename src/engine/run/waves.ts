import type { Action, DeviceChange } from '../../domain/change-set.ts'
import { countOf } from '../../domain/house-rules.ts'
import type { MigrationPlan, Wave } from '../../domain/migration-plan.ts'
import { isGroup } from '../planning/groups.ts'
import type { DeviceProgress } from '../progress/progress.ts'

/** What the devices after a wave wait for. */
export interface Gate {
  readonly wave: string
  /** Devices of it that were heard on the target. */
  readonly heard: number
  readonly of: number
  /** So many have to be. */
  readonly needed: number
}

/** What is said for a wave where the plan has none. */
export const EVERYBODY = 'all'

export interface NextWave {
  readonly name: string
  /** Devices that may begin to cross now, in the order of the change set. */
  readonly devices: readonly DeviceChange[]
  /** Closed: nobody after this wave may begin. */
  readonly gate?: Gate
}

type Rollout = Pick<MigrationPlan['rollout'], 'canary' | 'waves' | 'minHeard'>

const PASSED_OVER: readonly Action[] = ['excluded', 'blocked', 'gone']

/** A device that crosses, or has. */
interface Member {
  readonly device: string
  /** Where it may begin. */
  readonly change?: DeviceChange
  readonly isHeard: boolean
  /** The wave that chooses it by id or attributes. */
  readonly chosen?: number
}

/**
 * The devices that may begin to cross now. The canary and the waves take devices in the order in which they ever crossed
 * under this state, then in that of the change set; so each device stays in its wave from run to run. A wave is let
 * through once enough of its devices were heard; until then those of it that did not cross yet, or not any more, go on.
 */
export const nextWave = (
  changes: readonly DeviceChange[],
  progress: ReadonlyMap<string, DeviceProgress>,
  { canary, waves = [], minHeard = 1 }: Rollout,
): NextWave => {
  let left = membersIn(changes, progress)
  const total = left.length
  const all: readonly { readonly name: string; readonly takes: Wave; readonly index: number }[] = [
    ...(canary > 0 ? [{ name: 'canary', takes: { count: canary }, index: -1 }] : []),
    ...waves.map((takes, index) => ({ name: `wave ${index + 1}`, takes, index })),
  ]
  const open: Member[] = []
  for (const { name, takes, index } of all) {
    const members = taken(left, takes, index, total)
    const ids = new Set(members.map(({ device }) => device))
    left = left.filter(({ device }) => !ids.has(device))
    open.push(...members)
    const heard = members.filter(({ isHeard }) => isHeard).length
    // A share of 1 is all of them, whatever a computer makes of fractions.
    const needed = minHeard === 1 ? members.length : Math.ceil(minHeard * members.length)
    if (heard < needed)
      return { name, devices: beginning(open), gate: { wave: name, heard, of: members.length, needed } }
  }
  return { name: all.length > 0 ? 'rest' : EVERYBODY, devices: beginning([...open, ...left]) }
}

const beginning = (members: readonly Member[]): readonly DeviceChange[] =>
  members.flatMap(({ change }) => (change === undefined ? [] : [change]))

const taken = (left: readonly Member[], wave: Wave, index: number, total: number): readonly Member[] =>
  'match' in wave || 'attributes' in wave
    ? left.filter(({ chosen }) => chosen === index)
    : left.slice(0, countOf(wave, total))

const membersIn = (
  changes: readonly DeviceChange[],
  progress: ReadonlyMap<string, DeviceProgress>,
): readonly Member[] => {
  // One that was left out, is blocked or gone is no member any more: it would hold the others back for ever.
  const counted = new Map(
    changes
      .filter((change) => !PASSED_OVER.includes(change.action) && !isGroup(change))
      .map((change) => [change.device, change]),
  )
  const memberOf = (change: DeviceChange): Member => ({
    device: change.device,
    isHeard: progress.get(change.device)?.heard !== undefined,
    ...(change.action === 'create' ? { change } : {}),
    ...(change.wave === undefined ? {} : { chosen: change.wave }),
  })
  const crossed = [...progress.values()].filter(({ route }) => route !== undefined && route !== 'multicast')
  const first = crossed.flatMap(({ device }) => counted.get(device) ?? [])
  const crossedIds = new Set(first.map(({ device }) => device))
  const others = [...counted.values()].filter(
    ({ action, device }) => action === 'create' && !crossedIds.has(device),
  )
  return [...first, ...others].map(memberOf)
}

import { ACTIONS, type Action, type ChangeSet, type Guard } from '../domain/change-set.ts'
import { isHeldByEscrow } from './crossing.ts'
import { risksOf } from './risks.ts'
import { count, devices, plural } from './words.ts'

export type Verdict = 'READY' | 'READY WITH RISKS' | 'BLOCKED' | 'NO CHANGES'

export interface Judgement {
  readonly verdict: Verdict
  /** Why, as sentences without full stop; the weightiest first. */
  readonly reasons: readonly string[]
}

export type ActionCounts = Readonly<Record<Action, number>>

/** Devices by action; the counts add up to the devices of the change set. */
export const countActions = (changeSet: Pick<ChangeSet, 'devices'>): ActionCounts => {
  const counts = Object.fromEntries(ACTIONS.map((action) => [action, 0])) as Record<Action, number>
  for (const device of changeSet.devices) counts[device.action] += 1
  return counts
}

const PENDING: readonly Action[] = ['create', 'resume', 'update', 'adopt', 'retire']

/** Devices that an apply would do something with. */
export const pendingCount = (counts: ActionCounts): number =>
  PENDING.reduce((sum, action) => sum + counts[action], 0)

/** A guard that failed, as a sentence begins. */
export const failedGuard = ({ name, used, limit }: Pick<Guard, 'name' | 'used' | 'limit'>): string =>
  `guard ${name}: ${count(used)} is above ${count(limit)}`

/** What lifts it, on the command line. */
export const allowOption = ({ name, used }: Pick<Guard, 'name' | 'used'>): string => `--allow ${name}=${used}`

/** Whether lifting a guard that failed would get anything done: only then is the option for it worth a mention. */
export const isAllowable = (guard: Pick<Guard, 'ok'>, counts: ActionCounts): boolean =>
  !guard.ok && pendingCount(counts) > 0

const obstacles = (changeSet: ChangeSet, counts: ActionCounts): readonly string[] => {
  const failed = changeSet.guards.filter((guard) => !guard.ok)
  const errors = changeSet.findings.filter((finding) => finding.severity === 'error')
  const found: string[] = []
  if (!changeSet.complete)
    found.push('reading was cut short: this change set can be looked at, never applied')
  for (const error of errors) found.push(`${error.code}: ${error.message}`)
  found.push(...failed.map(failedGuard))
  if (counts.blocked > 0 && pendingCount(counts) === 0 && counts.wait === 0) {
    found.push(
      `${devices(counts.blocked)} ${plural(counts.blocked, 'is', 'are')} blocked, and there is nothing else to do`,
    )
  }
  return found
}

const quiet = (counts: ActionCounts): readonly string[] => [
  counts.wait > 0
    ? `nothing to send; ${devices(counts.wait)} ${plural(counts.wait, 'has', 'have')} to be heard first`
    : 'the target is as the plan wants it',
  ...(counts.blocked > 0
    ? [`${devices(counts.blocked)} ${plural(counts.blocked, 'is', 'are')} blocked`]
    : []),
]

/**
 * BLOCKED: an apply would refuse, or has only blocked devices before it. NO CHANGES: nothing to do now.
 * READY WITH RISKS: something asks for a decision (a risk, a warning, a blocked or vanished device). READY: the rest.
 */
export const judge = (changeSet: ChangeSet): Judgement => {
  const held = changeSet.devices.filter(isHeldByEscrow).length
  const judgement = judgeDevices(changeSet)
  return held === 0
    ? judgement
    : {
        ...judgement,
        reasons: [
          `${devices(held)} ${plural(held, 'is', 'are')} on no network: the escrow alone holds ${plural(held, 'it', 'them')}, apply goes on`,
          ...judgement.reasons,
        ],
      }
}

const judgeDevices = (changeSet: ChangeSet): Judgement => {
  const counts = countActions(changeSet)
  const obstructed = obstacles(changeSet, counts)
  if (obstructed.length > 0) return { verdict: 'BLOCKED', reasons: obstructed }
  if (pendingCount(counts) === 0) return { verdict: 'NO CHANGES', reasons: quiet(counts) }
  const asking = risksOf(changeSet).filter((risk) => risk.asks)
  const warned = changeSet.devices.filter(
    (device) =>
      PENDING.includes(device.action) && device.findings.some(({ severity }) => severity === 'warning'),
  ).length
  const general = changeSet.findings.filter(({ severity }) => severity === 'warning').length
  const reasons = [
    ...(asking.length > 0
      ? [
          `${count(asking.length)} ${plural(asking.length, 'risk asks', 'risks ask')} for your decision (${asking.map(({ id }) => id).join(', ')})`,
        ]
      : []),
    ...(warned + general > 0
      ? [`warnings: ${devices(warned)}${general > 0 ? ` and ${count(general)} about the whole` : ''}`]
      : []),
    ...(counts.blocked > 0
      ? [`${devices(counts.blocked)} ${plural(counts.blocked, 'is', 'are')} blocked and left alone`]
      : []),
    ...(counts.gone > 0
      ? [`${devices(counts.gone)} ${plural(counts.gone, 'is', 'are')} gone from the source`]
      : []),
  ]
  return reasons.length > 0
    ? { verdict: 'READY WITH RISKS', reasons }
    : { verdict: 'READY', reasons: ['every step can be taken back, and nothing asks for a decision'] }
}

import type { ApplicationChange } from '../../domain/application.ts'
import type { Action, ChangeSet, DeviceChange } from '../../domain/change-set.ts'
import type { JournalRecord } from '../../domain/journal.ts'
import { canonicalJson } from '../../domain/json.ts'
import { approvable } from './change-set-file.ts'

export type Approval =
  /** May be carried out, apart from the devices in `stale`, which joined anew since. */
  | { readonly ok: true; readonly stale: ReadonlySet<string> }
  /** `differences` are sentences for a person, at most a few. */
  | { readonly ok: false; readonly differences: readonly string[] }

/**
 * Whether what is found now is what was approved. Frame counters may have moved, and a device that joined anew is
 * left alone; a change of the plan, the state, settings, root keys or the selection refuses the whole change set.
 * A state that grew by carrying out this very change set does not: that is how an interrupted run goes on.
 * `recordsSince` are the state's records after the change set's base.
 */
export const compareWithApproved = (
  approved: ChangeSet,
  now: ChangeSet,
  recordsSince: readonly JournalRecord[],
): Approval => {
  const differences: string[] = []
  if (approved.plan.digest !== now.plan.digest) differences.push('the plan was changed')
  for (const side of ['source', 'target'] as const) {
    if (canonicalJson(approved[side]) !== canonicalJson(now[side]))
      differences.push(`the ${side} is another network or application`)
  }
  // Written by this very change set, they are no reason to refuse what is left of it.
  if (now.formatters !== undefined && now.formatters.digest !== approved.formatters?.digest)
    differences.push('the payload functions of the source, or the formatters of the target, were changed')
  differences.push(...changedGateways(approved, now), ...changedApplication(approved, now))
  const isResumed = approved.base.serial !== now.base.serial && grewByItself(approved, recordsSince)
  if (approved.base.lineage !== now.base.lineage) differences.push('the state is of another plan')
  else if (approved.base.serial !== now.base.serial && !isResumed)
    differences.push(`the state has moved on (serial ${approved.base.serial}, now ${now.base.serial})`)
  const stale = new Set<string>()
  const before = new Map(approved.devices.map((change) => [change.device, change]))
  const different: string[] = []
  for (const change of now.devices) {
    const was = before.get(change.device)
    before.delete(change.device)
    if (was === undefined) different.push(`${change.device} is new`)
    else if (isResumed && change.status !== undefined) {
      if (!wasApproved(was, change)) different.push(`${change.device} changed since (now ${change.action})`)
    } else if (canonicalJson(approvable(was)) !== canonicalJson(approvable(change)))
      different.push(`${change.device} changed (${was.action}, now ${change.action})`)
    else if (was.expect?.session !== change.expect?.session) stale.add(change.device)
  }
  for (const device of before.keys()) different.push(`${device} is gone`)
  if (different.length > 0)
    differences.push(
      ...different.slice(0, 5),
      ...(different.length > 5 ? [`and ${different.length - 5} devices more`] : []),
    )
  return differences.length > 0 ? { ok: false, differences } : { ok: true, stale }
}

/** Gateways that would be written, and not as it was approved; what is written already is no reason to refuse the rest. */
const changedGateways = (approved: ChangeSet, now: ChangeSet): readonly string[] => {
  const before = new Map((approved.gateways ?? []).map((change) => [change.gateway, change]))
  return (now.gateways ?? [])
    .filter(({ action }) => action === 'create' || action === 'update')
    .filter(({ gateway, action, expect }) => {
      const was = before.get(gateway)
      return was?.action !== action || was.expect.source !== expect.source
    })
    .map(({ gateway, action }) => `the gateway ${gateway} changed (now ${action})`)
    .slice(0, 5)
}

/** The same of what is around the devices. */
const changedApplication = (approved: ChangeSet, now: ChangeSet): readonly string[] => {
  const wasApproved = (change: ApplicationChange): boolean =>
    (approved.application ?? []).some(
      (was) =>
        was.part === change.part &&
        was.id === change.id &&
        was.action === 'write' &&
        was.digest === change.digest,
    )
  return (now.application ?? [])
    .filter((change) => change.action === 'write' && !wasApproved(change))
    .map(({ part, id }) => `the ${part}${id === undefined ? ' of the application' : ` ${id}`} changed`)
    .slice(0, 5)
}

/** What the preview said would not be worked on. */
const LEFT_ALONE: readonly Action[] = ['blocked', 'excluded', 'gone']

/** Whether a device that was begun is carried on with what was approved: the same keys and settings, no new change. */
const wasApproved = (was: DeviceChange, now: DeviceChange): boolean => {
  if (LEFT_ALONE.includes(was.action) && !LEFT_ALONE.includes(now.action)) return false
  if (now.action === 'update' || now.action === 'adopt')
    return now.action === was.action && isSameWish(was, now)
  return (now.action !== 'create' && now.action !== 'resume') || isSameWish(was, withoutReplaced(was, now))
}

const isSameWish = ({ expect: was }: DeviceChange, { expect: now }: DeviceChange): boolean =>
  was === undefined || now === undefined || (was.rootKeys === now.rootKeys && was.settings === now.settings)

/** What we did ourselves since: root keys of the source that were replaced are no change of the device. */
const withoutReplaced = (was: DeviceChange, now: DeviceChange): DeviceChange => {
  const hadIt = was.steps.includes('prevent-rejoin')
  const isDone = !now.steps.includes('prevent-rejoin') && !now.later.includes('prevent-rejoin')
  if (!hadIt || !isDone || was.expect === undefined || now.expect === undefined) return now
  return { ...now, expect: { ...now.expect, rootKeys: was.expect.rootKeys } }
}

/** Whether all runs since the change set's base carried out this change set. */
const grewByItself = (approved: ChangeSet, recordsSince: readonly JournalRecord[]): boolean => {
  const runs = recordsSince.filter((record) => record.t === 'open')
  return runs.length > 0 && runs.every((run) => run.t === 'open' && run.changeSet === approved.digest)
}

import type { ApplyCounts, ApplyResult, DeviceResultStatus } from '../index.ts'
import type { ApplyResult as Report } from '../report/apply-result.ts'
import type { End } from './exit-codes.ts'

/** What a later run goes on with by itself; `skipped` are devices that this run did not come to. */
const OPEN = ['waiting', 'deferred', 'stale', 'failed', 'skipped'] as const

/** How a run ended: partly while a later run has something to go on with, blocked where only a person can. */
export const appliedEnd = (counts: ApplyCounts): End => {
  if (OPEN.some((status) => counts[status] > 0)) return 'partial'
  return counts.blocked > 0 ? 'blocked' : 'done'
}

const LEFT: readonly DeviceResultStatus[] = [...OPEN, 'blocked']

const STOPPED = {
  canary: undefined,
  failures: 'more devices failed than rollout.maxFailures allows',
  interrupted: 'interrupted',
} as const

/** The result as the report shows it; a device that the run did not come to is one that is left for later. */
export const appliedReport = (result: ApplyResult, plan: string): Report => {
  const { counts } = result
  const stopped = result.stopped === undefined ? undefined : STOPPED[result.stopped]
  return {
    counts: { ...counts, skipped: 0, deferred: counts.deferred + counts.skipped },
    left: result.devices
      .filter((device) => LEFT.includes(device.status))
      .map(({ device, status, error }): Report['left'][number] => ({
        device,
        status: status === 'skipped' ? 'deferred' : status,
        ...(error === undefined ? {} : { error }),
      })),
    plan,
    ...(stopped === undefined ? {} : { stopped }),
  }
}

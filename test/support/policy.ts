import type { Policy } from '../../src/domain/migration-plan.ts'

/** The policy of a plan that keeps sessions and writes nothing else. */
export const DEFAULT_POLICY: Policy = {
  persistSession: true,
  resetFrameCounters: false,
  rx1Delay: 'keep',
  deleteSource: 'never',
  handover: 'stop-first',
  preventRejoin: 'replace-root-keys',
  rejoin: { trigger: 'none' },
  rootKeys: 'keep',
  abp: 'keep',
  queuedDownlinks: 'report',
  mutedSource: 'blocked',
  downlinkCounterMargin: 'auto',
  adopt: 'none',
}

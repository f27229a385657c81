import type { ErrorRecord, Side, StepName } from './journal.ts'

/** What a run tells while it works; rendered by the command line as progress, or as `--json-lines`. */
export type FerryEvent =
  | { readonly event: 'reading.started'; readonly side: Side }
  | { readonly event: 'reading.progress'; readonly side: Side; readonly devices: number }
  /** Single devices, of so many that were listed. */
  | { readonly event: 'reading.devices'; readonly devices: number; readonly of: number }
  | { readonly event: 'reading.done'; readonly side: Side; readonly devices: number }
  | { readonly event: 'apply.started'; readonly devices: number; readonly run: string }
  | { readonly event: 'wave.started'; readonly wave: string; readonly devices: number }
  | {
      readonly event: 'step.done'
      readonly device: string
      readonly step: StepName
      readonly status: 'done' | 'already'
    }
  | {
      readonly event: 'step.failed'
      readonly device: string
      readonly step: StepName
      readonly error: ErrorRecord
    }
  | {
      readonly event: 'device.done'
      readonly device: string
      readonly status: DeviceResultStatus
      readonly error?: ErrorRecord
    }
  | { readonly event: 'network.slow'; readonly side: Side; readonly reason: string; readonly waitMs: number }
  | { readonly event: 'apply.stopping'; readonly reason: string }
  | { readonly event: 'apply.done'; readonly result: ApplyCounts }

/**
 * migrated: all steps that the plan wants are done. waiting: on the target, not heard yet, or its retirement is
 * not due. failed: tried and taken back, or left to be resumed. deferred: left untouched for now, a later run tries again.
 */
export type DeviceResultStatus =
  | 'migrated'
  | 'waiting'
  | 'updated'
  | 'adopted'
  | 'failed'
  | 'deferred'
  | 'stale'
  | 'blocked'
  | 'skipped'

export type ApplyCounts = Readonly<Record<DeviceResultStatus, number>>

export type Emit = (event: FerryEvent) => void

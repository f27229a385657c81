import type { ErrorRecord } from './journal.ts'

/**
 * What a rollback can not bring back. joins-again: it joined on the target, and has to join again on the source.
 * registered-anew: the source's registration is a new one, with new creation times. reset-stays: an ABP device was reset,
 * and the source refuses its counters until they are above its own. downlinks-copied: what was copied to the target's
 * queue is lost with it, and still waits on the source. windows-stay: the target has told it other receive windows, of
 * which a Stack V2 knows nothing. started-by-hand: it came from a file, and whoever served it before has to be told to again.
 */
export const ROLLBACK_LOSSES = [
  'joins-again',
  'registered-anew',
  'reset-stays',
  'downlinks-copied',
  'windows-stay',
  'started-by-hand',
] as const
export type RollbackLoss = (typeof ROLLBACK_LOSSES)[number]

/** What a rollback would do with one device. */
export interface RollbackRow {
  readonly device: string
  readonly target: string
  /** undo: taken back. finish: a rollback was begun and goes on. leave: nothing of ours to take back, or not by this tool. */
  readonly action: 'undo' | 'finish' | 'leave'
  /** Why it is left. */
  readonly because?: string
  readonly losses: readonly RollbackLoss[]
}

/** undone: the source serves it again. left: see `because`. skipped: the run was asked to end before it came to it. */
export type RollbackStatus = 'undone' | 'left' | 'failed' | 'skipped'

export interface RolledBack extends Pick<RollbackRow, 'device' | 'target' | 'because' | 'losses'> {
  readonly status: RollbackStatus
  readonly error?: ErrorRecord
}

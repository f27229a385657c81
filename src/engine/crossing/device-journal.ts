import type { Emit } from '../../domain/events.ts'
import type { ErrorRecord, Fact, JournalRecord } from '../../domain/journal.ts'
import type { Clock, JournalPort } from '../../domain/ports.ts'
import { advance } from '../progress/fold.ts'
import type { DeviceProgress } from '../progress/progress.ts'

/** One device's view of the state file: what it appends is on the disk before it is believed. */
export interface DeviceJournal {
  readonly device: string
  /** What the state knows by now; undefined before the first record. */
  progress(): DeviceProgress | undefined
  append(...records: readonly JournalRecord[]): Promise<void>
  fact(...facts: readonly Fact[]): Promise<void>
  now(): string
}

export const deviceJournal = (
  device: string,
  journal: JournalPort,
  progress: Map<string, DeviceProgress>,
  clock: Clock,
  emit: Emit = () => undefined,
): DeviceJournal => {
  const append = async (...records: readonly JournalRecord[]): Promise<void> => {
    await journal.append(records)
    for (const record of records) {
      const next = advance(progress.get(device), record)
      if (next !== undefined) progress.set(device, next)
      tell(record, emit)
    }
  }
  return {
    device,
    progress: () => progress.get(device),
    append,
    fact: (...facts) => append(...facts.map((fact): JournalRecord => ({ t: 'fact', device, fact }))),
    now: () => clock().toISOString(),
  }
}

const tell = (record: JournalRecord, emit: Emit): void => {
  if (record.t !== 'outcome') return
  const { device, step, status, error } = record
  if (status === 'done' || status === 'already') emit({ event: 'step.done', device, step, status })
  else if (error !== undefined) emit({ event: 'step.failed', device, step, error })
}

/** An error as the state keeps it. Messages of networks hold no secret (`http/`, `networks/` see to that). */
export const errorRecord = (error: {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly correlationId?: string | undefined
}): ErrorRecord => ({
  code: error.code,
  message: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
  ...(error.correlationId === undefined ? {} : { correlationId: error.correlationId }),
})

import type { DeviceChange } from '../../domain/change-set.ts'
import type { Emit } from '../../domain/events.ts'
import type { Digest } from '../../domain/identifiers.ts'
import type { Clock, EscrowPort, JournalPort, NetworkPort } from '../../domain/ports.ts'
import type { RollbackRow, RolledBack } from '../../domain/rollback.ts'
import { deviceJournal } from '../crossing/device-journal.ts'
import { failureOf } from '../crossing/failure.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { changeBegun } from '../progress/standing.ts'
import { type Ended, recordedRun } from '../run/recorded-run.ts'
import { walk } from '../run/walk.ts'
import { rollBackDevice } from './roll-back-device.ts'

export interface RollbackInput {
  readonly rows: readonly RollbackRow[]
  readonly source: NetworkPort
  readonly target: NetworkPort
  readonly journal: JournalPort
  /** The fold of the state so far; goes on with every record. */
  readonly progress: Map<string, DeviceProgress>
  readonly escrow: EscrowPort
  readonly concurrency: number
  readonly run: string
  readonly tool: string
  /** Of the plan; a rollback carries out no change set. */
  readonly plan: Digest
  readonly clock: Clock
  readonly emit: Emit
  readonly pause: (milliseconds: number) => Promise<void>
  readonly draining: () => boolean
}

type Results = Map<string, Pick<RolledBack, 'status' | 'error'>>

/**
 * Takes devices back, newest first. One that can not be is reported and the others go on; a second run goes on where it
 * was left. @throws FerryError when credentials are refused or the state can't be written, as `applyChanges` does
 */
export const rollBack = async (input: RollbackInput): Promise<readonly RolledBack[]> => {
  const { journal, clock, run, tool, plan, rows } = input
  const due = rows.filter(({ action }) => action !== 'leave')
  const undo = async (): Promise<Ended<Results>> => {
    const value: Results = new Map()
    await walk(
      due,
      input.concurrency,
      async (row) => void value.set(row.device, await rollBackOne(input, row)),
      input.draining,
    )
    return { value, isWhole: due.every(({ device }) => value.get(device)?.status === 'undone') }
  }
  const opened = { run, command: 'rollback', tool, plan, changeSet: plan } as const
  const results: Results =
    due.length === 0
      ? new Map()
      : await recordedRun({ journal, clock, again: 'ferry rollback' }, opened, undo)
  return rows.map(({ device, target, action, because, losses }) => ({
    device,
    target,
    losses,
    ...(because === undefined ? {} : { because }),
    ...(action === 'leave' ? { status: 'left' } : (results.get(device) ?? { status: 'skipped' })),
  }))
}

const rollBackOne = async (
  input: RollbackInput,
  row: RollbackRow,
): Promise<Pick<RolledBack, 'status' | 'error'>> => {
  const { source, target, journal, progress, escrow, clock, emit, pause } = input
  const known = progress.get(row.device)
  if (known === undefined) throw new Error(`the state does not know ${row.device}`)
  try {
    await rollBackDevice({
      change: changeOf(known),
      source,
      target,
      journal: deviceJournal(row.device, journal, progress, clock, emit),
      escrow,
      pause,
    })
    return { status: 'undone' }
  } catch (error) {
    const failure = failureOf(error)
    if (failure === undefined) throw error
    return { status: 'failed', error: failure }
  }
}

/** What the steps need to know of a device, from the state alone. */
const changeOf = (known: DeviceProgress): DeviceChange => ({
  ...changeBegun(known),
  action: 'resume',
  fields: [],
  steps: [],
  later: [],
  findings: [],
})

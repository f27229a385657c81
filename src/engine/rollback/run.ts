import type { DeviceChange } from '../../domain/change-set.ts'
import { FerryError, NetworkError } from '../../domain/errors.ts'
import type { Emit } from '../../domain/events.ts'
import type { Digest } from '../../domain/identifiers.ts'
import type { ErrorRecord } from '../../domain/journal.ts'
import type { Clock, EscrowPort, JournalPort, NetworkPort } from '../../domain/ports.ts'
import type { RolledBack, RollbackRow } from '../../domain/rollback.ts'
import { deviceJournal, errorRecord } from '../crossing/device-journal.ts'
import { StepFailure } from '../crossing/ensure.ts'
import type { DeviceProgress } from '../progress/progress.ts'
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

/**
 * Takes devices back, newest first. One that can not be is reported and the others go on; a second run goes on where it
 * was left. @throws FerryError when credentials are refused or the state can't be written, as `applyChanges` does
 */
export const rollBack = async (input: RollbackInput): Promise<readonly RolledBack[]> => {
  const { journal, clock, run, rows } = input
  const due = rows.filter(({ action }) => action !== 'leave')
  const results = new Map<string, Pick<RolledBack, 'status' | 'error'>>()
  if (due.length > 0) {
    const opened = { run, at: clock().toISOString(), command: 'rollback', tool: input.tool } as const
    await journal.append([{ t: 'open', ...opened, plan: input.plan, changeSet: input.plan }])
    const close = (result: 'applied' | 'partial' | 'aborted'): Promise<void> =>
      journal.append([{ t: 'close', run, at: clock().toISOString(), result }])
    try {
      await walk(
        due,
        input.concurrency,
        async (row) => void results.set(row.device, await rollBackOne(input, row)),
        input.draining,
      )
    } catch (error) {
      await close('aborted').catch(() => undefined)
      throw error
    }
    const isWhole = due.every(({ device }) => results.get(device)?.status === 'undone')
    await close(isWhole ? 'applied' : 'partial')
  }
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
    const record = recordOf(error)
    if (record === undefined) throw ended(error)
    return { status: 'failed', error: record }
  }
}

const recordOf = (error: unknown): ErrorRecord | undefined => {
  if (error instanceof StepFailure) return error.error
  if (!(error instanceof NetworkError) || error.refusesCredentials) return undefined
  const { code, message, hint, fault } = error
  return errorRecord({ code, message, hint, correlationId: fault.correlationId })
}

const ended = (error: unknown): unknown =>
  error instanceof NetworkError
    ? new FerryError('credentials', error.code, error.message, {
        cause: error,
        hint: `${error.hint ?? 'check the key and its rights'}; then run ferry rollback again: it goes on where it was`,
      })
    : error

/** What the steps need to know of a device, from the state alone. */
const changeOf = (known: DeviceProgress): DeviceChange => ({
  device: known.device,
  target: known.target,
  ...(known.devEui === undefined ? {} : { devEui: known.devEui }),
  ...(known.joinEui === undefined ? {} : { joinEui: known.joinEui }),
  ...(known.route === undefined ? {} : { route: known.route }),
  ...(known.handover === undefined ? {} : { handover: known.handover }),
  ...(known.becomes === undefined ? {} : { becomes: known.becomes }),
  action: 'resume',
  fields: [],
  steps: [],
  later: [],
  findings: [],
})

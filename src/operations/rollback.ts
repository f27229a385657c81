import { randomUUID } from 'node:crypto'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { FerryError } from '../domain/errors.ts'
import type { JournalRecord } from '../domain/journal.ts'
import type { RollbackRow, RolledBack } from '../domain/rollback.ts'
import { preflight } from '../engine/planning/preflight.ts'
import type { Progress } from '../engine/progress/progress.ts'
import { planRollback } from '../engine/rollback/plan-rollback.ts'
import { rollBack } from '../engine/rollback/run.ts'
import { identityMissing } from '../escrow/identity.ts'
import type { LockDocument } from '../state/lock.ts'
import { concurrencyOf, noRecipients, recipientsOf } from './apply.ts'
import type { Host } from './host.ts'
import { openEscrow } from './open-escrow.ts'
import { readKnownState, type Workspace } from './workspace.ts'

export interface RollbackOptions {
  /** Device ids of the source; none: all that the state knows. */
  readonly devices: readonly string[]
  /** The devices that began to cross in this run: its id or the beginning of it, or `last`. */
  readonly run?: string
  /** The devices that crossed in this wave: its name, or its number alone. */
  readonly wave?: string
  /** Shown what would be done, and what can not be undone, before the first write. */
  readonly confirm: (rows: readonly RollbackRow[], warnings: readonly Diagnostic[]) => Promise<boolean>
  /** age public keys besides the plan's own. */
  readonly recipients: readonly string[]
}

export type RollbackOutcome =
  | { readonly status: 'done'; readonly devices: readonly RolledBack[]; readonly tookOver?: LockDocument }
  | { readonly status: 'declined' }

/**
 * Undoes a migration, a run of it, or single devices: from the state and the escrow, newest first. Needs an identity.
 * @throws FerryError `credentials` (no identity, a key is refused), `usage` (a device or run that the state does not
 * know), `locked`, `stale`, `state-not-written`
 */
export const rollBackMigration = async (
  workspace: Workspace,
  host: Host,
  options: RollbackOptions,
): Promise<RollbackOutcome> => {
  if (host.identity === undefined) throw identityMissing()
  const lock = await workspace.stores.state.lock('ferry rollback', host.owner, host.clock)
  try {
    const { loaded, source, target, stores } = workspace
    const begun = beginsByRun()
    const { progress } = await readKnownState(stores, options.run === undefined ? undefined : begun.take)
    const chosen = choose(options, progress, begun.byRun)
    const rows = planRollback(progress, chosen)
    const recipients = recipientsOf(workspace, options)
    const isNeeded = rows.some(({ action }) => action !== 'leave')
    if (isNeeded && recipients.length === 0) throw noRecipients()
    const warnings = isNeeded
      ? await preflight(source, target, true, { source: [], target: [] })
      : workspace.warnings
    if (!(await options.confirm(rows, warnings))) return { status: 'declined' }
    if (!isNeeded) return { status: 'done', devices: rows.map((row) => ({ ...row, status: 'left' })) }
    const journal = await stores.state.openJournal()
    try {
      const devices = await rollBack({
        rows,
        source,
        target,
        journal,
        progress,
        escrow: openEscrow(workspace, host, recipients),
        concurrency: concurrencyOf(workspace),
        run: randomUUID(),
        tool: host.tool,
        plan: loaded.digest,
        clock: host.clock,
        emit: host.emit,
        pause: host.pause,
        draining: host.draining,
      })
      return { status: 'done', devices, ...(lock.tookOver === undefined ? {} : { tookOver: lock.tookOver }) }
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

const choose = (
  { devices, run, wave }: RollbackOptions,
  progress: Progress,
  byRun: BeginsByRun,
): ((device: string) => boolean) => {
  const unknown = devices.filter((device) => !progress.has(device))
  if (unknown.length > 0) {
    throw new FerryError('usage', 'DeviceNotInState', `the state does not know ${unknown.join(', ')}`, {
      hint: 'give device ids of the source; ferry status tells which were begun',
    })
  }
  const begun = run === undefined ? undefined : begunIn(run, byRun)
  const crossed = wave === undefined ? undefined : crossedIn(wave, progress)
  return (device) =>
    (devices.length === 0 || devices.includes(device)) &&
    (begun === undefined || begun.has(device)) &&
    (crossed === undefined || crossed.has(device))
}

const crossedIn = (wave: string, progress: Progress): ReadonlySet<string> => {
  const name = /^\d+$/.test(wave) ? `wave ${wave}` : wave
  const devices = [...progress.values()].filter((each) => each.wave === name).map(({ device }) => device)
  if (devices.length > 0) return new Set(devices)
  const known = [...new Set([...progress.values()].flatMap((each) => each.wave ?? []))]
  throw new FerryError('usage', 'UnknownWave', `no device crossed in a wave ${wave}`, {
    hint: known.length === 0 ? 'the state knows no waves' : `give one of ${known.join(', ')}`,
  })
}

/** Devices that began to cross in each run of `ferry apply`, the oldest run first. */
type BeginsByRun = ReadonlyMap<string, ReadonlySet<string>>

const beginsByRun = (): { readonly take: (record: JournalRecord) => void; readonly byRun: BeginsByRun } => {
  const byRun = new Map<string, Set<string>>()
  let current: Set<string> | undefined
  return {
    byRun,
    take: (record) => {
      if (record.t === 'open') {
        current = record.command === 'apply' ? new Set() : undefined
        if (current !== undefined) byRun.set(record.run, current)
      } else if (record.t === 'begin') current?.add(record.device)
    },
  }
}

const begunIn = (run: string, byRun: BeginsByRun): ReadonlySet<string> => {
  const ids = [...byRun.keys()]
  const id = run === 'last' ? ids.at(-1) : ids.find((each) => each.startsWith(run))
  const begun = id === undefined ? undefined : byRun.get(id)
  if (begun !== undefined) return begun
  throw new FerryError('usage', 'UnknownRun', `the state does not know a run ${run} of ferry apply`, {
    hint: ids.length === 0 ? 'nothing was applied yet' : `give last, or one of ${ids.slice(-3).join(', ')}`,
  })
}

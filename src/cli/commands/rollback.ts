import {
  FerryError,
  type FerryEvent,
  nameOfEnd,
  openWorkspace,
  type RollbackRow,
  rollBackMigration,
} from '../../index.ts'
import { shellWord } from '../../report/escape.ts'
import { renderRollbackPlan, renderRolledBack, renderRolledBackJson } from '../../report/rollback-report.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { escrowKeysFor, neededIdentity } from '../identity.ts'
import { planFrom } from '../plan-file.ts'
import { showProgress } from '../progress.ts'
import type { Command } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'

interface RollbackOptions {
  readonly device?: readonly string[]
  readonly run?: string
  readonly wave?: string
  readonly yes?: boolean
}

/** `ferry rollback <plan>`: says what can not be undone before it starts. */
export const rollback: Command<RollbackOptions> = async (shell, [file = ''], options) => {
  if (options.yes !== true && !shell.canAsk) {
    throw new FerryError(
      'usage',
      'ConfirmationMissing',
      'there is no terminal to ask on, and --yes was not given',
      {
        hint: `ferry rollback ${shellWord(file)} --yes`,
      },
    )
  }
  const { out, err } = shell
  const loaded = await planFrom(file)
  const identity = await neededIdentity(shell.env)
  const keys = await escrowKeysFor(shell, loaded.plan)
  const progress = showProgress(err)
  try {
    const emit = (event: FerryEvent): void => progress.emit(event)
    const workspace = await openWorkspace(loaded, hostOf(shell, emit, identity))
    try {
      const confirm = async (rows: readonly RollbackRow[], warnings: Parameters<typeof tellFindings>[1]) => {
        progress.pause()
        tellFindings(err, warnings)
        err.write(renderRollbackPlan(rows, { width: err.width, style: err.style }))
        if (rows.every(({ action }) => action === 'leave')) return true
        if (shell.interrupts.end() !== undefined) return false
        const { source, target } = loaded.plan
        const what =
          source.network === 'file'
            ? `Take them off ${nameOfEnd(target)}`
            : `Take them back to ${nameOfEnd(source)}`
        const question = `\n${what}? Only yes will do: `
        if (options.yes !== true && (await shell.ask(question)) !== 'yes') return false
        // From here on what was begun is finished first.
        shell.interrupts.drain()
        progress.resume()
        return true
      }
      const outcome = await rollBackMigration(workspace, hostOf(shell, emit, identity), {
        devices: [...new Set(options.device ?? [])],
        ...(options.run === undefined ? {} : { run: options.run }),
        ...(options.wave === undefined ? {} : { wave: options.wave }),
        recipients: keys.recipients,
        confirm,
      })
      progress.stop()
      if (outcome.status === 'declined') {
        tell(err, 'note', 'not confirmed: nothing was changed')
        return exitCodeOf('blocked')
      }
      const { devices } = outcome
      if (options.json === true) out.write(renderRolledBackJson(devices))
      else out.write(renderRolledBack(devices, file, { width: out.width, style: out.style }))
      const isOpen = devices.some(({ status }) => status === 'failed' || status === 'skipped')
      return exitCodeOf(isOpen ? 'partial' : 'done')
    } finally {
      await workspace.close()
    }
  } finally {
    progress.stop()
  }
}

import {
  type ApplyOutcome,
  applyMigration,
  type ChangeSet,
  FerryError,
  type FerryEvent,
  type LoadedPlan,
  openWorkspace,
  type Planned,
} from '../../index.ts'
import { renderApplyResult, renderApplyResultJson } from '../../report/apply-result.ts'
import { previewOf } from '../../report/preview.ts'
import { summaryLine } from '../../report/text.ts'
import { shortDigest } from '../../report/words.ts'
import { appliedEnd, appliedReport } from '../applied.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { type EscrowKeys, escrowKeysFor } from '../identity.ts'
import { changeSetFrom, isChangeSetFile, planToCarryOut } from '../plan-file.ts'
import { type Progress, showProgress } from '../progress.ts'
import type { Command, Shell } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'
import { renderPreview } from './plan.ts'

interface ApplyOptions {
  readonly yes?: boolean
  readonly allow?: Readonly<Record<string, number>>
  /** Hex digits, 10 or more. */
  readonly expect?: string
  readonly jsonLines?: boolean
}

/** `ferry apply <plan|change-set>` */
export const apply: Command<ApplyOptions> = async (shell, [file = ''], options) => {
  if (options.yes !== true && !shell.canAsk) throw confirmationMissing(file)
  const approved = (await isChangeSetFile(file)) ? await changeSetFrom(file) : undefined
  if (approved !== undefined) checkExpected(approved, options.expect)
  const loaded = await planToCarryOut(shell, approved?.plan.file ?? file)
  const keys = await escrowKeysFor(shell, loaded.plan)
  const progress = showProgress(shell.err)
  try {
    const outcome = await carryOut({ shell, loaded, approved, keys, progress, options })
    if (outcome.status !== 'applied') shell.interrupts.signal.throwIfAborted()
    progress.stop()
    return tellOutcome(shell, loaded, outcome, options)
  } finally {
    progress.stop()
  }
}

interface Carrying {
  readonly shell: Shell
  readonly loaded: LoadedPlan
  readonly approved: ChangeSet | undefined
  readonly keys: EscrowKeys
  readonly progress: Progress
  readonly options: ApplyOptions
}

const carryOut = async (carrying: Carrying): Promise<ApplyOutcome> => {
  const { shell, loaded, approved, keys, progress, options } = carrying
  const emit = (event: FerryEvent): void => {
    // Until now an interrupt ended the run at once; from here on what was begun is finished first.
    if (event.event === 'apply.started') shell.interrupts.drain()
    progress.emit(event)
    if (options.jsonLines === true) writeLine(shell, event)
  }
  const host = hostOf(shell, emit, keys.identity)
  const workspace = await openWorkspace(loaded, host)
  try {
    return await applyMigration(workspace, host, {
      ...(approved === undefined ? {} : { approved }),
      allow: options.allow ?? {},
      recipients: keys.recipients,
      inspect: ({ changeSet }) => {
        if (approved === undefined) checkExpected(changeSet, options.expect)
      },
      confirm: (planned) => confirm(carrying, planned),
    })
  } finally {
    await workspace.close()
  }
}

/** Asked under the lock, before the first write. */
const confirm = async (carrying: Carrying, planned: Planned): Promise<boolean> => {
  const { shell, keys, progress, options } = carrying
  const { err } = shell
  const { changeSet } = planned
  progress.pause()
  tellFindings(err, planned.warnings)
  if (shell.interrupts.end() !== undefined) return false
  if (options.yes === true) err.write(`${summaryLine(previewOf(changeSet))}\n`)
  else {
    err.write(renderPreview(changeSet, 'text', err, undefined))
    const answer = await shell.ask(
      `\nApply this to ${changeSet.target.application} on ${changeSet.target.host}? Only yes will do: `,
    )
    if (answer !== 'yes') return false
  }
  if (changeSet.devices.some(({ steps }) => steps.includes('escrow') || steps.includes('read-again'))) {
    await keys.keep()
  }
  progress.resume()
  return true
}

const tellOutcome = (
  shell: Shell,
  loaded: LoadedPlan,
  outcome: ApplyOutcome,
  options: ApplyOptions & { readonly json?: boolean },
): number => {
  const { out, err } = shell
  if (outcome.status === 'declined') {
    tell(err, 'note', 'not confirmed: nothing was changed')
    return exitCodeOf('blocked')
  }
  if (outcome.status === 'applied' && outcome.tookOver !== undefined) {
    const { user, pid, startedAt } = outcome.tookOver
    tell(err, 'note', `took over the lock of a run that is gone: ${user}, process ${pid}, since ${startedAt}`)
  }
  const { result } = outcome
  if (result.stopped === 'canary') {
    tell(
      err,
      'note',
      'the first devices (rollout.canary) have to be heard before the others cross',
      `ferry verify ${loaded.file} --wait 2h, then ferry apply ${loaded.file} again`,
    )
  }
  const report = appliedReport(result, loaded.file)
  const json = renderApplyResultJson(report)
  if (options.jsonLines === true) writeLine(shell, { event: 'result', result: JSON.parse(json) as unknown })
  else if (options.json === true) out.write(json)
  else out.write(renderApplyResult(report, { width: out.width, style: out.style }))
  return exitCodeOf(appliedEnd(result.counts))
}

const writeLine = ({ out, clock }: Shell, event: FerryEvent | { event: 'result'; result: unknown }): void =>
  out.write(`${JSON.stringify({ at: clock().toISOString(), ...event })}\n`)

const confirmationMissing = (file: string): FerryError =>
  new FerryError('usage', 'ConfirmationMissing', 'there is no terminal to ask on, and --yes was not given', {
    hint: `look at the preview (ferry plan), then: ferry apply ${file} --yes`,
  })

const checkExpected = (changeSet: ChangeSet, expected: string | undefined): void => {
  const digest = changeSet.digest.replace(/^sha256:/, '')
  if (expected === undefined || digest.startsWith(expected)) return
  throw new FerryError(
    'stale',
    'DigestMismatch',
    `the change set is ${shortDigest(digest)} now, not ${shortDigest(expected)} as expected`,
    { hint: `look at the preview again: ferry plan ${changeSet.plan.file}` },
  )
}

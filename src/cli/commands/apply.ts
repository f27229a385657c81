import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  type ApplyOutcome,
  applyMigration,
  type ChangeSet,
  type Confirmed,
  FerryError,
  type FerryEvent,
  type Gate,
  type GatewayResult,
  type LoadedPlan,
  NOT_CONFIRMED,
  openWorkspace,
  type Planned,
} from '../../index.ts'
import { renderApplyResult, renderApplyResultJson } from '../../report/apply-result.ts'
import { shellWord } from '../../report/escape.ts'
import { previewOf } from '../../report/preview.ts'
import { summaryLine } from '../../report/text.ts'
import { shortDigest } from '../../report/words.ts'
import { type AppliedFiles, appliedEnd, appliedReport, silentDevices, tellSilent } from '../applied.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { type EscrowKeys, escrowKeysFor } from '../identity.ts'
import { changeSetFrom, counted, isChangeSetFile, planToCarryOut } from '../plan-file.ts'
import { type Progress, showProgress } from '../progress.ts'
import type { Command, Output, Shell } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'
import { renderPreview } from './plan.ts'

interface ApplyOptions {
  readonly yes?: boolean
  readonly allow?: Readonly<Record<string, number>>
  /** Hex digits, 10 or more. */
  readonly expect?: string
  readonly jsonLines?: boolean
  /** Milliseconds to stay where a gate or the change window holds others back. */
  readonly wait?: number
  readonly confirmHandover?: boolean
  readonly confirmDevice?: readonly string[]
}

/** `ferry apply <plan|change-set>` */
export const apply: Command<ApplyOptions> = async (shell, [file = ''], options) => {
  if (!existsSync(resolve(file))) throw fileMissing(file)
  const isChangeSet = await isChangeSetFile(file)
  if (options.yes !== true && !shell.canAsk) throw confirmationMissing(file, isChangeSet)
  const approved = isChangeSet ? await changeSetFrom(file) : undefined
  if (approved !== undefined) checkExpected(approved, options.expect, file)
  const loaded = await planToCarryOut(shell, approved?.plan.file ?? file)
  const keys = await escrowKeysFor(shell, loaded.plan)
  const progress = showProgress(shell.err)
  try {
    const carrying: Carrying = { shell, file, loaded, approved, keys, progress, options }
    const first = await carryOut(carrying, confirmedBy(options))
    const stopped = await askHandover(carrying, first)
    const confirmed =
      stopped.length === 0
        ? first
        : await carryOut({ ...carrying, options: { ...options, yes: true } }, stopped)
    const outcome = await stay(carrying, confirmed)
    if (outcome.status !== 'applied') shell.interrupts.signal.throwIfAborted()
    progress.stop()
    return tellOutcome(shell, { file, plan: loaded.file }, outcome, options)
  } finally {
    progress.stop()
  }
}

interface Carrying {
  readonly shell: Shell
  /** As it was given: a plan, or a change set. */
  readonly file: string
  readonly loaded: LoadedPlan
  readonly approved: ChangeSet | undefined
  readonly keys: EscrowKeys
  readonly progress: Progress
  readonly options: ApplyOptions
}

const confirmedBy = ({ confirmHandover, confirmDevice = [] }: ApplyOptions): Confirmed =>
  confirmHandover === true ? 'all' : confirmDevice

/** On a terminal whoever is there can say at once that the devices are stopped where they were served. */
const askHandover = async (
  { shell, progress, options }: Carrying,
  outcome: ApplyOutcome,
): Promise<readonly string[]> => {
  if (outcome.status === 'declined' || options.yes === true || !shell.canAsk) return []
  if (confirmedBy(options).length > 0 || shell.interrupts.end() !== undefined) return []
  const waiting = outcome.result.devices
    .filter(({ error }) => error?.code === NOT_CONFIRMED)
    .map(({ device }) => device)
  if (waiting.length === 0) return []
  progress.pause()
  const answer = await shell.ask(
    `\n${counted(waiting.length, 'device is', 'devices are')} complete on the target, and muted there. ` +
      'Stop them now where they are served: nothing there may answer them, or their joins, any more.\n' +
      'Are they stopped? Only yes will do: ',
  )
  progress.resume()
  return answer === 'yes' ? waiting : []
}

/** Milliseconds between two looks at a wave; of a large fleet a look takes minutes, and is no tenth of the time. */
const LOOK = 5_000
const LOOKS_SHARE = 10

/** Goes on by itself as long as was asked, with what was confirmed at first: a device that is new since is not of it. */
const stay = async (carrying: Carrying, first: ApplyOutcome): Promise<ApplyOutcome> => {
  const { shell, progress, options } = carrying
  const host = hostOf(shell)
  const now = (): number => shell.clock().getTime()
  const until = now() + (options.wait ?? 0)
  const { expect: _once, ...others } = options
  const approved = first.status === 'applied' ? first.planned.changeSet : undefined
  const again = { ...carrying, approved: carrying.approved ?? approved, options: { ...others, yes: true } }
  let outcome = first
  let took = 0
  while (outcome.status === 'applied' && shell.interrupts.end() === undefined) {
    const { stopped } = outcome.result
    const left = until - now()
    if (left <= 0 || (stopped?.by !== 'gate' && stopped?.by !== 'window')) break
    progress.pause()
    shell.err.write(`${stopped.by === 'gate' ? gateText(stopped.gate) : windowText(stopped.opensAt)}\n`)
    const next =
      stopped.by === 'gate' ? Math.max(LOOK, LOOKS_SHARE * took) : Date.parse(stopped.opensAt) - now()
    await host.pause(Math.min(Math.max(next, 0), left))
    if (shell.interrupts.end() !== undefined) break
    progress.resume()
    const began = performance.now()
    outcome = await carryOut(again, confirmedBy(options))
    took = performance.now() - began
  }
  return outcome
}

const carryOut = async (carrying: Carrying, confirmed: Confirmed): Promise<ApplyOutcome> => {
  const { shell, file, loaded, approved, keys, progress, options } = carrying
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
      confirmed,
      inspect: ({ changeSet, state }) => {
        shell.lastly(() => tellSilent(shell.err, silentDevices(state.progress), file))
        if (approved === undefined) checkExpected(changeSet, options.expect, file)
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
    const saved = carrying.approved === undefined ? undefined : carrying.file
    err.write(renderPreview(changeSet, 'text', err, saved, true))
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
  files: AppliedFiles,
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
  const again = `ferry apply ${shellWord(files.file)} again`
  if (result.stopped?.by === 'gate')
    tell(
      err,
      'note',
      gateText(result.stopped.gate),
      `ferry verify ${shellWord(files.plan)} --wait 2h, then ${again}`,
    )
  if (result.stopped?.by === 'window') tell(err, 'note', windowText(result.stopped.opensAt), `then ${again}`)
  const gateways = outcome.status === 'applied' ? (outcome.gateways ?? []) : []
  const around = outcome.status === 'applied' ? (outcome.around ?? []) : []
  tellGateways(err, gateways, files.plan)
  for (const { part, id, error } of around)
    tell(
      err,
      'error',
      `the ${part}${id === undefined ? '' : ` ${id}`} of the application was not carried: ${error.code} ${error.message}`,
      error.hint,
    )
  const report = {
    ...appliedReport(result, files, outcome.planned.state.progress),
    ...(gateways.length === 0 ? {} : { gateways }),
    ...(around.length === 0 ? {} : { around }),
  }
  const json = renderApplyResultJson(report)
  if (options.jsonLines === true) writeLine(shell, { event: 'result', result: JSON.parse(json) as unknown })
  else if (options.json === true) out.write(json)
  else out.write(renderApplyResult(report, { width: out.width, style: out.style }))
  const isPartly = around.length > 0 || gateways.some(({ status }) => status === 'failed')
  return exitCodeOf(isPartly ? 'partial' : appliedEnd(result.counts))
}

const tellGateways = (err: Output, gateways: readonly GatewayResult[], plan: string): void => {
  for (const { gateway, error } of gateways)
    if (error !== undefined)
      tell(
        err,
        'error',
        `the gateway ${gateway} was not registered: ${error.code} ${error.message}`,
        error.hint,
      )
  const written = gateways.filter(({ status }) => status !== 'failed').length
  if (written > 0)
    tell(
      err,
      'note',
      `${counted(written, 'gateway is', 'gateways are')} registered on the target: point them to it one after the other, as the preview has them`,
      `ferry verify ${shellWord(plan)} --wait 2h tells which are connected`,
    )
}

const gateText = ({ wave, heard, of, needed }: Gate): string =>
  `${wave}: ${heard} of ${counted(of, 'device')} heard; the others cross once ${needed === of ? 'all' : needed} of them are`

const windowText = (opensAt: string): string =>
  `what is left begins when the change window (rollout.window) opens: ${opensAt}`

const writeLine = ({ out, clock }: Shell, event: FerryEvent | { event: 'result'; result: unknown }): void =>
  out.write(`${JSON.stringify({ at: clock().toISOString(), ...event })}\n`)

const fileMissing = (file: string): FerryError =>
  new FerryError('plan-invalid', 'ApplyFileMissing', `${file} does not exist`, {
    hint: 'check the path; ferry init makes a plan, ferry plan PLAN -o FILE a change set',
  })

const confirmationMissing = (file: string, isChangeSet: boolean): FerryError =>
  new FerryError('usage', 'ConfirmationMissing', 'there is no terminal to ask on, and --yes was not given', {
    hint: `look at the preview (ferry ${isChangeSet ? 'show' : 'plan'} ${shellWord(file)}), then: ferry apply ${shellWord(file)} --yes`,
  })

const checkExpected = (changeSet: ChangeSet, expected: string | undefined, file: string): void => {
  const digest = changeSet.digest.replace(/^sha256:/, '')
  if (expected === undefined || digest.startsWith(expected)) return
  throw new FerryError(
    'stale',
    'DigestMismatch',
    `the change set is ${shortDigest(digest)} now, not ${shortDigest(expected)} as expected`,
    {
      hint: `look at the preview again: ferry ${file === changeSet.plan.file ? 'plan' : 'show'} ${shellWord(file)}`,
    },
  )
}

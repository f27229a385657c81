import { FerryError, openWorkspace, type VerifyRow, verifyMigration } from '../../index.ts'
import { shellWord } from '../../report/escape.ts'
import {
  type VerifyRow as ReportRow,
  renderVerifyReport,
  renderVerifyReportJson,
} from '../../report/verify-report.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { counted, planFrom } from '../plan-file.ts'
import { showProgress } from '../progress.ts'
import type { Command, Output } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'

interface VerifyOptions {
  /** Milliseconds. */
  readonly wait?: number
}

/** `ferry verify <plan>` */
export const verify: Command<VerifyOptions> = async (shell, [file = ''], options) => {
  const { out, err } = shell
  const loaded = await planFrom(file)
  const progress = showProgress(err)
  try {
    const host = hostOf(shell, progress.emit)
    const workspace = await openWorkspace(loaded, host)
    try {
      const { planned, rows, gateways } = await verifyMigration(workspace, host, {
        wait: options.wait ?? 0,
        onRound: (round) => {
          // From here on an interrupt ends the waiting, and tells what is known.
          shell.interrupts.drain()
          progress.pause()
          err.write(`${roundText(round)}\n`)
        },
      })
      shell.interrupts.signal.throwIfAborted()
      progress.stop()
      tellFindings(err, planned.warnings)
      if (planned.state.progress.size === 0 && gateways.length === 0) throw nothingApplied(file)
      const unfinished = rows.filter(({ status }) => status === 'unfinished').length
      if (unfinished > 0)
        tell(
          err,
          'warning',
          `the crossing of ${counted(unfinished, 'device')} has not ended`,
          `ferry apply ${file}`,
        )
      const shown = rows.map(reportRow)
      if (options.json === true) out.write(renderVerifyReportJson(shown, gateways))
      else out.write(renderVerifyReport(shown, { width: out.width, style: out.style }, gateways))
      tellNext(err, rows, file)
      const isWell =
        rows.every(({ status }) => status === 'heard' || status === 'equal') &&
        gateways.every(({ status }) => status === 'connected')
      return exitCodeOf(isWell ? 'done' : 'differences')
    } finally {
      await workspace.close()
    }
  } finally {
    progress.stop()
  }
}

const roundText = (rows: readonly VerifyRow[]): string => {
  const heard = rows.filter(({ status }) => status === 'heard').length
  const waiting = rows.filter(({ status }) => ['waiting', 'silent', 'joining'].includes(status)).length
  return `waiting for ${counted(waiting, 'device')}, ${heard} heard`
}

/** What to do about devices that the target has not heard. */
const tellNext = (err: Output, rows: readonly VerifyRow[], file: string): void => {
  const number = (...wanted: readonly VerifyRow['status'][]): number =>
    rows.filter(({ status }) => wanted.includes(status)).length
  const silent = number('silent')
  if (silent > 0)
    tell(
      err,
      'note',
      `${counted(silent, 'device was', 'devices were')} not heard in time`,
      'make sure they send and gateways of the target hear them ("A device stays silent" in docs/operators-guide.md); to give one back: ferry escrow restore',
    )
  const waiting = number('waiting', 'joining')
  if (waiting > 0)
    tell(
      err,
      'note',
      `${counted(waiting, 'device waits', 'devices wait')} to be heard`,
      `ferry verify ${shellWord(file)} --wait 2h`,
    )
}

const nothingApplied = (file: string): FerryError =>
  new FerryError('differences', 'NothingApplied', 'nothing was applied yet, so there is nothing to verify', {
    hint: `ferry apply ${file}`,
  })

const reportRow = ({ device, status, differences, reasons }: VerifyRow): ReportRow => ({
  device,
  status,
  differences,
  ...(reasons === undefined ? {} : { reasons }),
})

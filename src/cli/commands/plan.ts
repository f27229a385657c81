import { resolve } from 'node:path'
import {
  type ChangeSet,
  changeSetLines,
  FerryError,
  type LoadedPlan,
  openWorkspace,
  type Planned,
  planMigration,
  replaceFileByPieces,
} from '../../index.ts'
import { renderJson } from '../../report/json.ts'
import { isMachineFormat, type MachineFormat } from '../../report/machines/formats.ts'
import { renderFound } from '../../report/machines/index.ts'
import { renderMarkdown } from '../../report/markdown.ts'
import { renderText } from '../../report/text.ts'
import { countActions, pendingCount } from '../../report/verdict.ts'
import { type End, exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { planToCarryOut } from '../plan-file.ts'
import { showProgress } from '../progress.ts'
import type { Command, Output, Shell } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'
import { version } from '../version.ts'

export type Format = 'text' | 'markdown' | 'json' | MachineFormat

interface PlanOptions {
  readonly output?: string
  readonly format?: Format
  readonly detailedExitcode?: boolean
}

/** `ferry plan <plan>` */
export const plan: Command<PlanOptions> = async (shell, [file = ''], options) => {
  if (options.output !== undefined && resolve(options.output) === resolve(file)) {
    throw new FerryError('usage', 'PlanExists', `the change set would be written over the plan ${file}`, {
      hint: 'name another file after -o',
    })
  }
  const loaded = await planToCarryOut(shell, file)
  const { changeSet } = await readBoth(shell, loaded)
  if (options.output !== undefined) {
    await replaceFileByPieces(options.output, changeSetLines(changeSet), { code: 'FileNotWritten' })
    tell(shell.err, 'note', `the change set is saved in ${options.output}`)
  }
  const format = options.json === true ? 'json' : (options.format ?? 'text')
  shell.out.write(renderPreview(changeSet, format, shell.out, options.output))
  const pending = pendingCount(countActions(changeSet)) > 0
  return exitCodeOf(
    ...obstacles(changeSet),
    ...(options.detailedExitcode === true && pending ? ['changes' as const] : []),
  )
}

/** Reads both networks with progress on the error output; warnings are told after it. */
const readBoth = async (shell: Shell, loaded: LoadedPlan): Promise<Planned> => {
  const progress = showProgress(shell.err)
  try {
    const host = hostOf(shell, progress.emit)
    const workspace = await openWorkspace(loaded, host)
    try {
      const planned = await planMigration(workspace, host, false)
      // Devices that an interrupt kept from being read would look blocked.
      shell.interrupts.signal.throwIfAborted()
      progress.stop()
      tellFindings(shell.err, planned.warnings)
      return planned
    } finally {
      await workspace.close()
    }
  } finally {
    progress.stop()
  }
}

/** The preview in one of its forms; `file` is the saved change set that its commands name; `asks`: a question follows. */
export const renderPreview = (
  changeSet: ChangeSet,
  format: Format,
  output: Output,
  file: string | undefined,
  asks = false,
): string => {
  const named = file === undefined ? {} : { file }
  if (isMachineFormat(format)) return renderFound(changeSet, format, version())
  switch (format) {
    case 'json':
      return renderJson(changeSet)
    case 'markdown':
      return renderMarkdown(changeSet, named)
    case 'text':
      return renderText(changeSet, { ...named, asks, width: output.width, style: output.style })
  }
}

/**
 * What an apply would refuse. Blocked devices alone are no obstacle, unless nothing else is selected.
 */
const obstacles = ({ complete, findings, guards, devices }: ChangeSet): readonly End[] => {
  const selected = devices.filter(({ action }) => action !== 'excluded' && action !== 'gone')
  const isRefused =
    !complete ||
    guards.some((guard) => !guard.ok) ||
    findings.some((finding) => finding.severity === 'error') ||
    (selected.length > 0 && selected.every(({ action }) => action === 'blocked'))
  return isRefused ? ['blocked'] : []
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Diagnostic, FerryError, loadPlan } from '../../index.ts'
import { harmlessJson } from '../../report/escape.ts'
import { JSON_FORMAT_VERSION } from '../../report/json.ts'
import { isMachineFormat, type MachineFormat } from '../../report/machines/formats.ts'
import { renderChecked } from '../../report/machines/index.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { counted, organisationPolicy } from '../plan-file.ts'
import type { Command, Shell } from '../shell.ts'
import { findingText } from '../tell.ts'
import { version } from '../version.ts'

interface CheckedFile {
  readonly file: string
  readonly digest: string | null
  readonly findings: readonly Diagnostic[]
}

interface ValidateOptions {
  readonly format?: 'text' | 'json' | MachineFormat
}

/** `ferry validate [plan...]` */
export const validate: Command<ValidateOptions> = async (shell, args, { json, format = 'text' }) => {
  const files = args.length > 0 ? args : await plansHere()
  if (files.length === 0) {
    throw new FerryError('usage', 'PlanMissing', 'there is no migration plan in this folder or in plans/', {
      hint: 'name one: ferry validate building-a.yaml; or make one: ferry init',
    })
  }
  const checked: CheckedFile[] = []
  const options = await organisationPolicy(shell)
  for (const file of files) {
    const result = await loadPlan(file, options)
    checked.push({ file, digest: result.ok ? result.value.digest : null, findings: result.diagnostics })
  }
  const findings = checked.flatMap((each) => each.findings)
  const count = (severity: Diagnostic['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length
  const sums = {
    files: files.length,
    errors: count('error'),
    warnings: count('warning'),
    notes: count('note'),
  }
  if (json === true || format === 'json') shell.out.write(asJson(checked, sums))
  else if (isMachineFormat(format)) shell.out.write(renderChecked(checked, format, version()))
  else writeText(shell, findings, sums)
  return exitCodeOf(checked.some((each) => each.digest === null) ? 'plan-invalid' : 'done')
}

type Sums = Readonly<Record<'files' | 'errors' | 'warnings' | 'notes', number>>

const writeText = ({ out }: Shell, findings: readonly Diagnostic[], sums: Sums): void => {
  for (const finding of findings) out.write(findingText(finding, out))
  const verdict = sums.errors > 0 ? out.style.red('INVALID') : out.style.green('VALID')
  const notes = sums.notes > 0 ? `, ${counted(sums.notes, 'note')}` : ''
  out.write(
    `${verdict}  ${counted(sums.files, 'plan')}: ${counted(sums.errors, 'error')}, ${counted(sums.warnings, 'warning')}${notes}.\n`,
  )
}

const asJson = (checked: readonly CheckedFile[], sums: Sums): string =>
  `${harmlessJson({
    format_version: JSON_FORMAT_VERSION,
    kind: 'validate',
    summary: sums,
    files: checked.map(({ file, digest, findings }) => ({
      file,
      valid: digest !== null,
      digest,
      findings: findings.map(({ code, severity, message, hint, subject }) => ({
        code,
        severity,
        message,
        hint: hint ?? null,
        subject: subject ?? null,
      })),
    })),
  })}\n`

/** YAML files of the working folder and of `plans/` that say `kind: MigrationPlan`. */
const plansHere = async (): Promise<readonly string[]> => {
  const found: string[] = []
  for (const folder of ['.', 'plans']) {
    const names = await readdir(folder).catch(() => [])
    for (const name of names.filter((each) => /\.ya?ml$/.test(each)).sort()) {
      const file = join(folder, name)
      const text = await readFile(file, 'utf8').catch(() => '')
      if (/^\s*["']?kind["']?\s*:\s*["']?MigrationPlan\b/m.test(text)) found.push(file)
    }
  }
  return found
}

import { open, readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import {
  type ChangeSet,
  type Checked,
  FerryError,
  type LoadedPlan,
  type LoadOptions,
  loadPlan,
  parseChangeSet,
  readOrganisationPolicy,
} from '../index.ts'
import type { Shell } from './shell.ts'
import { tellFindings } from './tell.ts'

/** `1 error`, `2 errors`. */
export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`

/** Loads a plan. @throws FerryError `plan-invalid` with all findings. */
export const planFrom = async (file: string): Promise<LoadedPlan> => planIn(await loadPlan(file), file)

/** What `FERRY_POLICY` names, for commands that are to do or judge what a plan says; the others go on without. */
export const organisationPolicy = async (shell: Shell): Promise<LoadOptions> => {
  const file = shell.env['FERRY_POLICY']
  return file === undefined || file === '' ? {} : { organisation: await readOrganisationPolicy(file) }
}

const planIn = (checked: Checked<LoadedPlan>, file: string): LoadedPlan => {
  if (checked.ok) return checked.value
  const errors = checked.diagnostics.filter((finding) => finding.severity === 'error').length
  throw new FerryError('plan-invalid', 'PlanInvalid', `${file} has ${counted(errors, 'error')}`, {
    diagnostics: checked.diagnostics,
    hint: 'correct it, and check it with: ferry validate',
  })
}

const HEAD = 1024 * 1024

/** Whether a file is a saved change set, wholly or in part, by its content: JSON Lines of ferry's own kinds. */
export const isChangeSetFile = async (file: string): Promise<boolean> => {
  try {
    // Opening a pipe would wait for its other end, and reading it would take from what is to be read.
    if (!(await stat(resolve(file))).isFile()) return false
    const handle = await open(resolve(file), 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0)
      const head = buffer.toString('utf8', 0, bytesRead)
      return head.startsWith('{') && /"t":"(?:change-set|device|end)"/.test(head)
    } finally {
      await handle.close()
    }
  } catch {
    return false
  }
}

/** Reads a saved change set. @throws FerryError `stale` for one that is damaged or was edited, `usage` for none. */
export const changeSetFrom = async (file: string): Promise<ChangeSet> => {
  let text: string
  try {
    if (!(await stat(resolve(file))).isFile()) throw new Error('it is no file')
    text = await readFile(resolve(file), 'utf8')
  } catch (cause) {
    throw new FerryError('usage', 'ChangeSetUnreadable', `the change set ${file} can not be read`, {
      cause,
      hint: 'make one with: ferry plan PLAN -o FILE',
    })
  }
  return parseChangeSet(text)
}

/** The plan that a command was given, or that the change set which it was given is of. */
export const planNameOf = async (file: string | undefined): Promise<string | undefined> => {
  if (file === undefined || !(await isChangeSetFile(file))) return file
  return changeSetFrom(file).then(
    ({ plan }) => plan.file,
    () => undefined,
  )
}

/** Loads a plan that is to be carried out: its warnings are told. */
export const planToCarryOut = async (shell: Shell, file: string): Promise<LoadedPlan> => {
  const checked = await loadPlan(file, await organisationPolicy(shell))
  const warnings = checked.ok ? checked.diagnostics.filter(({ severity }) => severity === 'warning') : []
  tellFindings(shell.err, warnings)
  return planIn(checked, file)
}

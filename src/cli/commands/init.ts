import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  FerryError,
  type Inspected,
  inspectApplication,
  type LoadedPlan,
  loadPlan,
  lookAtFile,
  NetworkError,
  nameOfEnd,
  type PlanAnswers,
  renderPlan,
  resolveSecret,
} from '../../index.ts'
import { harmless, harmlessJson, shellWord } from '../../report/escape.ts'
import { JSON_FORMAT_VERSION } from '../../report/json.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { identityAtHand } from '../identity.ts'
import { answersFrom, type InitOptions } from '../init-answers.ts'
import { counted } from '../plan-file.ts'
import type { Command, Shell } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'

/** `ferry init [plan]` */
export const init: Command<InitOptions> = async (shell, [given], options) => {
  if (given !== undefined) refuseExisting(given)
  const answers = await answersFrom(shell, options, (path) => lookAtFile(resolve(path), path))
  const file = given ?? `${answers.name}.yaml`
  refuseExisting(file)
  const own = answers.recipients === undefined ? await identityAtHand(shell.env) : undefined
  const text = renderPlan({
    ...answers,
    source: besidePlan(answers.source, file),
    ...schemaFor(file),
    ...(own === undefined ? {} : { recipients: [own.recipient] }),
  })
  const loaded = await checkText(shell, file, text)
  const source = await look(shell, loaded, 'source')
  const target = await look(shell, loaded, 'target').catch((error: unknown) => tellTarget(shell, error))
  await writeFile(file, text, { flag: 'wx' }).catch((cause: unknown) => {
    throw notWritten(file, cause)
  })
  tellWritten(shell, file, source, target, options.json === true)
  if (source?.devices === 0)
    tell(
      shell.err,
      'warning',
      'the application on the source holds no device: there is nothing to move',
      'check that it is the one you mean',
    )
  if (loaded.plan.escrow.recipients.length === 0)
    tell(shell.err, 'note', 'the plan names no escrow recipient yet', 'ferry escrow keygen')
  return exitCodeOf('done')
}

/** Paths of a plan are relative to it. */
const besidePlan = (source: PlanAnswers['source'], plan: string): PlanAnswers['source'] =>
  'file' in source
    ? { ...source, file: relative(dirname(resolve(plan)), resolve(source.file)).replaceAll('\\', '/') }
    : source

/** The schema of this package, where it is installed below the working folder: a path that others have too. */
const schemaFor = (file: string): { readonly schema?: string } => {
  const schema = fileURLToPath(new URL('../../../schemas/migration-plan.v1.json', import.meta.url))
  if (relative('.', schema).startsWith('..')) return {}
  return { schema: relative(dirname(resolve(file)), schema).replaceAll('\\', '/') }
}

const refuseExisting = (file: string): void => {
  if (!existsSync(file)) return
  throw new FerryError('usage', 'PlanExists', `${file} exists already and is not overwritten`, {
    hint: 'name another file: ferry init FILE',
  })
}

const notWritten = (file: string, cause: unknown): FerryError => {
  const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
  return isThere
    ? new FerryError('usage', 'PlanExists', `${file} exists already and is not overwritten`)
    : new FerryError('state-not-written', 'FileNotWritten', `can't write ${file}`, {
        cause,
        hint: 'make room, or give write access to its folder',
      })
}

/** The plan is checked as any other before it is written: answers are a person's, and may be wrong. */
const checkText = async (shell: Shell, file: string, text: string): Promise<LoadedPlan> => {
  const path = resolve(file)
  const checked = await loadPlan(file, {
    readBytes: async (name) => (name === path ? Buffer.from(text) : readFile(name)),
  })
  if (!checked.ok) {
    throw new FerryError(
      'plan-invalid',
      'PlanInvalid',
      `the answers give no valid plan; ${file} is not written`,
      {
        diagnostics: checked.diagnostics,
        hint: 'correct the answers and run ferry init again',
      },
    )
  }
  const warnings = checked.diagnostics.filter(({ severity }) => severity === 'warning')
  tellFindings(shell.err, warnings)
  return checked.value
}

/** Undefined where the key is not at hand: then nothing can be asked. */
const look = async (
  shell: Shell,
  { plan }: LoadedPlan,
  side: 'source' | 'target',
): Promise<Inspected | undefined> => {
  const end = plan[side]
  const key = end.network === 'file' ? undefined : await resolveSecret(end.apiKey, shell.env)
  if (key?.ok === false) {
    const why = key.diagnostics[0]?.message ?? 'its key is missing'
    tell(shell.err, 'warning', `the ${side} was not looked at: ${why}`)
    return undefined
  }
  shell.err.write(`Looking at ${harmless(nameOfEnd(end))}\n`)
  const found = await inspectApplication(end, key?.value, side, hostOf(shell))
  tellFindings(shell.err, found.warnings)
  return found
}

/** The target may be made later; a plan for it is of use all the same. */
const tellTarget = (shell: Shell, error: unknown): undefined => {
  if (shell.interrupts.signal.aborted) throw error
  if (!(error instanceof FerryError) && !(error instanceof NetworkError)) throw error
  tell(shell.err, 'warning', `the target is not ready: ${error.message}`, error.hint)
  return undefined
}

const tellWritten = (
  { out }: Shell,
  file: string,
  source: Inspected | undefined,
  target: Inspected | undefined,
  json: boolean,
): void => {
  const devices = (found: Inspected | undefined): number | null => found?.devices ?? null
  if (json) {
    const sides = { source: { devices: devices(source) }, target: { devices: devices(target) } }
    out.write(`${harmlessJson({ format_version: JSON_FORMAT_VERSION, kind: 'init', file, ...sides })}\n`)
    return
  }
  const words = (found: Inspected | undefined): string =>
    found === undefined ? 'not looked at' : counted(found.devices, 'device')
  out.write(`wrote ${harmless(file)}  source: ${words(source)}, target: ${words(target)}\n`)
  out.write(`next  ferry validate ${shellWord(file)}, then ferry plan ${shellWord(file)}\n`)
}

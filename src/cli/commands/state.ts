import {
  compactState,
  foldState,
  type JournalRecord,
  type LocalPlan,
  type LockDocument,
  localPlan,
  repairState,
} from '../../index.ts'
import { harmless, harmlessJson, shellWord } from '../../report/escape.ts'
import { JSON_FORMAT_VERSION } from '../../report/json.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { counted, planFrom } from '../plan-file.ts'
import type { Command, Shell } from '../shell.ts'
import { withStores } from '../stores.ts'
import { tableText } from '../table.ts'
import { tell } from '../tell.ts'

const document = (kind: string, content: object): string =>
  `${harmlessJson({ format_version: JSON_FORMAT_VERSION, kind, ...content })}\n`

type Opened = Extract<JournalRecord, { readonly t: 'open' }>

/** `ferry state show <plan>` */
export const show: Command = async (shell, [file = ''], { json }) => {
  const { out } = shell
  const loaded = await planFrom(file)
  const { lineage, place, read, lock } = await withStores(shell, loaded, async (local, { state }) => ({
    lineage: local.lineage,
    place: state.place,
    read: await state.read(),
    lock: await state.readLock(),
  }))
  const records = read.status === 'absent' ? [] : read.records
  const results = new Map(records.flatMap((each) => (each.t === 'close' ? [[each.run, each.result]] : [])))
  const runs = records
    .filter((each): each is Opened => each.t === 'open')
    .map((each) => ({ ...each, result: results.get(each.run) ?? 'not ended' }))
  const devices = foldState(records).size
  const serial = read.status === 'absent' ? 0 : read.serial
  const torn = read.status === 'read' && read.tornTail
  if (json === true) {
    const told = runs.map(({ run, at, command, plan, changeSet, tool, result }) => ({
      run,
      at,
      command,
      plan,
      change_set: changeSet,
      tool,
      result,
    }))
    out.write(
      document('state', {
        file: place,
        lineage,
        serial,
        devices,
        torn_tail: torn,
        runs: told,
        lock: lock ?? null,
      }),
    )
    return exitCodeOf('done')
  }
  out.write(
    tableText(
      ['run', 'at', 'change set', 'result'],
      runs.map(({ run, at, changeSet, result }) => [
        run.slice(0, 8),
        at,
        changeSet.replace(/^sha256:/, '').slice(0, 12),
        result,
      ]),
    ),
  )
  if (lock !== undefined)
    out.write(
      harmlessLine(
        `locked by ${lock.user} on ${lock.host}, process ${lock.pid}, since ${lock.startedAt}: ${lock.id}; ${ownerWords(shell, lock, file)}`,
      ),
    )
  if (torn) out.write('the last line was cut short by a kill; the next apply goes on before it\n')
  out.write(
    harmlessLine(
      read.status === 'absent'
        ? `${place} does not exist: nothing was applied yet.`
        : `${place}  serial ${serial}, ${counted(devices, 'device')}, ${counted(runs.length, 'run')}.`,
    ),
  )
  return exitCodeOf('done')
}

/** Whether the run that holds a lock is still there, as far as this host can tell. */
const ownerWords = (shell: Shell, lock: LockDocument, file: string): string => {
  const { owner } = hostOf(shell)
  if (lock.host !== owner.host)
    return `whether it is still there, only ${lock.host} can tell; if it is gone: ferry state unlock ${shellWord(file)} ${lock.id}`
  const restarted = lock.bootId !== '' && owner.bootId !== '' && lock.bootId !== owner.bootId
  return restarted || lock.pid === owner.pid || !owner.isAlive(lock.pid)
    ? 'that process is gone: the next run takes it over'
    : 'that process is running'
}

const harmlessLine = (text: string): string => `${harmless(text)}\n`

/** `ferry state unlock <plan> <id>` */
export const unlock: Command = async (shell, [file = '', id = ''], { json }) => {
  const loaded = await planFrom(file)
  const { lock, status } = await withStores(shell, loaded, async ({ lockFile }, { state }) => ({
    lock: loaded.plan.state.http?.lockAddress ?? lockFile,
    status: await state.unlock(id),
  }))
  if (json === true) shell.out.write(document('unlock', { file: lock, status }))
  else shell.out.write(harmlessLine(status === 'unlocked' ? `removed ${lock}` : `there is no lock ${lock}`))
  return exitCodeOf('done')
}

/** `ferry state repair <plan>` */
export const repair: Command = async (shell, [file = ''], { json }) => {
  const local = localPlan(await planFrom(file))
  const stateFile = local.loaded.plan.state.file
  const plan = { ...local.stateOwner, lineage: local.lineage }
  const report = await underLock(shell, local, 'ferry state repair', () => repairState(stateFile, { plan }))
  if (json === true) shell.out.write(document('repair', { file: stateFile, ...report }))
  else if (report.status !== 'repaired')
    shell.out.write(
      `${stateFile} ${report.status === 'absent' ? 'does not exist' : 'is sound, nothing was changed'}\n`,
    )
  else {
    shell.out.write(
      `${stateFile} is repaired: ${counted(report.kept, 'record')} kept, ${counted(report.dropped, 'line')} dropped from line ${report.line} on.\n`,
    )
    const named = report.devices.length === 0 ? '' : `; it names ${report.devices.join(', ')}`
    tell(
      shell.err,
      'warning',
      `what was dropped is not known to be done${named}`,
      `the damaged file is kept as ${report.damagedFile}; look at the preview before the next apply: ferry plan ${shellWord(file)}`,
    )
    tell(
      shell.err,
      'warning',
      `the state lost what came after line ${report.line - 1}; devices whose source is muted by an earlier run will be reported as TargetSpeaks or SourceMuted: do not unmute the source by hand while the target serves them`,
    )
  }
  return exitCodeOf('done')
}

/** `ferry state compact <plan>` */
export const compact: Command = async (shell, [file = ''], { json }) => {
  const local = localPlan(await planFrom(file))
  const stateFile = local.loaded.plan.state.file
  const report = await underLock(shell, local, 'ferry state compact', () =>
    compactState(stateFile, { fold: foldState, lineage: local.lineage }),
  )
  if (json === true) shell.out.write(document('compact', { file: stateFile, ...report }))
  else if (report.status === 'absent') shell.out.write(`${stateFile} does not exist\n`)
  else shell.out.write(`${stateFile}: ${counted(report.before, 'record')} before, ${report.after} after.\n`)
  return exitCodeOf('done')
}

const underLock = <T>(
  shell: Shell,
  { loaded }: LocalPlan,
  command: string,
  work: () => Promise<T>,
): Promise<T> =>
  withStores(shell, loaded, async (_, { state }) => {
    const { owner, clock } = hostOf(shell)
    const lock = await state.lock(command, owner, clock)
    try {
      return await work()
    } finally {
      await lock.release()
    }
  })

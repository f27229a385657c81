import { randomUUID } from 'node:crypto'
import { FerryError } from '../domain/errors.ts'
import type { Clock } from '../domain/ports.ts'
import { createFile, replaceFile } from './durable-file.ts'
import { errorCodeOf, type FileSystem, fileErrorText, nodeFiles } from './file-system.ts'

/** Content of the lock file: who holds it, for a person and for the next run. */
export interface LockDocument {
  /** What `ferry state unlock` takes. */
  readonly id: string
  readonly pid: number
  readonly host: string
  readonly user: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly command: string
  /** Differs after each start of the machine; empty where the system does not tell. */
  readonly bootId: string
}

/** This process, as the command line knows it. */
export interface LockOwner {
  readonly pid: number
  readonly host: string
  readonly user: string
  readonly bootId: string
  /** Whether a process of this host lives; true when in doubt. */
  readonly isAlive: (pid: number) => boolean
}

export interface Lock {
  readonly document: LockDocument
  /** The dead owner whose lock was taken over, to be told to the user. */
  readonly tookOver: LockDocument | undefined
  /** Removes the lock if it is still ours. */
  release(): Promise<void>
}

export interface LockOptions {
  readonly file: string
  readonly owner: LockOwner
  readonly command: string
  readonly clock: Clock
  readonly fs?: FileSystem
}

/** `building-a.state.lock` of `building-a.state.jsonl`. */
export const lockFileOf = (stateFile: string): string => `${stateFile.replace(/\.jsonl$/, '')}.lock`

/**
 * Takes the lock of a state file, or throws `Locked` (kind `locked`) with its owner. The lock of a process that is
 * gone, or of an earlier start of this machine, is taken over; one of another host never is, since nobody can
 * tell from here whether its owner lives. Of processes that try at once, one wins.
 *
 * @example
 * const lock = await acquireLock({ file: lockFileOf(state), owner, command: 'ferry apply', clock })
 * try { ... } finally { await lock.release() }
 */
export const acquireLock = async (options: LockOptions): Promise<Lock> => {
  const { file, owner } = options
  const fs = options.fs ?? nodeFiles
  const document = documentOf(options)
  const bytes = bytesOf(document)
  held.add(document.id)
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if ((await createFile(file, bytes, { fs, code: 'StateNotWritten' })) === 'created') {
        return lockOf(file, document, undefined, fs)
      }
      const present = await readLock(file, fs)
      if (present === undefined) continue
      if (!isStale(present, owner)) throw locked(file, present)
      if (await takeOver(options, present, bytes, fs)) return lockOf(file, document, present, fs)
    }
    throw new FerryError('locked', 'Locked', `the lock ${file} changes hands all the time`, {
      hint: 'other runs work on the same state: wait for them, then run again',
    })
  } catch (error) {
    held.delete(document.id)
    throw error
  }
}

/** Who holds the lock; undefined where nobody does. Throws `LockUnreadable` for a file that is no lock. */
export const readLock = async (
  file: string,
  fs: FileSystem = nodeFiles,
): Promise<LockDocument | undefined> => {
  let text: string
  try {
    text = await fs.readFile(file, 'utf8')
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw unreadable(file, fileErrorText(error), error)
  }
  const document = parseDocument(text)
  if (document === undefined) throw unreadable(file, 'it is not a lock document')
  return document
}

/**
 * Removes a lock by the id of its owner, for `ferry state unlock`: `absent` where there is none. Throws
 * `LockIdMismatch` (kind `locked`) for another id, so that a lock which changed hands meanwhile stays.
 */
export const unlock = async (
  file: string,
  id: string,
  fs: FileSystem = nodeFiles,
): Promise<'unlocked' | 'absent'> => {
  const present = await readLock(file, fs)
  if (present === undefined) return 'absent'
  if (present.id !== id) {
    throw new FerryError('locked', 'LockIdMismatch', `the lock ${file} has id ${present.id}, not ${id}`, {
      hint: `it is held by ${ownerText(present)}; if that run is gone, use \`ferry state unlock PLAN ${present.id}\``,
    })
  }
  await remove(file, fs)
  return 'unlocked'
}

const ATTEMPTS = 20

/**
 * Ids that this process holds: a lock with our own process id that is not among them was left by an earlier process
 * of the same number, as happens in every restart of a container.
 */
const held = new Set<string>()

const documentOf = ({ owner, command, clock }: LockOptions): LockDocument => ({
  id: randomUUID(),
  pid: owner.pid,
  host: owner.host,
  user: owner.user,
  startedAt: clock().toISOString(),
  command,
  bootId: owner.bootId,
})

const bytesOf = (document: LockDocument): Buffer => Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`)

const isStale = (present: LockDocument, owner: LockOwner): boolean => {
  if (present.host !== owner.host) return false
  if (present.bootId !== '' && owner.bootId !== '' && present.bootId !== owner.bootId) return true
  if (present.pid === owner.pid) return !held.has(present.id)
  return !owner.isAlive(present.pid)
}

/**
 * Replaces the lock of a dead owner, alone: two runs that both saw it dead would otherwise each remove the other's
 * new lock. The right to replace the lock `id` is itself a lock, `<file>.<id>`, that is held for a moment; if
 * its owner dies too it is taken over in the same way.
 */
const takeOver = async (
  options: LockOptions,
  dead: LockDocument,
  bytes: Buffer,
  fs: FileSystem,
): Promise<boolean> => {
  let right: Lock
  try {
    right = await acquireLock({ ...options, file: `${options.file}.${dead.id}` })
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'Locked') throw error
    await new Promise((resolve) => setTimeout(resolve, 10))
    return false
  }
  try {
    const present = await readLock(options.file, fs)
    if (present?.id !== dead.id) return false
    await replaceFile(options.file, bytes, { fs, code: 'StateNotWritten' })
    return true
  } finally {
    await right.release()
  }
}

const lockOf = (
  file: string,
  document: LockDocument,
  tookOver: LockDocument | undefined,
  fs: FileSystem,
): Lock => ({
  document,
  tookOver,
  release: async () => {
    held.delete(document.id)
    const present = await readLock(file, fs)
    if (present?.id === document.id) await remove(file, fs)
  },
})

const remove = async (file: string, fs: FileSystem): Promise<void> => {
  try {
    await fs.unlink(file)
  } catch (cause) {
    if (errorCodeOf(cause) === 'ENOENT') return
    throw new FerryError(
      'state-not-written',
      'StateNotWritten',
      `can't remove ${file}: ${fileErrorText(cause)}`,
      {
        cause,
        hint: 'remove the file by hand once no ferry runs on this state',
      },
    )
  }
}

const locked = (file: string, present: LockDocument): FerryError =>
  new FerryError('locked', 'Locked', `the state is locked by ${ownerText(present)} (${file})`, {
    hint: `wait for that run to end; if it is gone, use \`ferry state unlock PLAN ${present.id}\``,
  })

const ownerText = ({ user, host, pid, startedAt, command }: LockDocument): string =>
  `${user} on ${host}, process ${pid}, since ${startedAt} (${command})`

const unreadable = (file: string, reason: string, cause?: unknown): FerryError =>
  new FerryError('locked', 'LockUnreadable', `can't read the lock ${file}: ${reason}`, {
    cause,
    hint: 'remove the file once no ferry runs on this state',
  })

const FIELDS: Readonly<Record<keyof LockDocument, 'string' | 'number'>> = {
  id: 'string',
  pid: 'number',
  host: 'string',
  user: 'string',
  startedAt: 'string',
  command: 'string',
  bootId: 'string',
}

const parseDocument = (text: string): LockDocument | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const fields = new Map(Object.entries(value))
    const complete = Object.entries(FIELDS).every(([name, type]) => typeof fields.get(name) === type)
    // The id becomes part of a file name in `takeOver`.
    return complete && /^[0-9a-f-]{36}$/.test(fields.get('id')) ? (value as LockDocument) : undefined
  } catch {
    return undefined
  }
}

import { randomUUID } from 'node:crypto'
import { FerryError } from '../domain/errors.ts'
import type { HttpState } from '../domain/migration-plan.ts'
import { compacting, type StateFold } from '../state/compact-state.ts'
import { replaceFile } from '../state/durable-file.ts'
import { type FileSystem, nodeFiles } from '../state/file-system.ts'
import { formatLines } from '../state/format.ts'
import type { Lock } from '../state/lock.ts'
import { readStateBytes, type StateRead } from '../state/read-state.ts'
import { type FileStoreOptions, fileStore, type StateStore } from '../state/store.ts'
import type { Place } from './place.ts'
import { postingJournal } from './posting-journal.ts'
import { aheadOf } from './reconcile.ts'
import { type Held, type RemoteState, remoteState } from './remote-state.ts'
import { headerOfPosted, type PostedState } from './state-document.ts'

export interface RemoteStoreOptions extends FileStoreOptions {
  readonly http: HttpState
  readonly place: Place
  readonly fold: StateFold
}

/**
 * Devices that may be under way at once: so many are unknown to the next runner if this one is lost, and read anew.
 */
const MOST_UNDER_WAY = 256

/**
 * A state at an address, with a state file as the fine record of this machine. Whoever holds the lock of the address goes
 * on from what it holds, or from the file where that has the same and more.
 */
export const remoteStore = ({ http, place, fold, ...options }: RemoteStoreOptions): StateStore => {
  const { file, lineage, fs = nodeFiles } = options
  const local = fileStore(options)
  const remote = remoteState(http, place)
  let lockId: string | undefined

  /** What is gone on from, and how far the address is. `ahead`: it comes from there, and not from the file. */
  const look = async (): Promise<{
    readonly known: StateRead
    readonly ahead: PostedState | undefined
    readonly postedSerial: number | undefined
  }> => {
    const posted = await remote.read(lineage)
    const here = await local.read()
    const ahead = aheadOf(here, posted, fold)
    return { known: ahead === undefined ? here : readOf(ahead), ahead, postedSerial: posted?.serial }
  }

  return {
    place: place.name,
    mostUnderWay: MOST_UNDER_WAY,
    read: async () => (await look()).known,
    fold: async (onRecord) => {
      const { known } = await look()
      if (known.status === 'absent') return known
      const { records, ...summary } = known
      for (const record of records) onRecord(record)
      return summary
    },
    openJournal: async () => {
      const id = lockId
      if (id === undefined) throw new Error('the lock is taken before the state is opened')
      const { known, ahead, postedSerial } = await look()
      if (ahead !== undefined) await takeOverFile(file, ahead, fs)
      const compaction = compacting(fold)
      if (known.status === 'read') compaction.add(known.records)
      const journal = await local.openJournal()
      const { lineage: _lineage, file: _file, fs: _fs, ...owner } = options
      return postingJournal({
        journal,
        compaction,
        isBehind: known.status === 'read' && known.serial !== postedSerial,
        post: (records, serial) => remote.post({ owner, lineage, serial, records }, id),
      })
    },
    lock: async (command, owner, clock) => {
      const lock = await local.lock(command, owner, clock)
      const held = await lockRemotely(remote, lock, options.name, place.name).catch(
        async (error: unknown) => {
          await lock.release()
          throw error
        },
      )
      lockId = held.id
      return {
        ...lock,
        release: async () => {
          lockId = undefined
          try {
            const status = await remote.unlock(held).catch((cause: unknown) => {
              throw notGivenBack(place.name, held, cause)
            })
            if (status === 'other') throw lostLock(place.name)
          } finally {
            await lock.release()
          }
        },
      }
    },
    readLock: local.readLock,
    unlock: async (id) => {
      const status = await unlockRemotely(remote, id, options.name, place.name)
      const here = await local.readLock()
      if (here?.id === id) await local.unlock(id)
      return status
    },
    close: () => place.close(),
  }
}

/** The lock of a run that died on this machine, as its file tells, is taken over at the address too. */
const lockRemotely = async (
  remote: RemoteState,
  { document, tookOver }: Lock,
  name: string,
  address: string,
): Promise<Held> => {
  let held = await remote.lock(document, name)
  if (held.id !== '' && held.id === tookOver?.id) {
    await remote.unlock(held)
    held = await remote.lock(document, name)
  }
  if (held.id !== document.id) throw locked(held, address)
  return held
}

/** The protocol tells who holds a lock only to those who ask for it. */
const unlockRemotely = async (
  remote: RemoteState,
  id: string,
  name: string,
  address: string,
): Promise<'unlocked' | 'absent'> => {
  const asking = { id: randomUUID(), pid: 0, host: 'ferry', user: 'ferry', bootId: '' }
  const document = { ...asking, startedAt: new Date(0).toISOString(), command: 'ferry state unlock' }
  const held = await remote.lock(document, name)
  const isFree = held.id === document.id
  if (!isFree && held.id !== id) throw mismatch(address, held, id)
  if ((await remote.unlock(held)) === 'other') throw mismatch(address, held, id)
  return isFree ? 'absent' : 'unlocked'
}

const readOf = (posted: PostedState): StateRead => ({
  status: 'read',
  header: headerOfPosted(posted),
  records: posted.records,
  serial: posted.serial,
  tornTail: false,
})

/** The file becomes what the address holds; what it held before is kept beside it, once. */
const takeOverFile = async (file: string, posted: PostedState, fs: FileSystem): Promise<void> => {
  const before = await readStateBytes(file, fs)
  if (before !== undefined) await replaceFile(`${file}.before`, before, { fs, code: 'StateNotWritten' })
  const lines = formatLines('', [headerOfPosted(posted), ...posted.records])
  await replaceFile(file, Buffer.from(lines.text), { fs, code: 'StateNotWritten' })
}

const locked = ({ id, who, since, operation }: Held, address: string): FerryError => {
  const parts = [who ?? 'another run', ...(since === undefined ? [] : [`since ${since}`])]
  const doing = operation === undefined ? '' : ` (${operation})`
  return new FerryError(
    'locked',
    'Locked',
    `the state at ${address} is locked by ${parts.join(' ')}${doing}`,
    {
      hint:
        id === ''
          ? 'wait for that run to end; if it is gone, give the lock back on the server'
          : `wait for that run to end; if it is gone, use \`ferry state unlock PLAN ${id}\``,
    },
  )
}

const lostLock = (address: string): FerryError =>
  new FerryError('locked', 'LockIdMismatch', `the lock of ${address} is held by another run by now`, {
    hint: 'somebody took the lock from this run: look whether two were at work (ferry audit PLAN)',
  })

const notGivenBack = (address: string, held: Held, cause: unknown): FerryError =>
  new FerryError(
    'locked',
    'LockNotGivenBack',
    `the run is over, and the lock of ${address} could not be given back: ${cause instanceof Error ? cause.message : 'no answer'}`,
    { cause, hint: `once the server answers: ferry state unlock PLAN ${held.id}` },
  )

const mismatch = (address: string, held: Held, id: string): FerryError =>
  new FerryError('locked', 'LockIdMismatch', `the lock of ${address} has id ${held.id}, not ${id}`, {
    hint: `if the run that holds it is gone, use \`ferry state unlock PLAN ${held.id}\``,
  })

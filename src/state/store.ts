import type { JournalRecord } from '../domain/journal.ts'
import type { Clock } from '../domain/ports.ts'
import { type FileSystem, nodeFiles } from './file-system.ts'
import type { StateOwner } from './format.ts'
import { type Journal, openJournal } from './journal.ts'
import {
  acquireLock,
  type Lock,
  type LockDocument,
  type LockOwner,
  lockFileOf,
  readLock,
  unlock,
} from './lock.ts'
import {
  foldStateFile,
  readState,
  type ScannedFile,
  type StateRead,
  type StateSummary,
} from './read-state.ts'

/** Where the state of a plan lies, for everything that reads or writes it. */
export interface StateStore {
  /** For people: the path of the file, or the address. */
  readonly place: string
  /** @throws as `readState` does */
  read(): Promise<StateRead>
  /** As `read`, and hands out the records one by one, in their order, in place of keeping them. */
  fold(onRecord: (record: JournalRecord) => void): Promise<StateSummary>
  /** Hold the lock. @throws as `openJournal` does */
  openJournal(): Promise<Journal>
  /** @throws as `acquireLock` does */
  lock(command: string, owner: LockOwner, clock: Clock): Promise<Lock>
  /** Who holds the lock, as far as it can be told without taking it. */
  readLock(): Promise<LockDocument | undefined>
  /** @throws as `unlock` does */
  unlock(id: string): Promise<'unlocked' | 'absent'>
  /** Devices that may be under way at once; undefined for any number. */
  readonly mostUnderWay?: number
  close(): Promise<void>
}

export interface FileStoreOptions extends StateOwner {
  readonly file: string
  readonly lineage: string
  readonly fs?: FileSystem
}

/** The state file of a plan, with its lock beside it. */
export const fileStore = ({ file, lineage, fs = nodeFiles, ...owner }: FileStoreOptions): StateStore => {
  const lockFile = lockFileOf(file)
  let scanned: ScannedFile | undefined
  return {
    place: file,
    read: () => readState(file, { lineage, fs }),
    fold: (onRecord) =>
      foldStateFile(file, onRecord, {
        lineage,
        fs,
        onScanned: (scan) => {
          scanned = scan
        },
      }),
    openJournal: () => openJournal({ file, lineage, fs, scanned, ...owner }),
    lock: (command, holder, clock) => acquireLock({ file: lockFile, owner: holder, command, clock, fs }),
    readLock: () => readLock(lockFile, fs),
    unlock: (id) => unlock(lockFile, id, fs),
    close: async () => undefined,
  }
}

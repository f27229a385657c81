import { basename, dirname } from 'node:path'
import { FerryError } from '../domain/errors.ts'
import type { JournalRecord } from '../domain/journal.ts'
import type { JournalPort } from '../domain/ports.ts'
import { createFile, removeLeftovers, writeFully } from './durable-file.ts'
import { type FileSystem, fileErrorText, nodeFiles } from './file-system.ts'
import { formatLines, headerOf, type StateOwner } from './format.ts'
import { type ScannedFile, scanStateFile, serialOf, trustedState } from './read-state.ts'

export interface JournalOptions extends StateOwner {
  readonly file: string
  /** Of the plan (`lineageOf`); a state with another one is refused. */
  readonly lineage: string
  /** A scan of the file before: used if the file is as it was then. */
  readonly scanned?: ScannedFile | undefined
  readonly fs?: FileSystem
}

export interface Journal extends JournalPort {
  /** The last line was torn by a kill or power cut, and was cut when the file was opened. */
  readonly tornTail: boolean
}

/**
 * Opens the state file of a plan for one run; hold the lock first. A file that does not exist is made with the
 * first `append`, so that a run which does nothing leaves nothing.
 *
 * Records that are appended within one turn of the event loop, or while a sync is under way, share the next
 * write and sync. After the first failure nothing is written or synced any more (the kernel may have dropped the
 * pages of a failed sync): this and every later `append` rejects with `StateNotWritten`, and the run has to stop.
 * The file stays readable: what a failed write left behind is a torn tail, which the next run cuts.
 *
 * Throws as `readState` does, and `StateNotWritten` where the torn tail can't be cut.
 *
 * @example
 * const journal = await openJournal({ file, lineage: lineageOf(plan), name, source, target })
 * await journal.append([{ t: 'intent', ... }]) // on the disk from here on
 */
export const openJournal = async (options: JournalOptions): Promise<Journal> => {
  const { file, lineage } = options
  const fs = options.fs ?? nodeFiles
  const scan = (await stillAs(options.scanned, file, fs)) ?? (await scanStateFile(file, fs))
  if (scan === undefined) {
    const begin = headerOf(lineage, options)
    return groupCommit(options, 0, false, newFile(file, fs, formatLines('', [begin])))
  }
  const { header, tornTail } = trustedState(file, scan, lineage)
  const writer = await explained(file, () => existingFile(file, fs, scan.validBytes, scan.hash, scan.size))
  return groupCommit(options, serialOf(header, scan.count), tornTail, writer)
}

/** The lock keeps others from the file between the two; somebody without one is found out by its time. */
const stillAs = async (
  scanned: ScannedFile | undefined,
  file: string,
  fs: FileSystem,
): Promise<ScannedFile | undefined> => {
  if (scanned === undefined) return undefined
  const now = await fs.stat(file).catch(() => undefined)
  const isSame = now?.ino === scanned.ino && now.size === scanned.size && now.mtimeMs === scanned.mtimeMs
  return isSame ? scanned : undefined
}

type Handle = Awaited<ReturnType<FileSystem['open']>>

/** The end of the file: writes one group of records durably, or throws. Never called twice at once. */
interface Writer {
  write(records: readonly JournalRecord[]): Promise<void>
  close(): Promise<void>
}

/** Header and first records arrive as one durable file: no kill leaves a state file that is empty or has half a header. */
const newFile = (
  file: string,
  fs: FileSystem,
  begin: { readonly text: string; readonly hash: string },
): Writer => {
  let opened: Writer | undefined
  return {
    write: async (records) => {
      if (opened !== undefined) return opened.write(records)
      await removeLeftovers(dirname(file), basename(file), fs)
      const lines = formatLines(begin.hash, records)
      const bytes = Buffer.from(begin.text + lines.text)
      if ((await createFile(file, bytes, { fs, code: 'StateNotWritten' })) === 'exists') {
        throw new Error('another program made the file while this run was working')
      }
      opened = await existingFile(file, fs, bytes.length, lines.hash, bytes.length)
    },
    close: async () => opened?.close(),
  }
}

const existingFile = async (
  file: string,
  fs: FileSystem,
  validBytes: number,
  lastHash: string,
  presentBytes: number,
): Promise<Writer> => {
  const handle = await fs.open(file, 'r+')
  let size = validBytes
  let hash = lastHash
  try {
    await checkUntouched(file, fs, handle, presentBytes)
    if (presentBytes > validBytes) {
      await handle.truncate(validBytes)
      await handle.sync()
    }
  } catch (error) {
    await handle.close()
    throw error
  }
  return {
    write: async (records) => {
      await checkUntouched(file, fs, handle, size)
      const lines = formatLines(hash, records)
      const bytes = Buffer.from(lines.text)
      await writeFully(handle, bytes, size)
      await handle.datasync()
      size += bytes.length
      hash = lines.hash
    },
    close: () => handle.close(),
  }
}

/** A file that was moved, deleted, replaced (by a checkout, say) or written by others would swallow what we append. */
const checkUntouched = async (file: string, fs: FileSystem, handle: Handle, size: number): Promise<void> => {
  const ours = await handle.stat()
  const named = await fs.stat(file).catch(() => undefined)
  if (named?.ino !== ours.ino) {
    throw new Error('another program moved, removed or replaced the file while this run was working')
  }
  if (ours.size !== size) throw new Error('another program changed the file while this run was working')
}

interface Waiting {
  readonly records: readonly JournalRecord[]
  resolve(): void
  reject(error: unknown): void
}

const groupCommit = (
  { file, lineage }: JournalOptions,
  serialAtOpen: number,
  tornTail: boolean,
  writer: Writer,
): Journal => {
  let serial = serialAtOpen
  let waiting: Waiting[] = []
  let failure: FerryError | undefined
  let closed = false
  let draining: Promise<void> | undefined

  const drain = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        if (failure !== undefined) throw failure
        const records = group.flatMap((one) => one.records)
        await writer.write(records)
        serial += records.length
        for (const one of group) one.resolve()
      } catch (error) {
        failure ??= error instanceof FerryError ? error : notWritten(file, error)
        for (const one of group) one.reject(failure)
      }
    }
    draining = undefined
  }

  return {
    lineage,
    tornTail,
    get serial() {
      return serial
    },
    append: (records) => {
      if (failure !== undefined) return Promise.reject(failure)
      if (closed)
        return Promise.reject(new FerryError('unexpected', 'StateClosed', 'the state file is closed'))
      if (records.length === 0) return Promise.resolve()
      return new Promise((resolve, reject) => {
        waiting.push({ records, resolve, reject })
        draining ??= drain()
      })
    },
    close: async () => {
      if (closed) return
      closed = true
      await draining
      await explained(file, () => writer.close())
    },
  }
}

const notWritten = (file: string, cause: unknown): FerryError =>
  new FerryError(
    'state-not-written',
    'StateNotWritten',
    `can't write the state file ${file}: ${fileErrorText(cause)}`,
    {
      cause,
      hint: 'nothing is lost: make room or give write access to the file, then run the same command again',
    },
  )

const explained = async <T>(file: string, action: () => Promise<T>): Promise<T> => {
  try {
    return await action()
  } catch (cause) {
    throw notWritten(file, cause)
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { FerryError } from '../domain/errors.ts'
import { errorCodeOf, type FileSystem, fileErrorText, nodeFiles } from './file-system.ts'

export interface DurableOptions {
  readonly fs?: FileSystem
  /** Code of the `FerryError` (kind `state-not-written`) when the file can't be written. */
  readonly code?: 'StateNotWritten' | 'EscrowNotWritten' | 'IdentityNotWritten' | 'FileNotWritten'
}

/**
 * Replaces a file, or makes it, so that a kill or power cut at any time leaves the old content or the new one,
 * whole. The bytes are synced, and read back and compared, before they take the name; the folder is synced
 * after. The file has mode 0600. Throws `FerryError` of kind `state-not-written`; the file is then as it was.
 */
export const replaceFile = async (
  file: string,
  bytes: Uint8Array,
  options: DurableOptions = {},
): Promise<void> => {
  const fs = options.fs ?? nodeFiles
  await explained(file, options, async () => {
    const target = await fs.realpath(file).catch(() => file)
    const temporary = await writeTemporary(fs, target, bytes)
    await orRemove(fs, temporary, () => fs.rename(temporary, target))
    await syncFolder(dirname(target), fs)
  })
}

/** As `replaceFile`, for a text that may not fit into the memory: it is written and read back piece by piece. */
export const replaceFileByPieces = async (
  file: string,
  pieces: Iterable<string>,
  options: DurableOptions = {},
): Promise<void> => {
  const fs = options.fs ?? nodeFiles
  await explained(file, options, async () => {
    const target = await fs.realpath(file).catch(() => file)
    const temporary = temporaryFor(target)
    const written = createHash('sha256')
    await writeNew(fs, temporary, async (handle) => {
      let position = 0
      for (const bytes of chunksOf(pieces)) {
        written.update(bytes)
        await writeFully(handle, bytes, position)
        position += bytes.length
      }
    })
    await orRemove(fs, temporary, async () => {
      if ((await hashOf(fs, temporary)) !== written.digest('hex')) throw new Error(DIFFERS)
      await fs.rename(temporary, target)
    })
    await syncFolder(dirname(target), fs)
  })
}

/** Bytes that are written and read at once: few enough to be young garbage, which is collected as it is made. */
const CHUNK = 1 << 16

function* chunksOf(pieces: Iterable<string>): Generator<Uint8Array> {
  let parts: string[] = []
  let length = 0
  for (const piece of pieces) {
    parts.push(piece)
    length += piece.length
    if (length < CHUNK) continue
    yield Buffer.from(parts.join(''))
    parts = []
    length = 0
  }
  yield Buffer.from(parts.join(''))
}

const hashOf = async (fs: FileSystem, file: string): Promise<string> => {
  const hash = createHash('sha256')
  const handle = await fs.open(file, 'r')
  try {
    const bytes = Buffer.alloc(CHUNK)
    for (;;) {
      const { bytesRead } = await handle.read(bytes, 0, CHUNK)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(bytes.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}

/**
 * Makes a file as `replaceFile` does, but never over one that exists: `exists` then, with nothing changed.
 * Of any number of processes that try at once, one gets `created`, and no reader ever sees half a file.
 */
export const createFile = async (
  file: string,
  bytes: Uint8Array,
  options: DurableOptions = {},
): Promise<'created' | 'exists'> => {
  const fs = options.fs ?? nodeFiles
  return explained(file, options, async () => {
    const temporary = await writeTemporary(fs, file, bytes)
    const made = await orRemove(fs, temporary, () => linkOrWrite(fs, temporary, file, bytes))
    await fs.unlink(temporary).catch(() => undefined)
    await syncFolder(dirname(file), fs)
    return made
  })
}

/**
 * Removes the temporary files that a killed run left in a folder for files of a name. Call it only where no other
 * process writes such files (under the lock): it can't tell a dead one's temporary file from one in use.
 */
export const removeLeftovers = async (
  folder: string,
  name: string | RegExp,
  fs: FileSystem = nodeFiles,
): Promise<void> => {
  const isOf = (base: string): boolean => (typeof name === 'string' ? base === name : name.test(base))
  for (const entry of await fs.readdir(folder).catch(() => [])) {
    const base = /^\.(.+)\.[0-9a-f]{12}\.tmp$/.exec(entry)?.[1]
    if (base !== undefined && isOf(base)) await fs.unlink(join(folder, entry)).catch(() => undefined)
  }
}

/** Makes what was created, renamed or removed in a folder durable; systems that can't sync a folder are let be. */
export const syncFolder = async (folder: string, fs: FileSystem = nodeFiles): Promise<void> => {
  try {
    const handle = await fs.open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP'].includes(errorCodeOf(error) ?? '')) throw error
  }
}

/** Writes all bytes at a position of an open file; a single `write` may take fewer than it was given. */
export const writeFully = async (
  handle: Awaited<ReturnType<FileSystem['open']>>,
  bytes: Uint8Array,
  position: number,
): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    if (bytesWritten === 0) throw new Error('the disk took no bytes')
    done += bytesWritten
  }
}

/** A synced temporary file in the same folder (a rename is atomic only within one file system). */
const writeTemporary = async (fs: FileSystem, file: string, bytes: Uint8Array): Promise<string> => {
  const temporary = temporaryFor(file)
  await writeNew(fs, temporary, (handle) => writeFully(handle, bytes, 0))
  await orRemove(fs, temporary, async () => {
    const written = await fs.readFile(temporary)
    if (!written.equals(bytes)) throw new Error(DIFFERS)
  })
  return temporary
}

const DIFFERS = 'what was read back differs from what was written'

const temporaryFor = (file: string): string =>
  join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`)

/** Makes a file of mode 0600, synced; one that could not be written is removed. */
const writeNew = async (
  fs: FileSystem,
  file: string,
  write: (handle: Awaited<ReturnType<FileSystem['open']>>) => Promise<void>,
): Promise<void> => {
  const handle = await fs.open(file, 'wx', 0o600)
  await orRemove(fs, file, async () => {
    try {
      await write(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
}

/** A hard link takes the name only if it is free; file systems without links get an exclusive create instead. */
const linkOrWrite = async (
  fs: FileSystem,
  temporary: string,
  file: string,
  bytes: Uint8Array,
): Promise<'created' | 'exists'> => {
  try {
    await fs.link(temporary, file)
    return 'created'
  } catch (error) {
    const code = errorCodeOf(error) ?? ''
    if (code === 'EEXIST') return 'exists'
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error
  }
  return writeExclusively(fs, file, bytes)
}

const writeExclusively = async (
  fs: FileSystem,
  file: string,
  bytes: Uint8Array,
): Promise<'created' | 'exists'> => {
  const handle = await fs.open(file, 'wx', 0o600).catch((error: unknown) => {
    if (errorCodeOf(error) === 'EEXIST') return undefined
    throw error
  })
  if (handle === undefined) return 'exists'
  await orRemove(fs, file, async () => {
    try {
      await writeFully(handle, bytes, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
  return 'created'
}

const orRemove = async <T>(fs: FileSystem, temporary: string, action: () => Promise<T>): Promise<T> => {
  try {
    return await action()
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined)
    throw error
  }
}

const explained = async <T>(file: string, options: DurableOptions, action: () => Promise<T>): Promise<T> => {
  try {
    return await action()
  } catch (cause) {
    throw new FerryError(
      'state-not-written',
      options.code ?? 'FileNotWritten',
      `can't write ${file}: ${fileErrorText(cause)}`,
      { cause, hint: 'make room or give write access to its folder, then run the same command again' },
    )
  }
}

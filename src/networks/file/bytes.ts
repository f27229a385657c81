import { type FileHandle, open } from 'node:fs/promises'
import { FerryError } from '../../domain/errors.ts'

/** Bytes that are read at once while a file is gone through. */
const CHUNK = 1 << 20

/** A file that is read by places, and may not change while it is. */
export interface Bytes {
  /** Begins after a byte order mark. */
  readonly start: number
  readonly size: number
  /** The first bytes, to tell what it is. */
  readonly head: Buffer
  chunks(): AsyncGenerator<Buffer>
  /** @throws FerryError `FileChanged` where it is not the file that it was. */
  at(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

const HEAD = 64 * 1024
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf])

const refuse = (code: string, name: string, message: string, hint: string, cause?: unknown): FerryError =>
  new FerryError('plan-invalid', code, `${name} ${message}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  })

const unreadable = (name: string, cause: unknown): FerryError => {
  const { code } = cause as NodeJS.ErrnoException
  const why =
    code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'may not be read' : `can not be read (${code})`
  return refuse('FileUnreadable', name, why, 'correct source.path, which is relative to the plan', cause)
}

/**
 * Opens a file of text. `name` is how errors call it.
 * @throws FerryError kind `plan-invalid`: `FileUnreadable`, `FileNotText` for another encoding than UTF-8
 */
export const openBytes = async (path: string, name: string): Promise<Bytes> => {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (cause) {
    throw unreadable(name, cause)
  }
  try {
    const { size, mtimeMs } = await statOf(handle, name)
    const whole = Buffer.alloc(Math.min(HEAD, size))
    await handle.read(whole, 0, whole.length, 0)
    const start = whole.subarray(0, 3).equals(UTF8_MARK) ? 3 : 0
    const head = whole.subarray(start)
    if (isUtf16(whole) || head.includes(0))
      throw refuse(
        'FileNotText',
        name,
        'is not text in UTF-8',
        'save it as UTF-8; a spreadsheet program calls it "CSV UTF-8"',
      )
    // Devices are read in the order of the file, mostly.
    let window:
      | { readonly offset: number; readonly length: number; readonly bytes: Promise<Buffer> }
      | undefined
    const unchanged = async (): Promise<void> => {
      const now = await handle.stat()
      if (now.size !== size || now.mtimeMs !== mtimeMs)
        throw new FerryError('stale', 'FileChanged', `${name} was changed while it was read`, {
          hint: 'run the command again when nobody writes to it',
        })
    }
    const readAt = async (offset: number, length: number): Promise<Buffer> => {
      await unchanged()
      const bytes = Buffer.alloc(length)
      await handle.read(bytes, 0, length, offset)
      return bytes
    }
    return {
      start,
      size,
      head,
      chunks: async function* () {
        for (let offset = start; offset < size; offset += CHUNK) {
          const chunk = Buffer.alloc(Math.min(CHUNK, size - offset))
          await handle.read(chunk, 0, chunk.length, offset)
          yield chunk
        }
        await unchanged()
      },
      at: async (offset, length) => {
        const inWindow = offset - (window?.offset ?? Number.POSITIVE_INFINITY)
        if (window === undefined || inWindow < 0 || inWindow + length > window.length) {
          const most = Math.max(length, Math.min(CHUNK, size - offset))
          window = { offset, length: most, bytes: readAt(offset, most) }
        }
        const { offset: from, bytes } = window
        return (await bytes).subarray(offset - from, offset - from + length)
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const statOf = async (
  handle: FileHandle,
  name: string,
): Promise<{ readonly size: number; readonly mtimeMs: number }> => {
  const stat = await handle.stat()
  if (!stat.isFile())
    throw refuse('FileUnreadable', name, 'is not a file', 'source.path names a file, relative to the plan')
  return stat
}

const isUtf16 = (bytes: Buffer): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)

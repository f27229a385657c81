import { randomBytes } from 'node:crypto'
import { resolve as absolute, dirname, join } from 'node:path'
import { FerryError } from '../domain/errors.ts'
import type { Secret } from '../domain/secret.ts'
import { createFile, removeLeftovers, syncFolder } from '../state/durable-file.ts'
import { type FileSystem, fileErrorText } from '../state/file-system.ts'
import type { EscrowCopies } from './copies.ts'
import { decryptText, encrypterFor } from './encryption.ts'
import { ESCROW_FILES, lastSequence } from './folder.ts'

export interface WriterOptions {
  readonly folder: string
  readonly recipients: readonly string[]
  readonly identity?: Secret | undefined
  /** Each file is there too before it counts as written. */
  readonly copies?: EscrowCopies | undefined
  readonly fs: FileSystem
}

/** One file of a batch: its name is `<prefix>-<sequence>-<random><ending>`. */
interface Content {
  readonly ending: string
  readonly text: string
}

/**
 * Encrypts and writes files; those of one call share sequence and random part, and are written in their order, each
 * durable before the next. Answers the names. Where one fails, those before it are removed again.
 * @throws FerryError `EscrowNotWritten` (kind `state-not-written`), `IdentityCannotDecrypt` (kind `credentials`).
 */
export type EscrowWriter = (prefix: string, contents: readonly Content[]) => Promise<readonly string[]>

export const escrowWriter = ({ folder, recipients, identity, copies, fs }: WriterOptions): EscrowWriter => {
  const encrypt = encrypterFor(recipients)
  let sequence: number | undefined
  let checked = identity === undefined

  const writeOne = async (name: string, text: string): Promise<void> => {
    const file = join(folder, name)
    const bytes = await encrypt(text)
    if ((await createFile(file, bytes, { fs, code: 'EscrowNotWritten' })) === 'exists') {
      throw notWritten(file, new Error('it exists already'))
    }
    await copies?.put(name, bytes)
    if (checked || identity === undefined) return
    const written = await fs.readFile(file).catch((error: unknown) => {
      throw notWritten(file, error)
    })
    if ((await decryptText(file, written, identity)) !== text) {
      throw notWritten(file, new Error('what it decrypts to differs from what was stored'))
    }
    checked = true
  }

  return async (prefix, contents) => {
    if (sequence === undefined) {
      await makeFolder(folder, fs)
      await removeLeftovers(folder, ESCROW_FILES, fs)
      sequence = await lastSequence(folder)
    }
    sequence += 1
    const stem = `${prefix}-${String(sequence).padStart(6, '0')}-${randomBytes(4).toString('hex')}`
    const written: string[] = []
    try {
      for (const { ending, text } of contents) {
        await writeOne(`${stem}${ending}`, text)
        written.push(`${stem}${ending}`)
      }
      return written
    } catch (error) {
      for (const name of written) await fs.unlink(join(folder, name)).catch(() => undefined)
      throw error instanceof FerryError ? error : notWritten(folder, error)
    }
  }
}

/** A folder that is new is only there after a power cut if the folder that holds it was synced. */
const makeFolder = async (folder: string, fs: FileSystem): Promise<void> => {
  try {
    const first = await fs.mkdir(folder, { recursive: true, mode: 0o700 })
    if (first !== undefined) {
      for (let made = absolute(folder); made.length >= first.length; made = dirname(made)) {
        await syncFolder(dirname(made), fs)
      }
    }
    const { mode } = await fs.stat(folder)
    if ((mode & 0o077) !== 0) await fs.chmod(folder, 0o700)
  } catch (cause) {
    throw notWritten(folder, cause)
  }
}

const notWritten = (path: string, cause: unknown): FerryError =>
  new FerryError(
    'state-not-written',
    'EscrowNotWritten',
    `can't write the escrow ${path}: ${fileErrorText(cause)}`,
    {
      cause,
      hint: 'no source was touched for these devices: make room or give write access, then run again',
    },
  )

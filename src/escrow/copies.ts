import { join } from 'node:path'
import { createFile } from '../state/durable-file.ts'
import { errorCodeOf, type FileSystem } from '../state/file-system.ts'

/** A place that outlives this machine, with a copy of every file of the escrow. */
export interface EscrowCopies {
  /** For people. */
  readonly place: string
  /** Returns once the file is there and was read back. @throws FerryError `EscrowNotWritten` */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** Undefined where it does not have it. @throws FerryError `EscrowMissing` */
  get(name: string): Promise<Uint8Array | undefined>
}

/** Brings a file into the folder that another machine wrote, where there are copies. */
export const bringHere = async (
  folder: string,
  name: string,
  copies: EscrowCopies | undefined,
  fs: FileSystem,
): Promise<void> => {
  if (copies === undefined || (await isHere(join(folder, name), fs))) return
  const bytes = await copies.get(name)
  if (bytes === undefined) return
  await fs.mkdir(folder, { recursive: true, mode: 0o700 })
  await createFile(join(folder, name), bytes, { fs, code: 'EscrowNotWritten' })
}

const isHere = async (file: string, fs: FileSystem): Promise<boolean> => {
  try {
    await fs.stat(file)
    return true
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return false
    throw error
  }
}

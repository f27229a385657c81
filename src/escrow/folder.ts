import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FerryError } from '../domain/errors.ts'
import type { Secret } from '../domain/secret.ts'
import { errorCodeOf, fileErrorText } from '../state/file-system.ts'
import { damagedEscrow, decryptText } from './encryption.ts'

/** Every file that a run writes into an escrow folder: records by stage, and new credentials. */
export const ESCROW_FILES = /^(?:[ABT]-\d{6,}-[0-9a-f]{8}|new-\d{6,}-[0-9a-f]{8}\.(?:jsonl|csv))\.age$/

/** The number of an escrow file; files of a folder count up together, whatever they hold. */
export const lastSequence = async (folder: string): Promise<number> => {
  const names = (await namesIn(folder)).filter((name) => ESCROW_FILES.test(name))
  return Math.max(0, ...names.map((name) => Number(name.split('-')[1])))
}

export interface NamedFile {
  readonly file: string
  readonly kind: string
  readonly sequence: number
  readonly bytes: number
}

/** The files whose name a pattern takes, oldest first; its groups `kind` and `sequence` tell what they are. */
export const namedFiles = async (folder: string, pattern: RegExp): Promise<readonly NamedFile[]> => {
  const files: NamedFile[] = []
  for (const name of await namesIn(folder)) {
    const parts = pattern.exec(name)?.groups
    if (parts === undefined) continue
    const { size } = await stat(join(folder, name)).catch((error: unknown) => {
      throw missing(join(folder, name), error)
    })
    const { kind = '', sequence } = parts
    files.push({ file: name, kind, sequence: Number(sequence), bytes: size })
  }
  return files.sort((a, b) => a.sequence - b.sequence || (a.file < b.file ? -1 : 1))
}

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return []
    throw missing(folder, error)
  }
}

/** The decrypted lines of a file. @throws FerryError `EscrowMissing`, and as `decryptText` does. */
export const readLines = async (file: string, identity: Secret): Promise<readonly string[]> => {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw missing(file, error)
  })
  const text = await decryptText(file, bytes, identity)
  return text.split('\n').slice(0, -1)
}

export const lineIn = (file: string, lines: readonly string[], line: number): string => {
  const text = lines[line]
  if (text !== undefined) return text
  throw damagedEscrow(file, `it has ${lines.length} lines, and line ${line + 1} is asked for`)
}

const missing = (path: string, cause: unknown): FerryError =>
  new FerryError('stale', 'EscrowMissing', `can't read the escrow ${path}: ${fileErrorText(cause)}`, {
    cause,
    hint: 'the state names this file: bring it back to this place, or set `escrow.path` to where it is',
  })

/** The object that a line holds; undefined for anything else. */
export const parseFields = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Throws `EscrowVersionUnknown` (kind `stale`) for a version that is another than ours. */
export const refuseVersion = (file: string, version: unknown, known: number): void => {
  if (typeof version !== 'number' || version === known) return
  throw new FerryError(
    'stale',
    'EscrowVersionUnknown',
    `the escrow file ${file} has format version ${version}, this ferry reads version ${known}`,
    { hint: 'use the version of ferry that wrote it, or a newer one' },
  )
}

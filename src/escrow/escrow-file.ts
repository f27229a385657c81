import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceRecord } from '../domain/device.ts'
import { FerryError } from '../domain/errors.ts'
import type { EscrowStage } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import { errorCodeOf, fileErrorText } from '../state/file-system.ts'
import { damagedEscrow, decryptText } from './encryption.ts'
import { recordFromJson, serialiseRecord } from './serialise.ts'

const ESCROW_FORMAT_VERSION = 1

/** `<stage>-<sequence>-<random>.age` */
export const ESCROW_NAME = /^([AB])-(\d{6,})-[0-9a-f]{8}\.age$/

/** One device in an escrow file. */
export interface EscrowEntry {
  readonly deviceId: string
  readonly stage: EscrowStage
  /** ISO 8601, UTC: when it was stored. */
  readonly at: string
  readonly record: DeviceRecord
}

/** One file of the escrow, as far as it can be told without an identity. */
export interface EscrowFile {
  /** Name in the escrow folder: `<stage>-<sequence>-<random>.age`, such as `A-000001-9f2c41d0.age`. */
  readonly file: string
  readonly stage: EscrowStage
  /** Counts up over the files of a folder. */
  readonly sequence: number
  readonly bytes: number
}

/** A line of the plaintext: JSON with `formatVersion`, `deviceId`, `stage`, `at` and `record`. */
export const formatEntry = ({ deviceId, stage, at, record }: EscrowEntry): string => {
  const head = JSON.stringify({ formatVersion: ESCROW_FORMAT_VERSION, deviceId, stage, at })
  return `${head.slice(0, -1)},"record":${serialiseRecord(record)}}`
}

/**
 * One device out of an escrow file: `line` is 0 for the first, as `EscrowPort.store` told. Throws `FerryError`:
 * `EscrowMissing` and `EscrowDamaged` (kind `stale`), `IdentityCannotDecrypt` and `IdentityInvalid` (kind
 * `credentials`), `EscrowVersionUnknown` (kind `stale`).
 *
 * @example const { record } = await readEscrow(join(folder, fact.file), fact.line, identity)
 */
export const readEscrow = async (file: string, line: number, identity: Secret): Promise<EscrowEntry> => {
  const lines = await readLines(file, identity)
  const text = lines[line]
  if (text === undefined)
    throw damagedEscrow(file, `it has ${lines.length} lines, and line ${line + 1} is asked for`)
  return parseEntry(file, line, text)
}

/** All devices of an escrow file, in the order of its lines. Throws as `readEscrow` does. */
export const readEscrowFile = async (file: string, identity: Secret): Promise<readonly EscrowEntry[]> =>
  (await readLines(file, identity)).map((text, line) => parseEntry(file, line, text))

/** The files of an escrow folder, oldest first; a folder that does not exist has none. Other files are left out. */
export const listEscrow = async (folder: string): Promise<readonly EscrowFile[]> => {
  const files: EscrowFile[] = []
  for (const name of await namesIn(folder)) {
    const parts = ESCROW_NAME.exec(name)
    if (parts === null) continue
    const { size } = await stat(join(folder, name)).catch((error: unknown) => {
      throw missing(join(folder, name), error)
    })
    files.push({ file: name, stage: parts[1] === 'A' ? 'A' : 'B', sequence: Number(parts[2]), bytes: size })
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

const readLines = async (file: string, identity: Secret): Promise<readonly string[]> => {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw missing(file, error)
  })
  const text = await decryptText(file, bytes, identity)
  return text.split('\n').slice(0, -1)
}

const missing = (path: string, cause: unknown): FerryError =>
  new FerryError('stale', 'EscrowMissing', `can't read the escrow ${path}: ${fileErrorText(cause)}`, {
    cause,
    hint: 'the state names this file: bring it back to this place, or set `escrow.path` to where it is',
  })

const parseEntry = (file: string, line: number, text: string): EscrowEntry => {
  const fields = parseFields(text)
  const version = fields?.['formatVersion']
  if (typeof version === 'number' && version !== ESCROW_FORMAT_VERSION) {
    throw new FerryError(
      'stale',
      'EscrowVersionUnknown',
      `the escrow file ${file} has format version ${version}, this ferry reads version ${ESCROW_FORMAT_VERSION}`,
      { hint: 'use the version of ferry that wrote it, or a newer one' },
    )
  }
  const { deviceId, stage, at } = fields ?? {}
  const record = recordFromJson(fields?.['record'])
  const complete = typeof deviceId === 'string' && typeof at === 'string' && (stage === 'A' || stage === 'B')
  if (version === undefined || !complete || record === undefined) {
    throw damagedEscrow(file, `line ${line + 1} holds no device`)
  }
  return { deviceId, stage, at, record }
}

const parseFields = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

import type { DeviceRecord } from '../domain/device.ts'
import { ESCROW_STAGES, type EscrowStage } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import { damagedEscrow } from './encryption.ts'
import { lineIn, namedFiles, parseFields, readLines, refuseVersion } from './folder.ts'
import { recordFromJson, serialiseRecord } from './serialise.ts'

const ESCROW_FORMAT_VERSION = 1

/** `<stage>-<sequence>-<random>.age` */
const ESCROW_NAME = /^(?<kind>[ABT])-(?<sequence>\d{6,})-[0-9a-f]{8}\.age$/

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
  return parseEntry(file, line, lineIn(file, await readLines(file, identity), line))
}

/** All devices of an escrow file, in the order of its lines. Throws as `readEscrow` does. */
export const readEscrowFile = async (file: string, identity: Secret): Promise<readonly EscrowEntry[]> =>
  (await readLines(file, identity)).map((text, line) => parseEntry(file, line, text))

/** The files of an escrow folder, oldest first; a folder that does not exist has none. Other files are left out. */
export const listEscrow = async (folder: string): Promise<readonly EscrowFile[]> =>
  (await namedFiles(folder, ESCROW_NAME)).map(({ kind, ...file }) => ({
    ...file,
    stage: isStage(kind) ? kind : 'A',
  }))

/** A line of the plaintext of a file; throws as `readEscrow` does. */
export const parseEntry = (file: string, line: number, text: string): EscrowEntry => {
  const fields = parseFields(text)
  refuseVersion(file, fields?.['formatVersion'], ESCROW_FORMAT_VERSION)
  const { deviceId, stage, at } = fields ?? {}
  const record = recordFromJson(fields?.['record'])
  const complete = typeof deviceId === 'string' && typeof at === 'string' && isStage(stage)
  if (fields?.['formatVersion'] === undefined || !complete || record === undefined) {
    throw damagedEscrow(file, `line ${line + 1} holds no device`)
  }
  return { deviceId, stage, at, record }
}

const isStage = (stage: unknown): stage is EscrowStage => ESCROW_STAGES.some((each) => each === stage)

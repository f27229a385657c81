import { FerryError } from '../domain/errors.ts'
import { type JournalRecord, STATE_FORMAT_VERSION } from '../domain/journal.ts'
import { errorCodeOf, type FileSystem, fileErrorText, nodeFiles } from './file-system.ts'
import { isRecordKind, parseLine, type StateHeader } from './format.ts'

export type StateRead =
  | { readonly status: 'absent' }
  | {
      readonly status: 'read'
      readonly header: StateHeader
      /** Oldest first. */
      readonly records: readonly JournalRecord[]
      /** Number of records since the state began, those that a compaction took out included. */
      readonly serial: number
      /** The last line was not written to its end; `openJournal` cuts it. Nothing depended on it yet. */
      readonly tornTail: boolean
    }

/** What is wrong with a state file: from this line (1 first) and byte (0 first) on it can't be trusted. */
interface StateFault {
  readonly kind: 'empty' | 'version' | 'damaged' | 'torn'
  readonly line: number
  readonly offset: number
  /** What the header says, for `version`. */
  readonly version?: string
}

/** The valid beginning of a state file, and what follows it. */
export interface StateScan {
  readonly header: StateHeader | undefined
  readonly records: readonly JournalRecord[]
  /** Length of the valid beginning. */
  readonly validBytes: number
  /** `h` of its last line. */
  readonly hash: string
  readonly fault: StateFault | undefined
}

/**
 * Reads a state file and checks every line. No file is `absent`; an empty one is damage, since ferry never leaves
 * one. Throws `FerryError` of kind `stale`: `StateDamaged`, `StateVersionUnknown`, and with `lineage` given
 * `StateOfAnotherPlan`; `StateUnreadable` where the system refuses. Damage is never taken for "nothing was done".
 *
 * @example const state = await readState('plans/building-a.state.jsonl', { lineage: lineageOf(plan) })
 */
export const readState = async (
  file: string,
  options: { readonly lineage?: string; readonly fs?: FileSystem } = {},
): Promise<StateRead> => {
  const records: JournalRecord[] = []
  const read = await foldStateFile(file, (record) => records.push(record), options)
  return read.status === 'absent' ? read : { ...read, records }
}

/** What a state is, without its records. */
export type StateSummary =
  | { readonly status: 'absent' }
  | Omit<Extract<StateRead, { status: 'read' }>, 'records'>

/**
 * As `readState`, and hands out each record in its order in place of keeping them. Until it returns they may be of a damaged file.
 * `onScanned` is told how the file was.
 */
export const foldStateFile = async (
  file: string,
  onRecord: (record: JournalRecord) => void,
  options: {
    readonly lineage?: string
    readonly fs?: FileSystem
    readonly onScanned?: (scan: ScannedFile) => void
  } = {},
): Promise<StateSummary> => {
  const scan = await scanStateFile(file, options.fs ?? nodeFiles, onRecord)
  if (scan === undefined) return { status: 'absent' }
  options.onScanned?.(scan)
  const { header, tornTail } = trustedState(file, scan, options.lineage)
  return { status: 'read', header, serial: serialOf(header, scan.count), tornTail }
}

export const serialOf = (header: StateHeader, records: number): number => (header.serialBase ?? 0) + records

/** Bytes of the file; undefined where there is none. */
export const readStateBytes = async (file: string, fs: FileSystem): Promise<Buffer | undefined> => {
  try {
    return await fs.readFile(file)
  } catch (cause) {
    if (errorCodeOf(cause) === 'ENOENT') return undefined
    throw unreadable(file, cause)
  }
}

const unreadable = (file: string, cause: unknown): FerryError =>
  new FerryError('stale', 'StateUnreadable', `can't read the state file ${file}: ${fileErrorText(cause)}`, {
    cause,
    hint: 'give read access to it and run again',
  })

/** Checks line by line, and stops at the first that is wrong; a wrong last line after the header is torn. */
export const scanState = (bytes: Uint8Array): StateScan => {
  const records: JournalRecord[] = []
  const scanner = scanLines((record) => records.push(record))
  scanner.take(bytes, true)
  return { ...scanner.end(), records }
}

/** The valid beginning of a state file that was not kept in memory. */
type StateEnd = Omit<StateScan, 'records'> & { readonly count: number }

/** A whole scan, and what the file was then: one that is still so need not be scanned again. */
export interface ScannedFile extends StateEnd {
  readonly size: number
  readonly ino: number
  readonly mtimeMs: number
}

/** So much of a file is in memory at once, and is folded before anybody else has a turn: some ten milliseconds. */
const PIECE = 2 ** 19

/**
 * Scans a file piece by piece, and hands out each record as it is read: the state of a large fleet is larger than what is known from
 * it. Undefined where there is no file. @throws FerryError `StateUnreadable`
 */
export const scanStateFile = async (
  file: string,
  fs: FileSystem,
  onRecord: (record: JournalRecord) => void = () => undefined,
): Promise<ScannedFile | undefined> => {
  const scanner = scanLines(onRecord)
  let size = 0
  let was = { ino: 0, mtimeMs: 0 }
  try {
    const handle = await fs.open(file, 'r')
    try {
      const { size: told, ino, mtimeMs } = await handle.stat()
      was = { ino, mtimeMs }
      let left: Buffer = Buffer.alloc(0)
      for (;;) {
        // At its end one byte is asked for, which shows that it is the end.
        const piece = Buffer.allocUnsafe(Math.max(1, Math.min(PIECE, told - size)))
        const { bytesRead } = await handle.read(piece, 0, piece.length, size)
        size += bytesRead
        const bytes =
          left.length === 0
            ? piece.subarray(0, bytesRead)
            : Buffer.concat([left, piece.subarray(0, bytesRead)])
        const taken = scanner.take(bytes, bytesRead === 0)
        if (bytesRead === 0) break
        left = bytes.subarray(taken)
      }
    } finally {
      await handle.close()
    }
  } catch (cause) {
    const code = errorCodeOf(cause)
    if (code === 'ENOENT') return undefined
    // Without a code it is none of the system: whoever takes the records has failed.
    throw code === undefined ? cause : unreadable(file, cause)
  }
  return { ...scanner.end(), ...was, size }
}

interface Scanner {
  /**
   * Takes whole lines from the front, the last of them only where `isEnd` says that nothing follows; what was wrong is remembered.
   * @returns how many bytes were taken
   */
  take(bytes: Uint8Array, isEnd: boolean): number
  end(): StateEnd
}

const scanLines = (onRecord: (record: JournalRecord) => void): Scanner => {
  let header: StateHeader | undefined
  let hash = ''
  let offset = 0
  let count = 0
  let number = 1
  let fault: StateFault | undefined

  const takeLine = (text: Uint8Array, isWhole: boolean, isLast: boolean): void => {
    const parsed = isWhole ? parseLine(hash, text) : undefined
    if (header === undefined) {
      const version = versionOf(text)
      if (version !== undefined) fault = { kind: 'version', line: number, offset, version }
      else if (isHeader(parsed?.content)) header = parsed.content
      else fault = { kind: 'damaged', line: number, offset }
    } else if (isRecord(parsed?.content)) {
      onRecord(parsed.content)
      count += 1
    } else fault = { kind: isLast && isTorn(text) ? 'torn' : 'damaged', line: number, offset }
    if (fault !== undefined) return
    hash = parsed?.hash ?? ''
    offset += text.length + 1
    number += 1
  }

  return {
    take: (bytes, isEnd) => {
      let at = 0
      while (fault === undefined && at < bytes.length) {
        const newline = bytes.indexOf(0x0a, at)
        const next = newline === -1 ? bytes.length : newline + 1
        // Whether a wrong line is the last one decides what it is.
        if (next === bytes.length && !isEnd) break
        takeLine(bytes.subarray(at, newline === -1 ? next : newline), newline !== -1, next === bytes.length)
        at = next
      }
      return fault === undefined ? at : bytes.length
    },
    end: () => {
      const isEmpty = fault === undefined && header === undefined
      const found = isEmpty ? ({ kind: 'empty', line: 1, offset: 0 } as const) : fault
      return { header, count, validBytes: offset, hash, fault: found }
    },
  }
}

/**
 * Whether a wrong last line can be what a kill or power cut left: not if it holds a whole line and more, as when the
 * newline between two lines was damaged. (Quotes within a text are escaped, so no text looks like the end of a line.)
 */
const isTorn = (line: Uint8Array): boolean =>
  !/,"h":"[0-9a-f]{16}"\}[\s\S]/.test(Buffer.from(line).toString('latin1'))

/** The scan as a state to go on from; throws for everything but a whole file and a torn last line. */
export const trustedState = (
  file: string,
  scan: Pick<StateScan, 'header' | 'fault'>,
  lineage: string | undefined,
): { readonly header: StateHeader; readonly tornTail: boolean } => {
  const { header, fault } = scan
  if (fault?.kind === 'version') {
    throw new FerryError(
      'stale',
      'StateVersionUnknown',
      `the state file ${file} has format version ${fault.version}, this ferry reads version ${STATE_FORMAT_VERSION}`,
      { hint: 'use the version of ferry that wrote it, or a newer one' },
    )
  }
  if (header === undefined || (fault !== undefined && fault.kind !== 'torn')) throw damaged(file, fault)
  if (lineage !== undefined && header.lineage !== lineage) {
    throw new FerryError(
      'stale',
      'StateOfAnotherPlan',
      `the state file ${file} belongs to plan ${header.name} (${endText(header.source)} to ${endText(header.target)})`,
      {
        hint: 'set the name, source and target that it was begun with, or name another state file in the plan',
      },
    )
  }
  return { header, tornTail: fault?.kind === 'torn' }
}

const damaged = (file: string, fault: StateFault | undefined): FerryError => {
  const place = `line ${fault?.line ?? 1} (byte ${fault?.offset ?? 0})`
  const what = fault?.kind === 'empty' ? `is empty` : `is damaged at ${place}`
  return new FerryError('stale', 'StateDamaged', `the state file ${file} ${what}`, {
    hint: 'restore it from a copy, or run `ferry state repair`, which keeps what comes before and the damaged file',
  })
}

const endText = ({ host, application }: StateHeader['source']): string => `${application} on ${host}`

/** The version that a first line claims, if it is another than ours, whatever else the line holds. */
const versionOf = (line: Uint8Array): string | undefined => {
  try {
    const content: unknown = JSON.parse(Buffer.from(line).toString('utf8'))
    if (!hasMember(content, 't') || content.t !== 'header' || !hasMember(content, 'formatVersion'))
      return undefined
    return content.formatVersion === STATE_FORMAT_VERSION ? undefined : JSON.stringify(content.formatVersion)
  } catch {
    return undefined
  }
}

const hasMember = <K extends string>(value: unknown, key: K): value is Record<K, unknown> =>
  typeof value === 'object' && value !== null && key in value

const isHeader = (content: object | undefined): content is StateHeader =>
  hasMember(content, 't') &&
  content.t === 'header' &&
  hasMember(content, 'lineage') &&
  typeof content.lineage === 'string' &&
  content.lineage !== '' &&
  hasMember(content, 'source') &&
  hasMember(content, 'target')

const isRecord = (content: object | undefined): content is JournalRecord =>
  hasMember(content, 't') && isRecordKind(content.t)

import { basename, dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { FerryError } from '../domain/errors.ts'
import type { JournalRecord } from '../domain/journal.ts'
import { removeLeftovers, replaceFile } from './durable-file.ts'
import { type FileSystem, nodeFiles } from './file-system.ts'
import { formatLines } from './format.ts'
import { readStateBytes, scanState, serialOf, trustedState } from './read-state.ts'

export type CompactReport =
  | { readonly status: 'absent' }
  | {
      readonly status: 'compacted'
      /** Records before and after. */
      readonly before: number
      readonly after: number
      /** The same before and after: the state says what it said, so a saved change set stays valid. */
      readonly serial: number
    }

/**
 * Rewrites a state file without the records that later ones made void. Hold the lock. The new file takes the place
 * of the old one whole or not at all. With `fold`, what it makes of the records before and after is compared, and
 * a difference leaves the file as it is (`CompactionChangesState`, kind `unexpected`). Throws as `readState` does.
 */
export const compactState = async (
  file: string,
  options: {
    readonly lineage?: string
    readonly fold?: (records: readonly JournalRecord[]) => unknown
    readonly fs?: FileSystem
  } = {},
): Promise<CompactReport> => {
  const fs = options.fs ?? nodeFiles
  const bytes = await readStateBytes(file, fs)
  if (bytes === undefined) return { status: 'absent' }
  const { header, records } = trustedState(file, scanState(bytes), options.lineage)
  const kept = compactRecords(records)
  const { fold } = options
  if (fold !== undefined && !isDeepStrictEqual(fold(records), fold(kept))) {
    throw new FerryError(
      'unexpected',
      'CompactionChangesState',
      `compacting ${file} would change its meaning`,
      {
        hint: 'the file is as it was; report this, with the file',
      },
    )
  }
  const serial = serialOf(header, records.length)
  const lines = formatLines('', [{ ...header, serialBase: serial - kept.length }, ...kept])
  await removeLeftovers(dirname(file), basename(file), fs)
  await replaceFile(file, Buffer.from(lines.text), { fs, code: 'StateNotWritten' })
  return { status: 'compacted', before: records.length, after: kept.length, serial }
}

/**
 * The records that still count, in their order: of each device its last `begin` and all after it, every fact, and
 * the earlier `begin` and `undone` that come after a fact (they say which facts are void); of the runs the last one,
 * and those that never closed.
 */
export const compactRecords = (records: readonly JournalRecord[]): readonly JournalRecord[] => {
  const lastBegin = new Map<string, number>()
  const firstFact = new Map<string, number>()
  const closed = new Set<string>()
  let lastRun: string | undefined
  for (const [index, record] of records.entries()) {
    if (record.t === 'begin') lastBegin.set(record.device, index)
    if (record.t === 'fact' && !firstFact.has(record.device)) firstFact.set(record.device, index)
    if (record.t === 'open') lastRun = record.run
    if (record.t === 'close') closed.add(record.run)
  }
  const counts = (record: JournalRecord, index: number): boolean => {
    if (record.t === 'open' || record.t === 'close') return record.run === lastRun || !closed.has(record.run)
    if (record.t === 'fact' || index >= (lastBegin.get(record.device) ?? 0)) return true
    if (record.t === 'intent' || record.t === 'outcome') return false
    const fact = firstFact.get(record.device)
    return fact !== undefined && fact < index
  }
  return records.filter(counts)
}

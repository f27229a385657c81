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
 * every `begin` and `undone`, which say what is void and what is not. Of earlier crossings one intent a step stays
 * since the last `undone`: it is what tells that a record on the target is of our making, and a compaction that
 * lost this would turn our own half-made devices into strangers. Of the runs the last stays, and those that never closed.
 */
export const compactRecords = (records: readonly JournalRecord[]): readonly JournalRecord[] => {
  const lastBegin = new Map<string, number>()
  const closed = new Set<string>()
  let lastRun: string | undefined
  for (const [index, record] of records.entries()) {
    if (record.t === 'begin') lastBegin.set(record.device, index)
    if (record.t === 'open') lastRun = record.run
    if (record.t === 'close') closed.add(record.run)
  }
  const begunSteps = new Map<string, Set<string>>()
  const isFirstIntent = (device: string, step: string): boolean => {
    const steps = begunSteps.get(device) ?? new Set()
    begunSteps.set(device, steps)
    if (steps.has(step)) return false
    steps.add(step)
    return true
  }
  const counts = (record: JournalRecord, index: number): boolean => {
    switch (record.t) {
      case 'open':
      case 'close':
        return record.run === lastRun || !closed.has(record.run)
      case 'undone':
        begunSteps.delete(record.device)
        return true
      case 'begin':
      case 'fact':
        return true
      case 'outcome':
        return index >= (lastBegin.get(record.device) ?? 0)
      case 'intent':
        return index >= (lastBegin.get(record.device) ?? 0) || isFirstIntent(record.device, record.step)
    }
  }
  return records.filter(counts)
}

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

/** What the records mean to the engine. The records of one device must decide what it says of that device. */
export type StateFold = (records: readonly JournalRecord[]) => unknown

/**
 * Rewrites a state file without the records that later ones made void, as far as `fold` makes the same of what is
 * left. Hold the lock. The new file takes the place of the old one whole or not at all. If the fold of the whole
 * should differ all the same, the file stays as it is (`CompactionChangesState`, kind `unexpected`). Throws as
 * `readState` does.
 *
 * @example await compactState(file, { fold: foldState })
 */
export const compactState = async (
  file: string,
  options: { readonly fold: StateFold; readonly lineage?: string; readonly fs?: FileSystem },
): Promise<CompactReport> => {
  const fs = options.fs ?? nodeFiles
  const bytes = await readStateBytes(file, fs)
  if (bytes === undefined) return { status: 'absent' }
  const scan = scanState(bytes)
  const { header } = trustedState(file, scan, options.lineage)
  const { records } = scan
  const kept = compactRecords(records, options.fold)
  if (!isDeepStrictEqual(options.fold(records), options.fold(kept))) {
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
 * The records that still count, in their order. Of the runs: the last one, and those that never closed. Of each
 * device: the fewest of `REDUCTIONS` from which `fold` makes the same as from all. An earlier crossing is not
 * always void: it may tell that a record on the target is of our making, and a compaction that lost this would
 * turn our own half-made devices into strangers. So the engine's fold decides, and not a rule of this file.
 */
export const compactRecords = (
  records: readonly JournalRecord[],
  fold: StateFold,
): readonly JournalRecord[] => {
  const compaction = compacting(fold)
  compaction.add(records)
  return compaction.kept()
}

/** A state that grows, and what of it still counts: only devices with new records are looked at again. */
export interface Compaction {
  add(records: readonly JournalRecord[]): void
  kept(): readonly JournalRecord[]
}

export const compacting = (fold: StateFold): Compaction => {
  const all: JournalRecord[] = []
  const byDevice = new Map<string, { readonly entries: DeviceEntry[]; fewest?: readonly DeviceEntry[] }>()
  return {
    add: (records) => {
      for (const record of records) {
        all.push(record)
        if (record.t === 'open' || record.t === 'close') continue
        const entries = byDevice.get(record.device)?.entries ?? []
        entries.push(record)
        byDevice.set(record.device, { entries })
      }
    },
    kept: () => {
      const kept = new Set<JournalRecord>(runsThatCount(all))
      for (const device of byDevice.values()) {
        device.fewest ??= fewestOf(device.entries, fold)
        for (const record of device.fewest) kept.add(record)
      }
      return all.filter((record) => kept.has(record))
    },
  }
}

const fewestOf = (entries: readonly DeviceEntry[], fold: StateFold): readonly DeviceEntry[] => {
  const meaning = fold(entries)
  const fewest = REDUCTIONS.map((reduce) => reduce(entries)).find((some) =>
    isDeepStrictEqual(fold(some), meaning),
  )
  return fewest ?? entries
}

type DeviceEntry = Exclude<JournalRecord, { readonly t: 'open' | 'close' }>

/** From few records to many: the last crossing and all facts; also what began and undid; also how each step ended. */
const REDUCTIONS: readonly ((entries: readonly DeviceEntry[]) => readonly DeviceEntry[])[] = [
  (entries) => withLastCrossing(entries, ({ t }) => t === 'fact'),
  (entries) => withLastCrossing(entries, ({ t }) => t === 'fact' || t === 'begin' || t === 'undone'),
  (entries) => {
    const ends = lastOfEachStep(entries)
    return withLastCrossing(entries, (entry) => entry.t === 'fact' || ends.has(entry))
  },
]

/** The last `begin` and all after it, and of the entries before those that are wanted. */
const withLastCrossing = (
  entries: readonly DeviceEntry[],
  wanted: (entry: DeviceEntry) => boolean,
): readonly DeviceEntry[] => {
  const lastBegin = Math.max(
    0,
    entries.findLastIndex(({ t }) => t === 'begin'),
  )
  return entries.filter((entry, index) => index >= lastBegin || wanted(entry))
}

/** Every `begin` and `undone`, and between them the last intent and the last outcome of each step. */
const lastOfEachStep = (entries: readonly DeviceEntry[]): ReadonlySet<DeviceEntry> => {
  const ends = new Set<DeviceEntry>()
  let open = new Map<string, DeviceEntry>()
  const close = (): void => {
    for (const entry of open.values()) ends.add(entry)
    open = new Map()
  }
  for (const entry of entries) {
    if (entry.t === 'begin' || entry.t === 'undone') {
      close()
      ends.add(entry)
    } else if (entry.t !== 'fact') {
      open.set(`${entry.t} ${entry.step}`, entry)
    }
  }
  close()
  return ends
}

const runsThatCount = (records: readonly JournalRecord[]): readonly JournalRecord[] => {
  const closed = new Set<string>()
  let last: string | undefined
  for (const record of records) {
    if (record.t === 'open') last = record.run
    if (record.t === 'close') closed.add(record.run)
  }
  return records.filter(
    (record) =>
      (record.t === 'open' || record.t === 'close') && (record.run === last || !closed.has(record.run)),
  )
}

import type { History, RunHistory, WaveHistory } from '../../domain/history.ts'
import type { JournalRecord } from '../../domain/journal.ts'
import { foldState } from './fold.ts'

type Counted = 'begun' | 'served' | 'heard' | 'failed' | 'undone'

/** What a record adds to the run in which it was written. */
const countedAs = (record: JournalRecord): Counted | undefined => {
  switch (record.t) {
    case 'begin':
      return record.because === undefined ? 'begun' : undefined
    case 'outcome':
      if (record.status === 'failed') return 'failed'
      return record.step === 'unmute-target' && record.status !== 'unknown' ? 'served' : undefined
    case 'fact':
      return record.fact.name === 'heard' ? 'heard' : undefined
    case 'undone':
      return 'undone'
    default:
      return undefined
  }
}

const NONE = { begun: 0, served: 0, heard: 0, failed: 0, undone: 0 }

/** One run after the other: a state is locked while one is at work. What stands before the first is of runs that were compacted away. */
const runsOf = (records: readonly JournalRecord[]): readonly RunHistory[] => {
  const runs: { -readonly [K in keyof RunHistory]: RunHistory[K] }[] = []
  for (const record of records) {
    if (record.t === 'open') {
      runs.push({ run: record.run, command: record.command, began: record.at, ...NONE })
      continue
    }
    const run = runs.at(-1)
    if (run === undefined) continue
    if (record.t === 'close') {
      run.ended = record.at
      run.result = record.result
      continue
    }
    const counted = countedAs(record)
    if (counted !== undefined) run[counted] += 1
  }
  return runs
}

const ascending = (times: readonly (string | undefined)[]): readonly number[] =>
  times
    .flatMap((time) => (time === undefined ? [] : [Date.parse(time)]))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b)

/** The runs of a state and the way of its devices through time. Pure: the same records give the same history. */
export const historyOf = (records: readonly JournalRecord[]): History => {
  const progress = [...foldState(records).values()]
  const begins = new Map<string, string>()
  for (const record of records)
    if (record.t === 'begin' && !begins.has(record.device)) begins.set(record.device, record.at)
  const waves = new Map<string, WaveHistory>()
  for (const { wave, device, unmutedAt, heard } of progress) {
    if (wave === undefined) continue
    const began = begins.get(device) ?? ''
    const known = waves.get(wave) ?? { wave, devices: 0, served: 0, heard: 0, began }
    waves.set(wave, {
      wave,
      devices: known.devices + 1,
      served: known.served + Number(unmutedAt !== undefined),
      heard: known.heard + Number(heard !== undefined),
      began: began < known.began ? began : known.began,
    })
  }
  return {
    runs: runsOf(records),
    waves: [...waves.values()].sort((a, b) => (a.began < b.began ? -1 : 1)),
    begun: ascending([...begins.values()]),
    served: ascending(progress.map(({ unmutedAt }) => unmutedAt)),
    heard: ascending(progress.map(({ heard }) => heard?.at)),
  }
}

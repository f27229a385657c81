import type { History, RunHistory, WaveHistory } from '../../domain/history.ts'
import type { JournalRecord } from '../../domain/journal.ts'
import type { DeviceProgress, Progress } from './progress.ts'

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
const addToRuns = (runs: MutableRun[], record: JournalRecord): void => {
  if (record.t === 'open') {
    runs.push({ run: record.run, command: record.command, began: record.at, ...NONE })
    return
  }
  const run = runs.at(-1)
  if (run === undefined) return
  if (record.t === 'close') {
    run.ended = record.at
    run.result = record.result
    return
  }
  const counted = countedAs(record)
  if (counted !== undefined) run[counted] += 1
}

type MutableRun = { -readonly [K in keyof RunHistory]: RunHistory[K] }

const ascending = (times: readonly (string | undefined)[]): readonly number[] =>
  times
    .flatMap((time) => (time === undefined ? [] : [Date.parse(time)]))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b)

export interface HistoryTaker {
  /** Each record of the state, in their order. */
  take(record: JournalRecord): void
  /** What the records taken so far come to, with the fold of the same records. */
  historyOf(progress: Progress): History
}

/** The runs of a state and the way of its devices through time, from records that nobody keeps. */
export const takeHistory = (): HistoryTaker => {
  const runs: MutableRun[] = []
  /** When each device began first. */
  const begins = new Map<string, string>()
  return {
    take: (record) => {
      addToRuns(runs, record)
      if (record.t === 'begin' && !begins.has(record.device)) begins.set(record.device, record.at)
    },
    historyOf: (progress) => {
      const devices = [...progress.values()]
      return {
        runs,
        waves: wavesOf(devices, begins),
        begun: ascending([...begins.values()]),
        served: ascending(devices.map(({ unmutedAt }) => unmutedAt)),
        heard: ascending(devices.map(({ heard }) => heard?.at)),
      }
    },
  }
}

/** In the order in which they began. */
const wavesOf = (
  devices: readonly DeviceProgress[],
  begins: ReadonlyMap<string, string>,
): readonly WaveHistory[] => {
  const waves = new Map<string, WaveHistory>()
  for (const { wave, device, unmutedAt, heard } of devices) {
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
  return [...waves.values()].sort((a, b) => (a.began < b.began ? -1 : 1))
}

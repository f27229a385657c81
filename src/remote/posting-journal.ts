import type { JournalRecord, StepName } from '../domain/journal.ts'
import type { Compaction } from '../state/compact-state.ts'
import type { Journal } from '../state/journal.ts'

export interface PostingOptions {
  /** The state file of this machine. */
  readonly journal: Journal
  /** Holds the records of the file so far. */
  readonly compaction: Compaction
  /** Returns once the address holds the compacted state. */
  readonly post: (records: readonly JournalRecord[], serial: number) => Promise<void>
  /** Whether the address holds less than the file. */
  readonly isBehind: boolean
}

/**
 * Writes that the next run does again whatever it knows of them: source and target are silent until the unmute, which is
 * posted. Posts between them would only make that silence longer.
 */
const DONE_AGAIN: readonly StepName[] = [
  'final-network',
  'final-start-time',
  'final-join',
  'final-application',
]

const mustBePosted = (record: JournalRecord): boolean =>
  record.t === 'intent' && !DONE_AGAIN.includes(record.step)

/** Milliseconds that a post waits at most for more devices to share it. */
const LONGEST_GATHERING = 1_000

/**
 * A journal whose intents are at the address, too, before `append` returns: no network is told anything that the next
 * runner could not know of. Intents that come together share a post, and what came of those before goes with it. The file
 * has every record first, and stays the finer of the two.
 *
 * After a post that failed no intent is taken any more, so nothing new is begun; outcomes are still written to the file.
 */
export const postingJournal = ({ journal, compaction, post, isBehind }: PostingOptions): Journal => {
  let waiting: { resolve(): void; reject(error: unknown): void }[] = []
  let failure: { readonly error: unknown } | undefined
  let behind = isBehind
  let draining: Promise<void> | undefined
  let took = 0
  // Of what the compaction holds: the file may be ahead of it by what was written and not added yet.
  let serial = journal.serial

  const postAll = async (): Promise<void> => {
    const began = performance.now()
    behind = false
    await post(compaction.kept(), serial)
    took = performance.now() - began
  }

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      // As long as a post takes: half of the time at most goes into waiting, and a slow server is asked less often.
      await new Promise((resolve) => setTimeout(resolve, Math.min(took, LONGEST_GATHERING)))
      const group = waiting
      waiting = []
      try {
        if (failure !== undefined) throw failure.error
        await postAll()
        for (const one of group) one.resolve()
      } catch (error) {
        failure ??= { error }
        for (const one of group) one.reject(failure.error)
      }
    }
    draining = undefined
  }

  const posted = (): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      draining ??= drain()
    })

  return {
    lineage: journal.lineage,
    tornTail: journal.tornTail,
    get serial() {
      return journal.serial
    },
    append: async (records) => {
      const isIntent = records.some(mustBePosted)
      if (isIntent && failure !== undefined) throw failure.error
      await journal.append(records)
      compaction.add(records)
      serial += records.length
      if (records.length > 0) behind = true
      if (isIntent) await posted()
    },
    close: async () => {
      await draining
      try {
        if (behind && failure === undefined) await postAll()
      } finally {
        await journal.close()
      }
    },
  }
}

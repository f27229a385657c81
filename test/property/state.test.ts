import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JournalRecord } from '../../src/domain/journal.ts'
import { foldState } from '../../src/engine/progress/fold.ts'
import { compactRecords, compactState } from '../../src/state/compact-state.ts'
import { formatLines, headerOf, lineageOf } from '../../src/state/format.ts'
import { openJournal } from '../../src/state/journal.ts'
import { readState } from '../../src/state/read-state.ts'
import { repairState } from '../../src/state/repair-state.ts'
import { journalRecord } from '../unit/state/arbitraries.ts'
import { journalOptions, owner } from '../unit/state/support.ts'

const records = fc.array(journalRecord, { maxLength: 40 })

const inFolder = async (action: (file: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-test-'))
  try {
    await action(join(folder, 'building-a.state.jsonl'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const recordsIn = async (file: string): Promise<readonly JournalRecord[]> => {
  const state = await readState(file)
  return state.status === 'read' ? state.records : []
}

const textOf = (all: readonly JournalRecord[]): string =>
  formatLines('', [headerOf(lineageOf(owner), owner), ...all]).text

test('what is appended in any groups is what is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(records, { maxLength: 6 }), (groups) =>
      inFolder(async (file) => {
        const journal = await openJournal(journalOptions(file))
        await Promise.all(groups.map((group) => journal.append(group)))
        await journal.close()
        expect(await recordsIn(file)).toEqual(groups.flat())
        expect(journal.serial).toBe(groups.flat().length)
      }),
    ),
    { numRuns: 60 },
  )
})

test('a compaction changes neither what the state means, nor its serial, and doing it twice changes nothing more', async () => {
  await fc.assert(
    fc.property(records, (all) => {
      const kept = compactRecords(all, foldState)
      expect(foldState(kept)).toEqual(foldState(all))
      expect(compactRecords(kept, foldState)).toEqual(kept)
      const facts = (list: readonly JournalRecord[]) => list.filter(({ t }) => t === 'fact')
      expect(facts(kept)).toEqual(facts(all))
    }),
    { numRuns: 1000 },
  )
  await fc.assert(
    fc.asyncProperty(records, (all) =>
      inFolder(async (file) => {
        await writeFile(file, textOf(all))
        const report = await compactState(file, { fold: foldState })
        expect(report).toMatchObject({ status: 'compacted', serial: all.length, before: all.length })
        expect(await readState(file)).toMatchObject({ status: 'read', serial: all.length })
        expect(foldState(await recordsIn(file))).toEqual(foldState(all))
      }),
    ),
    { numRuns: 40 },
  )
})

test('a fold to which every record matters loses none', () => {
  const perDevice = (all: readonly JournalRecord[]) => all.filter(({ t }) => t !== 'open' && t !== 'close')
  fc.assert(
    fc.property(records, (all) => {
      expect(perDevice(compactRecords(all, perDevice))).toEqual(perDevice(all))
    }),
  )
})

test('going on after a compaction means the same as going on without', () => {
  fc.assert(
    fc.property(records, records, (before, after) => {
      expect(foldState([...compactRecords(before, foldState), ...after])).toEqual(
        foldState([...before, ...after]),
      )
    }),
    { numRuns: 500 },
  )
})

test('whatever is done to the bytes, a state is read whole, cut at its end, or refused; and a repair makes it readable', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(journalRecord, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (all, where, change) =>
        inFolder(async (file) => {
          const bytes = Buffer.from(textOf(all))
          const position = where % bytes.length
          bytes[position] = (bytes[position] ?? 0) ^ change
          await writeFile(file, bytes)
          const outcome = await readState(file).catch((error: { readonly kind?: string }) => error.kind)
          if (typeof outcome === 'object')
            expect(outcome).toMatchObject({ tornTail: true, serial: all.length - 1 })
          else expect(outcome).toBe('stale')
          const repair = await repairState(file, { plan: { ...owner, lineage: lineageOf(owner) } }).catch(
            () => undefined,
          )
          if (repair === undefined) {
            expect(await readFile(file)).toEqual(bytes)
          } else {
            const kept = await recordsIn(file)
            expect(kept).toEqual(all.slice(0, kept.length))
          }
        }),
    ),
    { numRuns: 150 },
  )
})

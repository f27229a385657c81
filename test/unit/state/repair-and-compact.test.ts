import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import { compactState } from '../../../src/state/compact-state.ts'
import { formatLines, headerOf, lineageOf } from '../../../src/state/format.ts'
import { openJournal } from '../../../src/state/journal.ts'
import { readState } from '../../../src/state/read-state.ts'
import { repairState } from '../../../src/state/repair-state.ts'
import {
  failureOf,
  failWith,
  journalOptions,
  numbered,
  numbersOf,
  owner,
  temporaryFolder,
  watchedFiles,
} from './support.ts'

const lineage = lineageOf(owner)
const plan = { ...owner, lineage }

const stateOf = (records: readonly JournalRecord[], serialBase = 0): Buffer =>
  Buffer.from(formatLines('', [headerOf(lineage, owner, serialBase), ...records]).text)

const write = async (bytes: string | Uint8Array): Promise<string> => {
  const file = join(await temporaryFolder(), 'building-a.state.jsonl')
  await writeFile(file, bytes)
  return file
}

const numbersIn = async (file: string): Promise<readonly number[]> => {
  const state = await readState(file)
  return state.status === 'read' ? numbersOf(state.records) : []
}

const five = [0, 1, 2, 3, 4].map(numbered)

test('a repair keeps what comes before the damage, and the damaged file', async () => {
  const damaged = stateOf(five)
  const third = damaged.indexOf('meter-2')
  damaged[third] = 0x58
  const file = await write(damaged)
  await writeFile(`${file}.damaged-1`, 'of an earlier repair')
  expect(await repairState(file)).toMatchObject({
    status: 'repaired',
    line: 4,
    kept: 2,
    dropped: 3,
    serial: 2,
    devices: ['Xeter-2', 'meter-3', 'meter-4'],
    damagedFile: `${file}.damaged-2`,
    headerRebuilt: false,
  })
  expect(await numbersIn(file)).toEqual([0, 1])
  expect(await readFile(`${file}.damaged-2`)).toEqual(damaged)
  expect((await stat(`${file}.damaged-2`)).mode & 0o777).toBe(0o600)
  const journal = await openJournal(journalOptions(file))
  await journal.append([numbered(9)])
  await journal.close()
  expect(await numbersIn(file)).toEqual([0, 1, 9])
})

test('a repair touches neither a sound file nor an absent one', async () => {
  const file = await write(stateOf(five))
  expect(await repairState(file)).toEqual({ status: 'sound' })
  expect(await repairState(`${file}.none`)).toEqual({ status: 'absent' })
  expect(await readdir(join(file, '..'))).toEqual(['building-a.state.jsonl'])
})

test('a damaged header is rebuilt from the plan, where the next line proves it', async () => {
  for (const serialBase of [0, 17]) {
    const damaged = stateOf(five, serialBase)
    damaged[damaged.indexOf('building-a')] = 0x58
    const file = await write(damaged)
    expect(await failureOf(() => repairState(file))).toBe('stale StateUnrepairable')
    expect(await failureOf(() => repairState(file, { plan: { ...plan, name: 'other' } }))).toBe(
      'stale StateUnrepairable',
    )
    expect(await repairState(file, { plan })).toMatchObject({
      kept: 5,
      dropped: 0,
      headerRebuilt: true,
      serial: 5 + serialBase,
    })
    expect(await numbersIn(file)).toEqual([0, 1, 2, 3, 4])
  }
})

test('an empty file becomes an empty state only by a repair that knows the plan', async () => {
  const file = await write('')
  expect(await failureOf(() => repairState(file))).toBe('stale StateUnrepairable')
  expect(await repairState(file, { plan })).toMatchObject({ kept: 0, dropped: 0, serial: 0 })
  expect(await readState(file, { lineage })).toMatchObject({ status: 'read', serial: 0 })
})

test('a repair refuses a file of a newer version or of another plan', async () => {
  const newer = await write('{"t":"header","formatVersion":2,"lineage":"x"}\n{"t":"fact"}\n')
  expect(await failureOf(() => repairState(newer, { plan }))).toBe('stale StateVersionUnknown')
  const torn = await write(Buffer.concat([stateOf(five), Buffer.from('{"t"')]))
  const other = { ...owner, name: 'building-b' }
  expect(await failureOf(() => repairState(torn, { plan: { ...other, lineage: lineageOf(other) } }))).toBe(
    'stale StateOfAnotherPlan',
  )
})

test('a repair or compaction that can not be written leaves the file as it was', async () => {
  for (const failing of ['write', 'sync', 'rename'] as const) {
    const bytes = Buffer.concat([stateOf(five), Buffer.from('{"t"')])
    const file = await write(bytes)
    const fs = watchedFiles({
      before: (operation, path) => {
        if (operation === failing && !path.includes('.damaged-')) throw failWith('ENOSPC')
        return undefined
      },
    })
    expect(await failureOf(() => compactState(file, { fold: () => undefined, fs }))).toBe(
      'state-not-written StateNotWritten',
    )
    expect(await failureOf(() => repairState(file, { fs }))).toBe('state-not-written StateNotWritten')
    expect(await readFile(file)).toEqual(bytes)
    expect((await readdir(join(file, '..'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
  }
})

const at = '2026-11-21T08:00:00.000Z'
const run = (name: string, closed = true): readonly JournalRecord[] => [
  {
    t: 'open',
    run: name,
    at,
    command: 'ferry apply',
    plan: `sha256:${'0'.repeat(64)}` as never,
    changeSet: `sha256:${'0'.repeat(64)}` as never,
    tool: 'x',
  },
  ...(closed ? [{ t: 'close', run: name, at, result: 'partial' } as const] : []),
]
const begin: JournalRecord = { t: 'begin', device: 'meter-1', at, target: 'meter-1', route: 'joining-anew' }
const intent: JournalRecord = {
  t: 'intent',
  device: 'meter-1',
  step: 'create-identity',
  side: 'target',
  registry: 'identity-server',
  verb: 'create',
  paths: ['name'],
}
const outcome: JournalRecord = {
  t: 'outcome',
  device: 'meter-1',
  step: 'create-identity',
  at,
  status: 'done',
}

/** A fold to which begins matter, and which steps were ever tried. */
const beginsAndSteps = (all: readonly JournalRecord[]) => ({
  begins: all.filter(({ t }) => t === 'begin').length,
  steps: new Set(all.flatMap((record) => (record.t === 'intent' ? [record.step] : []))),
})

test('a compaction drops older crossings and runs, keeps the serial, and what follows goes on from there', async () => {
  const records = [
    ...run('a'),
    begin,
    intent,
    outcome,
    intent,
    outcome,
    ...run('b', false),
    begin,
    intent,
    outcome,
    ...run('c'),
  ]
  const file = await write(stateOf(records, 5))
  const before = await readState(file)
  expect(await compactState(file, { lineage, fold: beginsAndSteps })).toEqual({
    status: 'compacted',
    before: 13,
    after: 7,
    serial: 18,
  })
  const after = await readState(file, { lineage })
  expect(after).toMatchObject({ status: 'read', serial: 18 })
  expect(before).toMatchObject({ serial: 18 })
  const kept = [begin, ...run('b', false), begin, intent, outcome, ...run('c')]
  expect(after.status === 'read' && after.records).toEqual(kept)
  const journal = await openJournal(journalOptions(file))
  await journal.append([outcome])
  expect(journal.serial).toBe(19)
  await journal.close()
  expect(await readState(file)).toMatchObject({ serial: 19 })
})

test('of an older crossing stays what the fold needs, down to the last intent and outcome of a step', async () => {
  const failed: JournalRecord = { ...outcome, status: 'failed' }
  const records = [begin, intent, failed, intent, outcome, begin, intent, failed]
  const ours = (all: readonly JournalRecord[]) =>
    all.some((one) => one.t === 'outcome' && one.status === 'done')
  const file = await write(stateOf(records))
  await compactState(file, { fold: ours })
  const after = await readState(file)
  expect(after.status === 'read' && after.records).toEqual([begin, intent, outcome, begin, intent, failed])
})

test('a compaction that would change the meaning of the whole is refused', async () => {
  const bytes = stateOf([...run('a'), ...run('b')])
  const file = await write(bytes)
  const fold = (records: readonly JournalRecord[]) => new Map([['all', records.length]])
  expect(await failureOf(() => compactState(file, { fold }))).toBe('unexpected CompactionChangesState')
  expect(await readFile(file)).toEqual(bytes)
})

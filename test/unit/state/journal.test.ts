import { statSync } from 'node:fs'
import { copyFile, readdir, readFile, rename, stat, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openJournal } from '../../../src/state/journal.ts'
import { readState } from '../../../src/state/read-state.ts'
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

const stateFile = async () => join(await temporaryFolder(), 'building-a.state.jsonl')

const numbersIn = async (file: string): Promise<readonly number[]> => {
  const state = await readState(file)
  return state.status === 'read' ? numbersOf(state.records) : []
}

test('a run that appends nothing leaves no file', async () => {
  const file = await stateFile()
  const journal = await openJournal(journalOptions(file))
  await journal.append([])
  await journal.close()
  expect(await readState(file)).toEqual({ status: 'absent' })
  expect(journal.serial).toBe(0)
})

test('what a killed run left beside the file is removed with the first append', async () => {
  const file = await stateFile()
  await writeFile(join(file, '..', '.building-a.state.jsonl.0123456789ab.tmp'), 'half')
  const journal = await openJournal(journalOptions(file))
  await journal.append([numbered(0)])
  await journal.close()
  expect(await readdir(join(file, '..'))).toEqual(['building-a.state.jsonl'])
})

test('what is appended is read back, in order, over several runs', async () => {
  const file = await stateFile()
  for (const run of [0, 1, 2]) {
    const journal = await openJournal(journalOptions(file))
    expect(journal.serial).toBe(run * 3)
    await journal.append([numbered(run * 3), numbered(run * 3 + 1)])
    await journal.append([numbered(run * 3 + 2)])
    expect(journal.serial).toBe(run * 3 + 3)
    await journal.close()
  }
  const state = await readState(file)
  expect(state).toMatchObject({
    status: 'read',
    serial: 9,
    tornTail: false,
    header: { t: 'header', ...owner },
  })
  expect(await numbersIn(file)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(file, '..'))).toEqual(['building-a.state.jsonl'])
})

test('appends of one turn share one write and one sync, and each resolves after the sync', async () => {
  const file = await stateFile()
  const counts = { write: 0, datasync: 0, sync: 0 }
  const fs = watchedFiles({
    after: (operation) => {
      if (operation in counts) counts[operation as keyof typeof counts] += 1
    },
  })
  const journal = await openJournal(journalOptions(file, fs))
  await journal.append([numbered(0)])
  Object.assign(counts, { write: 0, datasync: 0, sync: 0 })
  const syncsAtAnswer: number[] = []
  const appends = Array.from({ length: 1000 }, async (_, n) => {
    // Different depths of promises, as devices that are worked on at once have: all of it is one turn.
    for (let depth = 0; depth < n % 20; depth += 1) await Promise.resolve()
    await journal.append([numbered(n + 1)])
    syncsAtAnswer.push(counts.datasync)
  })
  await Promise.all(appends)
  await journal.close()
  expect(Math.min(...syncsAtAnswer)).toBeGreaterThanOrEqual(1)
  expect(counts).toEqual({ write: 1, datasync: 1, sync: 0 })
  expect([...(await numbersIn(file))].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 1001 }, (_, n) => n),
  )
})

test('a power cut at any time keeps every record that was acknowledged', async () => {
  const file = await stateFile()
  let acknowledged = 0
  let synced = 0
  const crashes: { readonly synced: number; readonly acknowledged: number }[] = []
  const fs = watchedFiles({
    before: () => {
      crashes.push({ synced, acknowledged })
      return undefined
    },
    after: (operation, path) => {
      if (path === file && (operation === 'datasync' || operation === 'link')) synced = statSync(file).size
      crashes.push({ synced, acknowledged })
    },
  })
  const journal = await openJournal(journalOptions(file, fs))
  for (let n = 0; n < 12; n += 1) {
    await journal.append([numbered(n)])
    acknowledged = n + 1
    crashes.push({ synced, acknowledged })
  }
  await journal.close()
  const whole = await readFile(file)
  expect(crashes.length).toBeGreaterThan(50)
  for (const crash of crashes.filter((one) => one.synced > 0)) {
    for (const unsynced of [0, 1, 50]) {
      await writeFile(file, whole.subarray(0, crash.synced + unsynced))
      expect((await numbersIn(file)).length).toBeGreaterThanOrEqual(crash.acknowledged)
    }
  }
})

test.each(['write', 'datasync', 'half-write'] as const)(
  'after a failed %s nothing more is written, and the file stays readable',
  async (how) => {
    for (let failing = 1; failing <= 6; failing += 1) {
      const file = await stateFile()
      let count = 0
      const after: string[] = []
      const fs = watchedFiles({
        before: (operation, path) => {
          if (path !== file || operation === 'open') return undefined
          if (count === failing) after.push(operation)
          if (operation !== (how === 'half-write' ? 'write' : how)) return undefined
          count += 1
          if (count !== failing) return undefined
          if (how === 'half-write') return 30
          throw failWith('EIO')
        },
      })
      const journal = await openJournal(journalOptions(file, fs))
      const acknowledged: number[] = []
      const failures: string[] = []
      for (let n = 0; n < 10; n += 1) {
        const failure = await failureOf(() => journal.append([numbered(n)]))
        if (failure === 'no failure') acknowledged.push(n)
        else failures.push(failure)
      }
      const serial = journal.serial
      await journal.close()
      expect(acknowledged).toEqual(Array.from({ length: failing }, (_, n) => n))
      expect(new Set(failures)).toEqual(new Set(['state-not-written StateNotWritten']))
      expect(failures.length).toBe(10 - failing)
      expect(after).toEqual([])
      expect(serial).toBe(failing)

      const again = await openJournal(journalOptions(file))
      await again.append([numbered(100)])
      await again.close()
      const numbers = await numbersIn(file)
      expect(numbers.slice(0, failing)).toEqual(acknowledged)
      expect(numbers.at(-1)).toBe(100)
    }
  },
)

test.each(['write', 'datasync'] as const)(
  'what was queued behind a %s that fails is not written either',
  async (failing) => {
    const file = await stateFile()
    const operations: string[] = []
    const queued: Promise<string>[] = []
    const fs = watchedFiles({
      before: (operation, path) => {
        if (path !== file || operation === 'open') return undefined
        operations.push(operation)
        if (operation !== failing) return undefined
        queued.push(failureOf(() => journal.append([numbered(2)])))
        throw failWith('EIO')
      },
    })
    const journal = await openJournal(journalOptions(file, fs))
    await journal.append([numbered(0)])
    expect(await failureOf(() => journal.append([numbered(1)]))).toBe('state-not-written StateNotWritten')
    expect(await Promise.all(queued)).toEqual(['state-not-written StateNotWritten'])
    expect(await failureOf(() => journal.append([]))).toBe('state-not-written StateNotWritten')
    await journal.close()
    expect(operations).toEqual(failing === 'write' ? ['link', 'write'] : ['link', 'write', 'datasync'])
  },
)

test.each(['open', 'write', 'sync', 'link'] as const)(
  'a first append whose %s fails leaves no file',
  async (failing) => {
    const file = await stateFile()
    const fs = watchedFiles({
      before: (operation) => {
        if (operation === failing) throw failWith('ENOSPC')
        return undefined
      },
    })
    const journal = await openJournal(journalOptions(file, fs))
    expect(await failureOf(() => journal.append([numbered(0)]))).toBe('state-not-written StateNotWritten')
    await journal.close()
    expect(await readdir(join(file, '..'))).toEqual([])
  },
)

test('a torn last line is cut at every length, and the next record follows what was whole', async () => {
  const file = await stateFile()
  const journal = await openJournal(journalOptions(file))
  for (const n of [0, 1, 2]) await journal.append([numbered(n)])
  await journal.close()
  const whole = await readFile(file)
  const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1
  for (let size = lastLine; size < whole.length; size += 1) {
    await writeFile(file, whole)
    await truncate(file, size)
    const torn = size > lastLine
    expect(await readState(file)).toMatchObject({ status: 'read', serial: 2, tornTail: torn })
    const again = await openJournal(journalOptions(file))
    expect(again.tornTail).toBe(torn)
    expect(again.serial).toBe(2)
    await again.append([numbered(7)])
    await again.close()
    expect(await numbersIn(file)).toEqual([0, 1, 7])
  }
})

test('a tail that was torn over several lines is cut too, and one that is full of zeros', async () => {
  const file = await stateFile()
  const journal = await openJournal(journalOptions(file))
  await journal.append([numbered(0)])
  await journal.close()
  const whole = await readFile(file)
  for (const tail of ['\0'.repeat(4096), '{"t":"fact","device":"a', '{"t":"fact"}\n']) {
    await writeFile(file, Buffer.concat([whole, Buffer.from(tail)]))
    const again = await openJournal(journalOptions(file))
    expect(again.tornTail).toBe(true)
    await again.close()
    expect(await readFile(file)).toEqual(whole)
  }
})

test.each<readonly [string, (file: string) => Promise<void>]>([
  ['removed', (file) => unlink(file)],
  ['moved', (file) => rename(file, `${file}.moved`)],
  ['replaced', (file) => copyFile(file, `${file}.copy`).then(() => rename(`${file}.copy`, file))],
  ['written to', (file) => writeFile(file, 'x', { flag: 'a' })],
  ['cut', (file) => truncate(file, 10)],
])('a file that is %s under a run ends the run', async (_, harm) => {
  const file = await stateFile()
  const journal = await openJournal(journalOptions(file))
  await journal.append([numbered(0)])
  await harm(file)
  const failure = await failureOf(() => journal.append([numbered(1)]))
  await journal.close()
  expect(failure).toBe('state-not-written StateNotWritten')
})

test('a file that appeared since the journal was opened is not overwritten', async () => {
  const file = await stateFile()
  const journal = await openJournal(journalOptions(file))
  await writeFile(file, 'of another program')
  expect(await failureOf(() => journal.append([numbered(0)]))).toBe('state-not-written StateNotWritten')
  await journal.close()
  expect(await readFile(file, 'utf8')).toBe('of another program')
})

test('close waits for what was appended, and nothing can be appended after', async () => {
  const file = await stateFile()
  const journal = await openJournal(journalOptions(file))
  const appended = journal.append([numbered(0)])
  await journal.close()
  await appended
  await journal.close()
  expect(await numbersIn(file)).toEqual([0])
  expect(await failureOf(() => journal.append([numbered(1)]))).toBe('unexpected StateClosed')
})

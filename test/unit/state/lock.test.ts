import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  acquireLock,
  type LockOptions,
  type LockOwner,
  lockFileOf,
  readLock,
  unlock,
} from '../../../src/state/lock.ts'
import { compiledSources, failureOf, failWith, temporaryFolder, watchedFiles } from './support.ts'

const clock = () => new Date('2026-11-21T08:00:00Z')

const ownerOf = (pid: number, alive: readonly number[] = [], more: Partial<LockOwner> = {}): LockOwner => ({
  pid,
  host: 'gateway-1',
  user: 'ann',
  bootId: 'boot-1',
  isAlive: (other) => alive.includes(other),
  ...more,
})

const lockFile = async () => join(await temporaryFolder(), 'building-a.state.lock')

const options = (file: string, owner: LockOwner): LockOptions => ({
  file,
  owner,
  command: 'ferry apply',
  clock,
})

test('the lock lies beside the state', () => {
  expect(lockFileOf('plans/building-a.state.jsonl')).toBe('plans/building-a.state.lock')
  expect(lockFileOf('plans/other')).toBe('plans/other.lock')
})

test('a lock names its owner, is private, and goes with its release', async () => {
  const file = await lockFile()
  const lock = await acquireLock(options(file, ownerOf(100)))
  expect(lock.tookOver).toBeUndefined()
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
    id: lock.document.id,
    pid: 100,
    host: 'gateway-1',
    user: 'ann',
    startedAt: '2026-11-21T08:00:00.000Z',
    command: 'ferry apply',
    bootId: 'boot-1',
  })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await lock.release()
  await lock.release()
  expect(await readdir(join(file, '..'))).toEqual([])
})

test('a live owner is told with user, host, process, time and the command that unlocks', async () => {
  const file = await lockFile()
  const first = await acquireLock(options(file, ownerOf(100)))
  const second = acquireLock(options(file, ownerOf(200, [100], { user: 'bob' })))
  await expect(second).rejects.toMatchObject({
    kind: 'locked',
    code: 'Locked',
    message: expect.stringMatching(/ann on gateway-1, process 100, since 2026-11-21T08:00:00.000Z/),
    hint: expect.stringContaining(`ferry state unlock PLAN ${first.document.id}`),
  })
  expect(await readdir(join(file, '..'))).toEqual(['building-a.state.lock'])
})

test.each<readonly [string, LockOwner]>([
  ['a process that is gone', ownerOf(200)],
  ['an earlier start of the machine', ownerOf(200, [100], { bootId: 'boot-2' })],
])('the lock of %s is taken over, with a notice', async (_, owner) => {
  const file = await lockFile()
  const dead = await acquireLock(options(file, ownerOf(100)))
  const lock = await acquireLock(options(file, owner))
  expect(lock.tookOver).toEqual(dead.document)
  expect((await readLock(file))?.id).toBe(lock.document.id)
  await dead.release()
  expect((await readLock(file))?.id).toBe(lock.document.id)
  await lock.release()
  expect(await readdir(join(file, '..'))).toEqual([])
})

test.each<readonly [string, LockOwner]>([
  ['another host', ownerOf(200, [], { host: 'gateway-2' })],
  ['another host after a restart', ownerOf(200, [], { host: 'gateway-2', bootId: 'boot-2' })],
  ['a host that tells no boot id', ownerOf(200, [100], { bootId: '' })],
  ['a host that tells no boot id', ownerOf(200, [100], { bootId: 'boot-1' })],
])('the lock is not taken over from %s', async (_, owner) => {
  const file = await lockFile()
  const lock = await acquireLock(options(file, ownerOf(100)))
  expect(await failureOf(() => acquireLock(options(file, owner)))).toBe('locked Locked')
  expect((await readLock(file))?.id).toBe(lock.document.id)
})

test('a process that got the number of a dead one takes its lock over, but never its own', async () => {
  const file = await lockFile()
  const own = await acquireLock(options(file, ownerOf(7, [7])))
  expect(await failureOf(() => acquireLock(options(file, ownerOf(7, [7]))))).toBe('locked Locked')
  await own.release()
  const document = { ...own.document, id: '00000000-0000-4000-8000-000000000000' }
  await writeFile(file, JSON.stringify(document))
  const lock = await acquireLock(options(file, ownerOf(7, [7])))
  expect(lock.tookOver).toEqual(document)
})

test('unlock removes the lock of the id it is given, and no other', async () => {
  const file = await lockFile()
  const lock = await acquireLock(options(file, ownerOf(100)))
  expect(await failureOf(() => unlock(file, 'another'))).toBe('locked LockIdMismatch')
  expect((await readLock(file))?.id).toBe(lock.document.id)
  expect(await unlock(file, lock.document.id)).toBe('unlocked')
  expect(await unlock(file, lock.document.id)).toBe('absent')
  const other = await acquireLock(options(file, ownerOf(200)))
  await lock.release()
  expect((await readLock(file))?.id).toBe(other.document.id)
})

test('a file that is no lock is refused, whatever it holds', async () => {
  const file = await lockFile()
  const valid = {
    id: '../../00000000-0000-0000-0000-0000000',
    pid: 1,
    host: '',
    user: '',
    startedAt: '',
    command: '',
    bootId: '',
  }
  for (const text of ['', '{', 'null', '{"id":"x"}', JSON.stringify(valid)]) {
    await writeFile(file, text)
    expect(await failureOf(() => acquireLock(options(file, ownerOf(1))))).toBe('locked LockUnreadable')
  }
})

test('a folder that can not be written ends the run before anything else [edge 85]', async () => {
  const file = await lockFile()
  const fs = watchedFiles({
    before: () => {
      throw failWith('EROFS')
    },
  })
  expect(await failureOf(() => acquireLock({ ...options(file, ownerOf(1)), fs }))).toBe(
    'state-not-written StateNotWritten',
  )
})

test('on a disk without hard links one of many still wins', async () => {
  const file = await lockFile()
  const fs = watchedFiles({
    before: (operation) => {
      if (operation === 'link') throw failWith('EPERM')
      return undefined
    },
  })
  const lock = await acquireLock({ ...options(file, ownerOf(1)), fs })
  expect((await readLock(file))?.id).toBe(lock.document.id)
  expect(await failureOf(() => acquireLock({ ...options(file, ownerOf(2, [1])), fs }))).toBe('locked Locked')
  await lock.release()
})

test('of many that find a dead lock at once, one takes it over', async () => {
  for (let round = 0; round < 10; round += 1) {
    const file = await lockFile()
    await acquireLock(options(file, ownerOf(99)))
    const pids = Array.from({ length: 8 }, (_, n) => 200 + n)
    const all = await Promise.allSettled(pids.map((pid) => acquireLock(options(file, ownerOf(pid, pids)))))
    const winners = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const codes = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
    expect(winners.map((lock) => lock.tookOver?.pid)).toEqual([99])
    expect(new Set(codes)).toEqual(new Set(['Locked']))
    expect((await readLock(file))?.id).toBe(winners[0]?.document.id)
    expect(await readdir(join(file, '..'))).toEqual(['building-a.state.lock'])
  }
})

const RACER = `
import { writeSync } from 'node:fs'
import { acquireLock } from './src/state/lock.js'
const isAlive = (pid) => { try { process.kill(pid, 0); return true } catch { return false } }
const owner = { pid: process.pid, host: 'here', user: 'ann', bootId: 'boot-1', isAlive }
writeSync(1, 'ready\\n')
process.stdin.once('data', async () => {
  try {
    await acquireLock({ file: process.argv[2], owner, command: 'ferry apply', clock: () => new Date() })
    writeSync(1, 'won\\n')
  } catch (error) {
    writeSync(1, error.code + '\\n')
  }
  process.stdin.once('data', () => process.exit())
})
`

test('of processes that race for a free or a dead lock, exactly one wins', async () => {
  const folder = await temporaryFolder()
  await compiledSources(folder)
  const script = join(folder, 'racer.js')
  await writeFile(script, RACER)
  for (let round = 0; round < 4; round += 1) {
    const file = join(folder, `race-${round}.state.lock`)
    if (round % 2 === 1) await acquireLock(options(file, ownerOf(99, [], { host: 'here', bootId: 'boot-0' })))
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [script, file], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    const lines = children.map((child) => {
      const iterator = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]()
      let rest = ''
      return async (): Promise<string> => {
        while (!rest.includes('\n')) rest += String((await iterator.next()).value)
        const line = rest.slice(0, rest.indexOf('\n'))
        rest = rest.slice(line.length + 1)
        return line
      }
    })
    for (const line of lines) expect(await line()).toBe('ready')
    for (const child of children) child.stdin.write('go\n')
    const results = await Promise.all(lines.map((line) => line()))
    for (const child of children) child.stdin.write('end\n')
    await Promise.all(children.map((child) => once(child, 'close')))
    expect(results.sort()).toEqual(['Locked', 'Locked', 'Locked', 'won'])
  }
})

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JournalRecord, StepName } from '../../../src/domain/journal.ts'
import type { HttpState } from '../../../src/domain/migration-plan.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import { openPlace } from '../../../src/remote/place.ts'
import { remoteStore } from '../../../src/remote/remote-store.ts'
import { lineageOf } from '../../../src/state/format.ts'
import type { LockOwner } from '../../../src/state/lock.ts'
import type { StateStore } from '../../../src/state/store.ts'
import { type Flavour, type StateServer, startStateServer } from '../../support/state-server.ts'

const OWNER = {
  name: 'building-a',
  source: { network: 'things-stack', host: 'a.example', application: 'a' },
  target: { network: 'things-stack', host: 'b.example', application: 'b' },
} as const
const lineage = lineageOf(OWNER)
const clock = (): Date => new Date('2026-01-02T03:04:05Z')
const alive: LockOwner = { pid: 1, host: 'here', user: 'me', bootId: 'b', isAlive: () => true }

const open = (run: string): JournalRecord => ({
  t: 'open',
  run,
  at: '2026-01-02T03:04:05Z',
  command: 'apply',
  plan: 'sha256:0' as never,
  changeSet: 'sha256:0' as never,
  tool: 'test',
})
const intent = (device: string, step: StepName = 'set-network'): JournalRecord => ({
  t: 'intent',
  device,
  step,
  side: 'target',
  registry: 'network-server',
  verb: 'set',
  paths: [],
})
const outcome = (device: string, step: StepName = 'set-network'): JournalRecord => ({
  t: 'outcome',
  device,
  step,
  at: '2026-01-02T03:04:05Z',
  status: 'done',
})

let folder: string
let server: StateServer
const stores: StateStore[] = []

/** The store of one machine: a folder of its own. */
const machine = (name: string, { password = server.password } = {}): StateStore => {
  const isGitlab = server.flavour === 'gitlab'
  const http: HttpState = {
    address: `${server.url}/state`,
    lockAddress: `${server.url}/state${isGitlab ? '/lock' : ''}`,
    unlockAddress: `${server.url}/state${isGitlab ? '/lock' : ''}`,
    updateMethod: 'POST',
    lockMethod: isGitlab ? 'POST' : 'LOCK',
    unlockMethod: isGitlab ? 'DELETE' : 'UNLOCK',
    username: server.user,
    insecure: true,
  }
  const place = openPlace({ place: http, password: new Secret(password), env: {} })
  const file = join(folder, `${name}.state.jsonl`)
  const store = remoteStore({ file, lineage, ...OWNER, http, place, fold: foldState })
  stores.push(store)
  return store
}

/** Opens, appends and closes, under the lock. */
const write = async (store: StateStore, ...groups: readonly (readonly JournalRecord[])[]): Promise<void> => {
  const lock = await store.lock('ferry apply', alive, clock)
  try {
    const journal = await store.openJournal()
    try {
      for (const records of groups) await journal.append(records)
    } finally {
      await journal.close()
    }
  } finally {
    await lock.release()
  }
}

const postedSteps = (): readonly string[] =>
  (JSON.parse(server.state() ?? '{"records":[]}') as { records: readonly JournalRecord[] }).records.map(
    (record) => ('device' in record ? `${record.t} ${record.device}` : record.t),
  )

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-remote-'))
})
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

describe.each<Flavour>(['webdav', 'gitlab'])('a state at an address (%s)', (flavour) => {
  beforeEach(async () => {
    server = await startStateServer(flavour)
  })

  it('is there for another machine, which goes on from it', async () => {
    expect((await machine('one').read()).status).toBe('absent')
    await write(machine('one'), [open('r1')], [intent('a')], [outcome('a')])
    const seen = await machine('two').read()
    expect(seen).toMatchObject({ status: 'read', serial: 3 })
    await write(machine('two'), [intent('b')])
    expect(await machine('one').read()).toMatchObject({ serial: 4 })
    expect(server.lock()).toBeUndefined()
  })

  it('holds an intent before it may be acted on, and an outcome with the next post or the end', async () => {
    const store = machine('one')
    const lock = await store.lock('ferry apply', alive, clock)
    const journal = await store.openJournal()
    await journal.append([open('r1')])
    expect(server.posts.length).toBe(0)
    await journal.append([intent('a')])
    expect(postedSteps()).toEqual(['open', 'intent a'])
    await journal.append([outcome('a')])
    await journal.append([intent('a', 'final-network')])
    expect(server.posts.length, 'a final write is done again by whoever goes on').toBe(1)
    await journal.append([intent('a', 'unmute-target')])
    expect(postedSteps()).toContain('outcome a')
    await journal.close()
    await lock.release()
  })

  it('takes intents that come together in one post', async () => {
    const store = machine('one')
    const lock = await store.lock('ferry apply', alive, clock)
    const journal = await store.openJournal()
    await Promise.all(Array.from({ length: 200 }, (_, index) => journal.append([intent(`device-${index}`)])))
    expect(server.posts.length).toBeLessThanOrEqual(3)
    await journal.close()
    await lock.release()
  })

  it('takes a post for done whose answer was lost', async () => {
    let dropped = 0
    server.fault = (request, when) => {
      if (when === 'before' || !request.startsWith('POST /state') || request.endsWith('lock') || dropped > 0)
        return
      dropped += 1
      return 'drop'
    }
    await write(machine('one'), [open('r1')], [intent('a')], [outcome('a')])
    expect(dropped).toBe(1)
    expect(await machine('two').read()).toMatchObject({ serial: 3 })
  })

  it('stops after a post that failed: no intent is taken, and the file still takes outcomes', async () => {
    const store = machine('one')
    const lock = await store.lock('ferry apply', alive, clock)
    const journal = await store.openJournal()
    await journal.append([intent('a')])
    server.fault = (request) => (request === 'POST /state' ? 400 : undefined)
    await expect(journal.append([intent('b')])).rejects.toMatchObject({
      code: 'StateNotPosted',
      kind: 'state-not-written',
    })
    const requests = server.requests.length
    await expect(journal.append([intent('c')])).rejects.toMatchObject({ code: 'StateNotPosted' })
    await journal.append([outcome('a')])
    await journal.close()
    expect(server.requests.length, 'asked again').toBe(requests)
    server.fault = () => undefined
    await lock.release()
    // The file knows more than the address, and the next run on this machine posts it.
    expect(await machine('one').read()).toMatchObject({ serial: 3 })
    expect(await machine('two').read()).toMatchObject({ serial: 1 })
    await write(machine('one'))
    expect(await machine('two').read()).toMatchObject({ serial: 3 })
  })

  it('stops where its lock was taken away', async () => {
    const store = machine('one')
    const lock = await store.lock('ferry apply', alive, clock)
    const journal = await store.openJournal()
    await journal.append([intent('a')])
    server.unlock()
    await expect(journal.append([intent('b')])).rejects.toMatchObject({ code: 'StateNotPosted' })
    await journal.close()
    await lock.release().catch(() => undefined)
  })

  it('is given to one run at a time, and the other is told who has it', async () => {
    const lock = await machine('one').lock('ferry apply', alive, clock)
    const { id } = lock.document
    await expect(machine('two').lock('ferry verify', alive, clock)).rejects.toMatchObject({
      code: 'Locked',
      message: expect.stringContaining('me@here since 2026-01-02T03:04:05.000Z (ferry apply)') as string,
      hint: expect.stringContaining(id) as string,
    })
    await lock.release()
    await (await machine('two').lock('ferry verify', alive, clock)).release()
  })

  it('that can not be unlocked in the end says how to give the lock back', async () => {
    const lock = await machine('one').lock('ferry apply', alive, clock)
    server.fault = (request) =>
      request.startsWith(flavour === 'gitlab' ? 'DELETE' : 'UNLOCK') ? 501 : undefined
    await expect(lock.release()).rejects.toMatchObject({
      code: 'LockNotGivenBack',
      hint: expect.stringContaining(lock.document.id) as string,
    })
    server.fault = () => undefined
    expect(await machine('two').unlock(lock.document.id)).toBe('unlocked')
  })

  it('is unlocked by the id of a run that is gone, and by no other', async () => {
    const lock = await machine('one').lock('ferry apply', alive, clock)
    const other = '00000000-0000-0000-0000-000000000000'
    await expect(machine('two').unlock(other)).rejects.toMatchObject({ code: 'LockIdMismatch' })
    expect(server.lock()).toBeDefined()
    expect(await machine('two').unlock(lock.document.id)).toBe('unlocked')
    expect(await machine('two').unlock(lock.document.id)).toBe('absent')
    expect(server.lock()).toBeUndefined()
  })

  it('is taken over from a process of this machine that died', async () => {
    await machine('one').lock('ferry apply', { ...alive, pid: 7 }, clock)
    const lock = await machine('one').lock('ferry apply', { ...alive, pid: 8, isAlive: () => false }, clock)
    expect(lock.tookOver).toMatchObject({ pid: 7 })
    await lock.release()
    expect(server.lock()).toBeUndefined()
  })

  it('is not given to whoever has another password, which is told nowhere', async () => {
    const store = machine('one', { password: 'another-made-up-password' })
    const error = await store.read().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'PlaceRefused', kind: 'credentials' })
    expect(JSON.stringify(error) + String(error)).not.toMatch(/another-made-up-password|YW5vdGhlci/)
  })

  it('is refused where it is damaged, or of another plan', async () => {
    await write(machine('one'), [open('r1')], [intent('a')])
    const good = server.state() ?? ''
    for (const [bad, code] of [
      [good.replace('"device":"a"', '"device":"b"'), 'StateDamaged'],
      [good.slice(0, -9), 'StateDamaged'],
      ['{}', 'StateDamaged'],
      [good.replace('"formatVersion":1', '"formatVersion":9'), 'StateVersionUnknown'],
      [good.replace(lineage, `sha256:${'0'.repeat(64)}`), 'StateOfAnotherPlan'],
    ] as const) {
      server.setState(bad)
      await expect(machine('two').read(), bad).rejects.toMatchObject({ code, kind: 'stale' })
    }
  })

  it('is the truth where another machine went on; what the file had is kept beside it', async () => {
    await write(machine('one'), [open('r1')], [intent('a')])
    const before = await readFile(join(folder, 'one.state.jsonl'), 'utf8')
    await write(machine('two'), [open('r2')], [intent('b')])
    await write(machine('one'), [open('r3')], [intent('c')])
    const file = await readFile(join(folder, 'one.state.jsonl'), 'utf8')
    expect([file.includes('"device":"b"'), file.includes('"device":"c"')]).toEqual([true, true])
    expect(await readFile(join(folder, 'one.state.jsonl.before'), 'utf8')).toBe(before)
  })
})

it('an answer that is none of the protocol is told with its status', async () => {
  server = await startStateServer()
  server.fault = () => 418
  await expect(machine('one').read()).rejects.toMatchObject({ code: 'StateAddressFailed' })
})

import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Decrypter } from 'age-encryption'
import { expect, test } from 'vitest'
import { Secret } from '../../../src/domain/secret.ts'
import { createEscrow, type EscrowOptions } from '../../../src/escrow/escrow.ts'
import { listEscrow, readEscrow, readEscrowFile } from '../../../src/escrow/escrow-file.ts'
import { generateIdentity } from '../../../src/escrow/identity.ts'
import { failureOf, failWith, temporaryFolder, watchedFiles } from '../state/support.ts'
import { clock, deviceOf, keysOf, revealed, spellingsOf } from './support.ts'

const prepare = async () => {
  const pair = await generateIdentity()
  const folder = join(await temporaryFolder(), 'plans', 'building-a.escrow')
  const options: EscrowOptions = { folder, recipients: [pair.recipient], clock }
  return { pair, folder, options }
}

test('what is stored is read back with its keys, by file and line', async () => {
  const { pair, folder, options } = await prepare()
  const escrow = createEscrow(options)
  const places = await Promise.all([0, 1, 2].map((n) => escrow.store('A', deviceOf(n))))
  const again = await escrow.store('B', deviceOf(1))
  expect(places.map(({ line }) => line)).toEqual([0, 1, 2])
  expect(new Set(places.map(({ file }) => file)).size).toBe(1)
  expect(again.file).toMatch(/^B-000002-[0-9a-f]{8}\.age$/)
  for (const [n, { file, line }] of [...places, again].entries()) {
    const device = n % 3 === 0 && n > 0 ? 1 : n
    const entry = await readEscrow(join(folder, file), line, pair.identity)
    expect(entry).toMatchObject({ deviceId: `meter-${device}`, at: '2026-11-21T08:00:00.000Z' })
    expect(revealed(entry.record)).toEqual(revealed(deviceOf(device)))
  }
  const all = await readEscrowFile(join(folder, places[0]?.file ?? ''), pair.identity)
  expect(all.map(({ deviceId }) => deviceId)).toEqual(['meter-0', 'meter-1', 'meter-2'])
})

test('age itself reads a file: JSON Lines with format version, device, stage and time', async () => {
  const { pair, folder, options } = await prepare()
  const { file } = await createEscrow(options).store('A', deviceOf(4))
  const decrypter = new Decrypter()
  decrypter.addIdentity(pair.identity.reveal())
  const text = await decrypter.decrypt(await readFile(join(folder, file)), 'text')
  expect(text.endsWith('\n')).toBe(true)
  expect(JSON.parse(text)).toMatchObject({
    formatVersion: 1,
    deviceId: 'meter-4',
    stage: 'A',
    at: '2026-11-21T08:00:00.000Z',
    record: { registries: { 'join-server': { 'root_keys.app_key.key': { secret: keysOf(4).appKey } } } },
  })
})

test('300 devices at once take at most 4 files, and every one is where it was said to be', async () => {
  const { pair, folder, options } = await prepare()
  const escrow = createEscrow(options)
  const places = await Promise.all(Array.from({ length: 300 }, (_, n) => escrow.store('A', deviceOf(n))))
  const files = await listEscrow(folder)
  expect(files.length).toBeLessThanOrEqual(4)
  expect(files.map(({ sequence }) => sequence)).toEqual(files.map((_, n) => n + 1))
  const entries = new Map<string, Awaited<ReturnType<typeof readEscrowFile>>>()
  for (const { file } of files) entries.set(file, await readEscrowFile(join(folder, file), pair.identity))
  for (const [n, { file, line }] of places.entries()) {
    expect(revealed(entries.get(file)?.[line]?.record)).toEqual(revealed(deviceOf(n)))
  }
  expect([...entries.values()].every((list) => list.length <= 256)).toBe(true)
})

test('devices that come while a file is being written share the next one', async () => {
  const { folder, options } = await prepare()
  const late: Promise<unknown>[] = []
  const fs = watchedFiles({
    after: (operation) => {
      if (operation === 'sync' && late.length === 0) {
        for (let n = 10; n < 40; n += 1) late.push(escrow.store('A', deviceOf(n)))
      }
    },
  })
  const escrow = createEscrow({ ...options, fs })
  await escrow.store('A', deviceOf(0))
  await Promise.all(late)
  expect(late.length).toBe(30)
  expect((await listEscrow(folder)).length).toBe(2)
})

test('a later run goes on counting, and flush waits', async () => {
  const { folder, options } = await prepare()
  await createEscrow(options).store('A', deviceOf(0))
  const escrow = createEscrow(options)
  const stored = escrow.store('A', deviceOf(1))
  await escrow.flush()
  expect((await listEscrow(folder)).map(({ sequence }) => sequence)).toEqual([1, 2])
  await stored
  await escrow.flush()
})

test('the folder is 0700 and its files 0600, also where the folder was there', async () => {
  const { folder, options } = await prepare()
  const { file } = await createEscrow(options).store('A', deviceOf(0))
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
  await chmod(folder, 0o755)
  await createEscrow(options).store('A', deviceOf(1))
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

test('the answer comes after file and folder are synced', async () => {
  const { folder, options } = await prepare()
  const done: string[] = []
  const synced: string[] = []
  const fs = watchedFiles({
    after: (operation, file) => {
      done.push(`${operation} ${file === folder ? 'folder' : 'file'}`)
      if (operation === 'sync') synced.push(file)
    },
  })
  await createEscrow({ ...options, fs }).store('A', deviceOf(0))
  const order = ['write file', 'sync file', 'link file', 'sync folder'].map((step) => done.lastIndexOf(step))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(order).not.toContain(-1)
  // Both folders were new: without these syncs a power cut could take the whole escrow.
  expect(synced).toContain(join(folder, '..'))
  expect(synced).toContain(join(folder, '../..'))
})

test('no key is on the disk in plain text, at any time', async () => {
  const { pair, folder, options } = await prepare()
  const keys = [0, 1, 2, 3].flatMap((n) => Object.values(keysOf(n))).flatMap(spellingsOf)
  const searched: string[] = []
  const searchAll = async () => {
    for (const name of await readdir(folder).catch(() => [])) {
      const bytes = await readFile(join(folder, name))
      searched.push(name)
      expect(keys.filter((key) => bytes.includes(key))).toEqual([])
    }
  }
  const fs = {
    ...watchedFiles({}),
    link: async (from: unknown, to: unknown) =>
      searchAll().then(() => watchedFiles({}).link(from as string, to as string)),
  }
  const escrow = createEscrow({ ...options, identity: pair.identity, fs })
  await Promise.all([0, 1, 2, 3].map((n) => escrow.store(n % 2 === 0 ? 'A' : 'B', deviceOf(n))))
  await searchAll()
  expect(searched.some((name) => name.endsWith('.tmp'))).toBe(true)
  expect(searched.some((name) => name.endsWith('.age'))).toBe(true)
})

test.each(['open', 'write', 'sync', 'link'] as const)(
  'a %s that fails rejects the devices of the file, and leaves no file',
  async (failing) => {
    const { folder, options } = await prepare()
    const fs = watchedFiles({
      before: (operation, file) => {
        if (operation === failing && file.startsWith(folder) && file !== folder) throw failWith('ENOSPC')
        return undefined
      },
    })
    const escrow = createEscrow({ ...options, fs })
    const failures = await Promise.all([0, 1].map((n) => failureOf(() => escrow.store('A', deviceOf(n)))))
    expect(failures).toEqual(Array(2).fill('state-not-written EscrowNotWritten'))
    expect(await readdir(folder)).toEqual([])
  },
)

test('bytes that come back from the disk otherwise than written are an error', async () => {
  const { options } = await prepare()
  const fs = { ...watchedFiles({}), readFile: (async () => Buffer.from('other')) as never }
  expect(await failureOf(() => createEscrow({ ...options, fs }).store('A', deviceOf(0)))).toBe(
    'state-not-written EscrowNotWritten',
  )
})

test('an identity that can not decrypt is found before a source is touched', async () => {
  const { options } = await prepare()
  const { identity } = await generateIdentity()
  expect(await failureOf(() => createEscrow({ ...options, identity }).store('A', deviceOf(0)))).toBe(
    'credentials IdentityCannotDecrypt',
  )
})

test('recipients are checked at once, and never repeated', async () => {
  const { options, pair } = await prepare()
  const at = (recipients: readonly string[]) =>
    failureOf(async () => createEscrow({ ...options, recipients }))
  expect(await at([])).toBe('plan-invalid EscrowRecipientsMissing')
  for (const wrong of ['', 'age1', `${pair.recipient.slice(0, -1)}!`, pair.identity.reveal()]) {
    expect(await at([pair.recipient, wrong])).toBe('plan-invalid EscrowRecipientInvalid')
  }
  const error: unknown = await Promise.resolve()
    .then(() => createEscrow({ ...options, recipients: [pair.identity.reveal()] }))
    .catch((thrown: unknown) => thrown)
  expect(
    JSON.stringify([error, String(error), (error as Error).stack, (error as Error).cause]),
  ).not.toContain(pair.identity.reveal().slice(16, 40))
})

test('each of several recipients can read', async () => {
  const { folder, options, pair } = await prepare()
  const other = await generateIdentity()
  const { file, line } = await createEscrow({
    ...options,
    recipients: [pair.recipient, other.recipient],
  }).store('A', deviceOf(0))
  for (const { identity } of [pair, other]) {
    expect((await readEscrow(join(folder, file), line, identity)).deviceId).toBe('meter-0')
  }
})

test('another identity, a missing file and a damaged one are told apart, without a word of the contents', async () => {
  const { pair, folder, options } = await prepare()
  const { file, line } = await createEscrow(options).store('A', deviceOf(0))
  const path = join(folder, file)
  const other = await generateIdentity()
  const read = (identity: Secret, at = line) => failureOf(() => readEscrow(path, at, identity))
  expect(await read(other.identity)).toBe('credentials IdentityCannotDecrypt')
  expect(await read(new Secret('AGE-SECRET-KEY-1NONSENSE'))).toBe('credentials IdentityInvalid')
  expect(await read(pair.identity, 1)).toBe('stale EscrowDamaged')
  expect(await failureOf(() => readEscrow(`${path}.none`, 0, pair.identity))).toBe('stale EscrowMissing')
  const bytes = await readFile(path)
  const seen = new Set<string>()
  for (let position = 0; position < bytes.length; position += 1) {
    const flipped = Buffer.from(bytes)
    flipped[position] = (flipped[position] ?? 0) ^ 0x04
    await writeFile(path, flipped)
    seen.add(await read(pair.identity))
  }
  for (const size of [0, 10, bytes.length - 1]) {
    await writeFile(path, bytes.subarray(0, size))
    expect(await read(pair.identity)).toBe('stale EscrowDamaged')
  }
  expect([...seen].sort()).toEqual(['credentials IdentityCannotDecrypt', 'stale EscrowDamaged'])
})

test('only escrow files are listed, and what a killed run left is removed by the next', async () => {
  const { folder, options } = await prepare()
  expect(await listEscrow(folder)).toEqual([])
  await mkdir(folder, { recursive: true })
  const left = '.A-000007-9f2c41d0.age.0123456789ab.tmp'
  for (const name of [left, 'notes.txt', 'A-1-x.age']) await writeFile(join(folder, name), 'x')
  const { file } = await createEscrow(options).store('A', deviceOf(0))
  const { size } = await stat(join(folder, file))
  expect(await listEscrow(folder)).toEqual([{ file, stage: 'A', sequence: 1, bytes: size }])
  expect((await readdir(folder)).sort()).toEqual([file, 'A-1-x.age', 'notes.txt'].sort())
})

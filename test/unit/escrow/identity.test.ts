import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { generateIdentity, loadIdentity, writeIdentity } from '../../../src/escrow/identity.ts'
import { failureOf, temporaryFolder } from '../state/support.ts'
import { clock } from './support.ts'

const write = async (text: string, mode = 0o600): Promise<string> => {
  const file = join(await temporaryFolder(), 'key.txt')
  await writeFile(file, text)
  await chmod(file, mode)
  return file
}

test('an identity is written for its owner alone, and read back', async () => {
  const pair = await generateIdentity()
  expect(pair.recipient).toMatch(/^age1[0-9a-z]{58}$/)
  const file = join(await temporaryFolder(), 'lorawan-ferry', 'identity.txt')
  await writeIdentity(file, pair, clock)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700)
  const text = await readFile(file, 'utf8')
  expect(text).toContain('# created: 2026-11-21T08:00:00.000Z\n')
  expect(text).toContain(`# public key: ${pair.recipient}\n`)
  const loaded = await loadIdentity(file)
  expect(loaded.recipient).toBe(pair.recipient)
  expect(loaded.identity.equals(pair.identity)).toBe(true)
})

test('an identity is never written over another', async () => {
  const file = join(await temporaryFolder(), 'identity.txt')
  const first = await generateIdentity()
  await writeIdentity(file, first, clock)
  expect(await failureOf(async () => writeIdentity(file, await generateIdentity(), clock))).toBe(
    'usage IdentityExists',
  )
  expect((await loadIdentity(file)).recipient).toBe(first.recipient)
  expect(await readdir(join(file, '..'))).toEqual(['identity.txt'])
})

test('a folder that can not be made is told', async () => {
  const file = await write('x')
  expect(
    await failureOf(async () => writeIdentity(join(file, 'identity.txt'), await generateIdentity(), clock)),
  ).toBe('state-not-written IdentityNotWritten')
})

test('a file that others may use is refused', async () => {
  const { identity } = await generateIdentity()
  for (const mode of [0o640, 0o604, 0o620, 0o610, 0o644, 0o666]) {
    const file = await write(identity.reveal(), mode)
    expect(await failureOf(() => loadIdentity(file))).toBe('credentials IdentityTooOpen')
  }
  for (const mode of [0o600, 0o400]) {
    expect(await failureOf(async () => loadIdentity(await write(identity.reveal(), mode)))).toBe('no failure')
  }
})

test('comments, blank lines and other line ends are read over', async () => {
  const { identity, recipient } = await generateIdentity()
  const file = await write(`# a comment\r\n\r\n  ${identity.reveal()}  \r\n# AGE-SECRET-KEY-1XYZ\n\n`)
  expect((await loadIdentity(file)).recipient).toBe(recipient)
})

test('a missing file, none and several identities, and nonsense are refused', async () => {
  const one = (await generateIdentity()).identity.reveal()
  const two = (await generateIdentity()).identity.reveal()
  expect(await failureOf(() => loadIdentity('none/identity.txt'))).toBe('credentials IdentityMissing')
  for (const text of [
    '',
    '# only a comment\n',
    `${one}\n${two}\n`,
    'AGE-SECRET-KEY-1NONSENSE',
    `${one.slice(0, -1)}${one.endsWith('Q') ? 'P' : 'Q'}`,
    one.slice(5),
  ]) {
    expect(await failureOf(async () => loadIdentity(await write(text)))).toBe('credentials IdentityInvalid')
  }
})

test('no error holds a part of the identity', async () => {
  const one = (await generateIdentity()).identity.reveal()
  for (const text of [`${one.slice(0, -1)}Q`, `${one}\n${one}`, one.slice(5)]) {
    const error: unknown = await loadIdentity(await write(text)).catch((thrown: unknown) => thrown)
    const told = inspect(error, { depth: 10 }) + String((error as Error).cause)
    expect(told).not.toContain(one.slice(20, 34))
  }
})

test('an identity does not print', async () => {
  const pair = await generateIdentity()
  expect(inspect(pair) + JSON.stringify(pair)).not.toContain(pair.identity.reveal().slice(20))
})

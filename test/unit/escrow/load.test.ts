import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FerryError } from '../../../src/domain/errors.ts'
import { createEscrow, type EscrowOptions, noEscrow } from '../../../src/escrow/escrow.ts'
import { generateIdentity } from '../../../src/escrow/identity.ts'
import { failureOf, temporaryFolder } from '../state/support.ts'
import { clock, deviceOf, otaaOf, revealed } from './support.ts'

const prepare = async () => {
  const pair = await generateIdentity()
  const folder = join(await temporaryFolder(), 'building-a.escrow')
  const options: EscrowOptions = { folder, recipients: [pair.recipient], clock }
  return { folder, options, readable: { ...options, identity: pair.identity } }
}

test('what was stored is loaded, in this run and in a later one', async () => {
  const { readable } = await prepare()
  const escrow = createEscrow(readable)
  expect(escrow.canRead).toBe(true)
  const places = await Promise.all([0, 1, 2].map((n) => escrow.store('A', deviceOf(n))))
  for (const [n, place] of places.entries()) {
    expect(revealed(await escrow.load(place))).toEqual(revealed(deviceOf(n)))
    expect(revealed(await createEscrow(readable).load(place))).toEqual(revealed(deviceOf(n)))
  }
  const later = await escrow.store('B', deviceOf(1))
  expect(revealed(await escrow.load(later))).toEqual(revealed(deviceOf(1)))
})

test('a file is decrypted once for all devices in it', async () => {
  const { folder, options, readable } = await prepare()
  const writer = createEscrow(options)
  const places = await Promise.all(Array.from({ length: 20 }, (_, n) => writer.store('A', deviceOf(n))))
  const [first, ...others] = places
  if (first === undefined) throw new Error('nothing was stored')
  const reader = createEscrow(readable)
  await reader.load(first)
  await rm(join(folder, first.file))
  for (const [n, place] of others.entries()) {
    expect(revealed(await reader.load(place))).toEqual(revealed(deviceOf(n + 1)))
  }
})

test('a file that is brought back is read', async () => {
  const { folder, readable } = await prepare()
  const place = await createEscrow(readable).store('A', deviceOf(0))
  const path = join(folder, place.file)
  await rename(path, `${path}.away`)
  const escrow = createEscrow(readable)
  expect(await failureOf(() => escrow.load(place))).toBe('stale EscrowMissing')
  await rename(`${path}.away`, path)
  expect(revealed(await escrow.load(place))).toEqual(revealed(deviceOf(0)))
  expect(await failureOf(() => escrow.load({ ...place, line: 1 }))).toBe('stale EscrowDamaged')
})

test('without an identity all is stored and nothing loaded', async () => {
  const { options } = await prepare()
  const escrow = createEscrow(options)
  const places = [await escrow.store('A', deviceOf(0)), await escrow.storeCredentials(otaaOf(0))] as const
  expect(escrow.canRead).toBe(false)
  expect(await failureOf(() => escrow.load(places[0]))).toBe('credentials IdentityMissing')
  expect(await failureOf(() => escrow.loadCredentials(places[1]))).toBe('credentials IdentityMissing')
})

test('an identity of others loads nothing', async () => {
  const { options } = await prepare()
  const place = await createEscrow(options).store('A', deviceOf(0))
  const { identity } = await generateIdentity()
  expect(await failureOf(() => createEscrow({ ...options, identity }).load(place))).toBe(
    'credentials IdentityCannotDecrypt',
  )
})

test('no escrow refuses everything with the reason that it was given', async () => {
  const escrow = noEscrow(() => new FerryError('plan-invalid', 'EscrowRecipientsMissing', 'none'))
  expect(escrow.canRead).toBe(false)
  const place = { file: 'A-000001-9f2c41d0.age', line: 0 }
  for (const use of [
    () => escrow.store('A', deviceOf(0)),
    () => escrow.load(place),
    () => escrow.storeCredentials(otaaOf(0)),
    () => escrow.loadCredentials(place),
  ])
    expect(await failureOf(use)).toBe('plan-invalid EscrowRecipientsMissing')
})

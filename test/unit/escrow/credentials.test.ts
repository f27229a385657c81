import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Decrypter } from 'age-encryption'
import { expect, test } from 'vitest'
import type { NewCredentials } from '../../../src/domain/credentials.ts'
import type { DevAddr } from '../../../src/domain/identifiers.ts'
import { Secret } from '../../../src/domain/secret.ts'
import {
  listCredentials,
  readCredentials,
  readCredentialsFile,
} from '../../../src/escrow/credentials-file.ts'
import { createEscrow, type EscrowOptions } from '../../../src/escrow/escrow.ts'
import { listEscrow } from '../../../src/escrow/escrow-file.ts'
import { type AgeIdentity, generateIdentity } from '../../../src/escrow/identity.ts'
import { failureOf, failWith, temporaryFolder, watchedFiles } from '../state/support.ts'
import { abpOf, clock, deviceOf, keysOf, otaaOf, revealed, spellingsOf } from './support.ts'

const prepare = async () => {
  const pair = await generateIdentity()
  const folder = join(await temporaryFolder(), 'building-a.escrow')
  const options: EscrowOptions = { folder, recipients: [pair.recipient], clock }
  return { pair, folder, options }
}

/** What `age -d` prints. */
const decrypted = async (file: string, { identity }: AgeIdentity): Promise<string> => {
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity.reveal())
  return decrypter.decrypt(await readFile(file), 'text')
}

const splitKeys: NewCredentials = {
  ...abpOf(3),
  lorawanVersion: 'MAC_V1_1',
  session: {
    devAddr: '260B0003' as DevAddr,
    appSKey: new Secret('A1'.repeat(16)),
    fNwkSIntKey: new Secret('B2'.repeat(16)),
    sNwkSIntKey: new Secret('C3'.repeat(16)),
    nwkSEncKey: new Secret('D4'.repeat(16)),
  },
}

test('a production tool reads one flat record a device, after age alone', async () => {
  const { pair, folder, options } = await prepare()
  const escrow = createEscrow(options)
  const [place] = await Promise.all(
    [otaaOf(1), abpOf(2), splitKeys].map((one) => escrow.storeCredentials(one)),
  )
  expect(place).toEqual({ file: expect.stringMatching(/^new-000001-[0-9a-f]{8}\.jsonl\.age$/), line: 0 })
  const text = await decrypted(join(folder, place?.file ?? ''), pair)
  expect(text.endsWith('\n')).toBe(true)
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  const { appKey } = keysOf(1)
  const common = { format_version: 1, frequency_plan_id: 'EU_863_870_TTN' }
  expect(records).toEqual([
    {
      ...common,
      device_id: 'target-1',
      source_device_id: 'meter-1',
      activation: 'OTAA',
      lorawan_version: '1.0.3',
      dev_eui: '70B3D57E00000002',
      join_eui: '0000000000000000',
      app_key: appKey,
    },
    {
      ...common,
      device_id: 'meter-2',
      source_device_id: 'meter-2',
      activation: 'ABP',
      lorawan_version: '1.0.2',
      dev_addr: '1E500000',
      nwk_s_key: keysOf(2).appKey,
      app_s_key: keysOf(2).appSKey,
    },
    {
      ...common,
      device_id: 'meter-3',
      source_device_id: 'meter-3',
      activation: 'ABP',
      lorawan_version: '1.1',
      dev_addr: '260B0003',
      f_nwk_s_int_key: 'B2'.repeat(16),
      s_nwk_s_int_key: 'C3'.repeat(16),
      nwk_s_enc_key: 'D4'.repeat(16),
      app_s_key: 'A1'.repeat(16),
    },
  ])
})

test('the same records lie beside it as CSV: every column, every field quoted', async () => {
  const { pair, folder, options } = await prepare()
  const escrow = createEscrow(options)
  const [place] = await Promise.all([otaaOf(1), abpOf(2)].map((one) => escrow.storeCredentials(one)))
  const csv = (place?.file ?? '').replace('.jsonl.', '.csv.')
  expect((await readdir(folder)).sort()).toEqual([csv, place?.file ?? ''].sort())
  const columns =
    'device_id,source_device_id,activation,lorawan_version,frequency_plan_id,dev_eui,join_eui,app_key,nwk_key,dev_addr,nwk_s_key,f_nwk_s_int_key,s_nwk_s_int_key,nwk_s_enc_key,app_s_key'
  const quoted = (...fields: readonly string[]) => `${fields.map((field) => `"${field}"`).join(',')}\r\n`
  const blank = (count: number) => Array<string>(count).fill('')
  expect(await decrypted(join(folder, csv), pair)).toBe(
    [
      quoted(...columns.split(',')),
      quoted(
        ...['target-1', 'meter-1', 'OTAA', '1.0.3', 'EU_863_870_TTN', '70B3D57E00000002'],
        ...['0000000000000000', keysOf(1).appKey, ...blank(7)],
      ),
      quoted(
        ...['meter-2', 'meter-2', 'ABP', '1.0.2', 'EU_863_870_TTN', ...blank(4)],
        ...['1E500000', keysOf(2).appKey, ...blank(3), keysOf(2).appSKey],
      ),
    ].join(''),
  )
})

test('what is stored is loaded in the same run and read in a later one', async () => {
  const { pair, folder, options } = await prepare()
  const escrow = createEscrow({ ...options, identity: pair.identity })
  const all = [otaaOf(1), abpOf(2), splitKeys]
  const places = await Promise.all(all.map((one) => escrow.storeCredentials(one)))
  for (const [n, place] of places.entries()) {
    expect(revealed(await escrow.loadCredentials(place))).toEqual(revealed(all[n]))
    expect(revealed(await readCredentials(join(folder, place.file), place.line, pair.identity))).toEqual(
      revealed(all[n]),
    )
  }
  const file = join(folder, places[0]?.file ?? '')
  expect((await readCredentialsFile(file, pair.identity)).map(revealed)).toEqual(all.map(revealed))
  expect(await failureOf(() => readCredentials(file, 3, pair.identity))).toBe('stale EscrowDamaged')
})

test('both files are on the disk before the answer comes, for their owner alone', async () => {
  const { folder, options } = await prepare()
  const done: string[] = []
  const fs = watchedFiles({
    after: (operation, file) => {
      const name = file === folder ? 'folder' : (/\.(csv|jsonl)\.age/.exec(file)?.[1] ?? 'other')
      done.push(`${operation} ${name}`)
    },
  })
  const { file } = await createEscrow({ ...options, fs }).storeCredentials(otaaOf(1))
  const order = ['sync csv', 'link csv', 'sync jsonl', 'link jsonl', 'sync folder'].map((step) =>
    done.lastIndexOf(step),
  )
  expect(order).not.toContain(-1)
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  expect(file.endsWith('.jsonl.age')).toBe(true)
})

test.each(['csv', 'jsonl'])('a %s file that cannot be written leaves neither', async (kind) => {
  const { folder, options } = await prepare()
  const fs = watchedFiles({
    before: (operation, file) => {
      if (operation === 'link' && file.includes(`.${kind}.`)) throw failWith('ENOSPC')
      return undefined
    },
  })
  const escrow = createEscrow({ ...options, fs })
  expect(await failureOf(() => escrow.storeCredentials(otaaOf(1)))).toBe('state-not-written EscrowNotWritten')
  expect(await readdir(folder)).toEqual([])
})

test('no new key is on the disk in plain text, temporary files included', async () => {
  const { folder, options } = await prepare()
  const keys = Object.values(keysOf(1)).flatMap(spellingsOf)
  const seen: string[] = []
  const search = async () => {
    for (const name of await readdir(folder)) {
      seen.push(name)
      const bytes = await readFile(join(folder, name))
      expect(keys.filter((key) => bytes.includes(key))).toEqual([])
    }
  }
  const plain = watchedFiles({})
  const fs = {
    ...plain,
    link: async (from: unknown, to: unknown) => search().then(() => plain.link(from as string, to as string)),
  }
  await createEscrow({ ...options, fs }).storeCredentials(otaaOf(1))
  await search()
  expect(seen.some((name) => name.endsWith('.tmp'))).toBe(true)
})

test('records and credentials share no file, and one count', async () => {
  const { folder, options } = await prepare()
  const escrow = createEscrow(options)
  await Promise.all([escrow.store('A', deviceOf(1)), escrow.storeCredentials(otaaOf(1))])
  await escrow.storeCredentials(otaaOf(2))
  await createEscrow(options).store('B', deviceOf(1))
  expect((await listEscrow(folder)).map(({ stage, sequence }) => `${stage} ${sequence}`)).toEqual([
    'A 1',
    'B 4',
  ])
  expect((await listCredentials(folder)).map(({ sequence }) => sequence)).toEqual([2, 3])
})

test('what a killed run left of credentials is removed by the next', async () => {
  const { folder, options } = await prepare()
  expect(await listCredentials(folder)).toEqual([])
  await mkdir(folder, { recursive: true })
  for (const ending of ['csv', 'jsonl'])
    await writeFile(join(folder, `.new-000007-9f2c41d0.${ending}.age.0123456789ab.tmp`), 'x')
  const { file } = await createEscrow(options).storeCredentials(otaaOf(1))
  expect((await readdir(folder)).sort()).toEqual([file.replace('.jsonl.', '.csv.'), file].sort())
})

test('credentials that would not come back exactly, or are more than they seem, are refused', async () => {
  const { folder, options } = await prepare()
  const escrow = createEscrow(options)
  const wrong: readonly NewCredentials[] = [
    { ...otaaOf(1), rootKeys: { appKey: new Secret('A0'.repeat(15)) } },
    { ...otaaOf(1), rootKeys: { appKey: new Secret('a0'.repeat(16)) } },
    { ...otaaOf(1), target: '=HYPERLINK("x")' },
    { ...otaaOf(1), frequencyPlan: '@SUM(1)' },
    { ...otaaOf(1), frequencyPlan: 'EU\r\n863' },
    { ...otaaOf(1), lorawanVersion: 'MAC_UNKNOWN' },
    { ...abpOf(1), session: { ...splitKeys.session, devAddr: '12' as DevAddr } as never },
  ]
  for (const one of wrong) {
    expect(await failureOf(() => escrow.storeCredentials(one))).toBe('unexpected EscrowValueUnsupported')
  }
  expect(await readdir(folder).catch(() => [])).toEqual([])
})

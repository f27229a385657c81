import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { list } from '../../../src/cli/commands/escrow.ts'
import { credentials } from '../../../src/cli/commands/escrow-credentials.ts'
import type { Fact } from '../../../src/domain/journal.ts'
import type { EscrowPlace } from '../../../src/domain/ports.ts'
import { createEscrow, type Escrow } from '../../../src/escrow/escrow.ts'
import { generateIdentity, writeIdentity } from '../../../src/escrow/identity.ts'
import { localPlan } from '../../../src/operations/local-plan.ts'
import { loadPlan } from '../../../src/plan/load-plan.ts'
import { openJournal } from '../../../src/state/journal.ts'
import { abpOf, clock, deviceOf, keysOf, otaaOf } from '../escrow/support.ts'
import { failureOf, temporaryFolder } from '../state/support.ts'
import { terminalShell } from './support.ts'

let folder: string
let plan: string
let escrow: Escrow

const shell = (identity = 'identity.txt') =>
  terminalShell({ FERRY_AGE_IDENTITY: join(folder, identity), HOME: folder }, folder, [])

beforeEach(async () => {
  folder = await temporaryFolder()
  plan = join(folder, 'plan.yaml')
  const pair = await generateIdentity()
  await writeIdentity(join(folder, 'identity.txt'), pair, clock)
  escrow = createEscrow({ folder: join(folder, 'building-a.escrow'), recipients: [pair.recipient], clock })
  await writeFile(
    plan,
    `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: building-a }
source: { network: things-stack, url: 'https://a.example.org', application: building-a, apiKey: { env: A } }
target: { network: things-stack, url: 'https://b.example.org', application: building-a, apiKey: { env: B } }
devices: { include: [{ all: true }] }
policy: { persistSession: false, deleteSource: never }
escrow: { recipients: [${pair.recipient}] }
`,
  )
})

const remember = async (facts: readonly (readonly [string, Fact])[]): Promise<void> => {
  const checked = await loadPlan(plan)
  if (!checked.ok) throw new Error(JSON.stringify(checked.diagnostics))
  const { loaded, lineage, stateOwner } = localPlan(checked.value)
  const journal = await openJournal({ file: loaded.plan.state.file, lineage, ...stateOwner })
  await journal.append(facts.map(([device, fact]) => ({ t: 'fact', device, fact })))
  await journal.close()
}

const factOf = (place: EscrowPlace): Fact => ({
  name: 'credentials',
  ...place,
  rootKeys: '0123456789abcdef',
  session: null,
})

const written = (file: string) => readFile(join(folder, file), 'utf8')
const records = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, string>>)

test('the newest credentials that the state names are written, for the owner alone', async () => {
  const old = await escrow.storeCredentials(otaaOf(7))
  const meter1 = await escrow.storeCredentials({ ...otaaOf(2), device: 'meter-1' })
  const meter2 = await escrow.storeCredentials(abpOf(2))
  // Made by a run that was killed before its state knew: they are on no network.
  await escrow.storeCredentials({ ...otaaOf(9), device: 'meter-1' })
  await remember([
    ['meter-2', factOf(meter2)],
    ['meter-1', factOf(old)],
    ['meter-1', factOf(meter1)],
  ])
  const output = join(folder, 'new.json')
  await writeFile(output, 'what was there')
  const told = shell()
  expect(await credentials(told, [plan], { output, format: 'json' })).toBe(0)
  expect((await stat(output)).mode & 0o777).toBe(0o600)
  const found = records(await written('new.json'))
  expect(found.map(({ source_device_id }) => source_device_id)).toEqual(['meter-1', 'meter-2'])
  expect(found[0]).toMatchObject({ device_id: 'target-2', app_key: keysOf(2).appKey })
  expect(told.out.text()).toBe('')
  expect(told.err.text()).toContain('2 devices')
  expect(told.err.text()).not.toContain(keysOf(2).appKey)

  expect(await credentials(shell(), [plan], { output, format: 'csv', device: ['meter-2'] })).toBe(0)
  const lines = (await written('new.json')).split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[1]).toContain(`"${keysOf(2).appSKey}"`)
})

test('without a state the files tell, newest last, and that is said', async () => {
  await escrow.storeCredentials({ ...otaaOf(1), device: 'meter-1' })
  await escrow.storeCredentials(otaaOf(3))
  await escrow.storeCredentials({ ...otaaOf(2), device: 'meter-1' })
  const told = shell()
  expect(await credentials(told, [plan], { stdout: true, format: 'csv', json: true })).toBe(0)
  expect(records(told.out.text()).map(({ device_id }) => device_id)).toEqual(['target-2', 'target-3'])
  expect(told.err.text()).toContain('no state')
})

test('keys are written only where somebody said where they go', async () => {
  const at = (options: object) => failureOf(() => credentials(shell(), [plan], { format: 'csv', ...options }))
  expect(await at({})).toBe('usage KeysUnasked')
  expect(await at({ stdout: true, output: 'new.csv' })).toBe('usage TooMuchAsked')
})

test('a missing identity, an unknown device and a lost file are told apart, and nothing is written', async () => {
  const place = await escrow.storeCredentials(otaaOf(1))
  await remember([['meter-1', factOf(place)]])
  const output = join(folder, 'new.csv')
  const at = (device: readonly string[] | undefined, identity?: string) =>
    failureOf(() =>
      credentials(shell(identity), [plan], {
        output,
        format: 'csv',
        ...(device === undefined ? {} : { device }),
      }),
    )
  expect(await at(undefined, 'none.txt')).toBe('credentials IdentityMissing')
  expect(await at(['meter-1', 'nobody'])).toBe('usage EscrowDeviceUnknown')
  const path = join(folder, 'building-a.escrow', place.file)
  await rename(path, `${path}.away`)
  expect(await at(['meter-1'])).toBe('stale EscrowMissing')
  await rename(`${path}.away`, path)
  await remember([['meter-2', factOf(place)]])
  expect(await at(undefined)).toBe('stale EscrowDamaged')
  expect(await stat(output).catch(() => 'absent')).toBe('absent')
  await rm(path)
})

test('a plan without new credentials writes nothing, and says so', async () => {
  await remember([['meter-1', { name: 'source-started' }]])
  const told = shell()
  const output = join(folder, 'new.csv')
  expect(await credentials(told, [plan], { output, format: 'csv' })).toBe(0)
  expect(told.err.text()).toContain('note:')
  expect(await stat(output).catch(() => 'absent')).toBe('absent')
})

test('ferry escrow list tells records and new credentials', async () => {
  const record = await escrow.store('A', deviceOf(1))
  const place = await escrow.storeCredentials(otaaOf(1))
  await remember([
    ['meter-1', { name: 'escrow', stage: 'A', ...record }],
    ['meter-1', factOf(place)],
  ])
  const told = shell('none.txt')
  expect(await list(told, [plan], { json: true })).toBe(0)
  expect(JSON.parse(told.out.text())).toMatchObject({
    records: [
      { device: 'meter-1', stage: 'A', ...record },
      { device: 'meter-1', stage: 'new', ...place },
    ],
  })
})

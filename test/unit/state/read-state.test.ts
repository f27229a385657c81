import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { formatLines, headerOf, lineageOf } from '../../../src/state/format.ts'
import { openJournal } from '../../../src/state/journal.ts'
import { readState, type StateRead } from '../../../src/state/read-state.ts'
import { failureOf, journalOptions, numbered, owner, temporaryFolder } from './support.ts'

const stateOf = (records: number): Buffer => {
  const numbers = Array.from({ length: records }, (_, n) => numbered(n))
  return Buffer.from(formatLines('', [headerOf(lineageOf(owner), owner), ...numbers]).text)
}

const write = async (bytes: string | Uint8Array): Promise<string> => {
  const file = join(await temporaryFolder(), 'building-a.state.jsonl')
  await writeFile(file, bytes)
  return file
}

const outcomeOf = async (file: string): Promise<StateRead | string> => {
  let state: StateRead | undefined
  const failure = await failureOf(async () => {
    state = await readState(file)
  })
  return state ?? failure
}

test('every flipped bit is found: as damage, or on the last line as a torn tail', async () => {
  const whole = stateOf(3)
  const file = await write(whole)
  const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1
  for (let position = 0; position < whole.length; position += 1) {
    for (const bit of [0x01, 0x20, 0x80]) {
      const flipped = Buffer.from(whole)
      flipped[position] = (flipped[position] ?? 0) ^ bit
      await writeFile(file, flipped)
      const outcome = await outcomeOf(file)
      if (typeof outcome !== 'string') {
        expect(position).toBeGreaterThanOrEqual(lastLine)
        expect(outcome).toMatchObject({ status: 'read', tornTail: true, serial: 2 })
      } else {
        expect(['stale StateDamaged', 'stale StateVersionUnknown']).toContain(outcome)
      }
    }
  }
})

test('lines that are removed, added, doubled or moved are found', async () => {
  const lines = stateOf(4)
    .toString()
    .split(/(?<=\n)/)
  const [header = '', a = '', b = '', c = '', d = ''] = lines
  const cases = [
    [header, b, c, d],
    [header, a, c, d],
    [header, a, a, b, c, d],
    [header, b, a, c, d],
    [a, b, c, d],
    [header, a, '\n', b, c, d],
    [header, a, header, b, c, d],
    [header, a, '{"t":"fact"}\n', b, c, d],
  ]
  for (const parts of cases) {
    const file = await write(parts.join(''))
    expect(await outcomeOf(file)).toBe('stale StateDamaged')
    expect(await failureOf(() => openJournal(journalOptions(file)))).toBe('stale StateDamaged')
    expect(await readFile(file, 'utf8')).toBe(parts.join(''))
  }
})

test('damage is told with line and byte, and with the command that repairs', async () => {
  const whole = stateOf(4)
  const lines = whole.toString().split(/(?<=\n)/)
  const offset = Buffer.byteLength(lines.slice(0, 2).join(''))
  whole[offset + 5] = 0x58
  const file = await write(whole)
  await expect(readState(file)).rejects.toMatchObject({
    code: 'StateDamaged',
    message: expect.stringContaining(`line 3 (byte ${offset})`),
    hint: expect.stringContaining('ferry state repair'),
  })
})

test('an empty file and one without a whole header are damage, not absence', async () => {
  const whole = stateOf(0)
  for (const size of [0, 1, 20, whole.length - 1]) {
    const file = await write(whole.subarray(0, size))
    expect(await outcomeOf(file)).toBe('stale StateDamaged')
    expect(await failureOf(() => openJournal(journalOptions(file)))).toBe('stale StateDamaged')
  }
  expect(await outcomeOf(await write(whole))).toMatchObject({ status: 'read', serial: 0, records: [] })
})

test('a header without lineage is damage, and one of another version is told apart', async () => {
  const header = headerOf(lineageOf(owner), owner)
  const { lineage: _, ...without } = header
  const other = { ...header, formatVersion: 2 }
  const lines = (content: object) => formatLines('', [content as typeof header, numbered(0)]).text
  expect(await outcomeOf(await write(lines(without)))).toBe('stale StateDamaged')
  expect(await outcomeOf(await write(lines(other)))).toBe('stale StateVersionUnknown')
  expect(await outcomeOf(await write('{"t":"header","formatVersion":7,"of":"the future"}\n'))).toBe(
    'stale StateVersionUnknown',
  )
})

test('a record of a kind that nobody knows is damage, even with a right hash', async () => {
  const lines = formatLines('', [headerOf(lineageOf(owner), owner), { t: 'later' } as never, numbered(0)])
  expect(await outcomeOf(await write(lines.text))).toBe('stale StateDamaged')
})

test('the state of another plan is refused', async () => {
  const file = await write(stateOf(1))
  const other = { ...owner, name: 'building-b' }
  const lineage = lineageOf(other)
  expect(await failureOf(() => readState(file, { lineage }))).toBe('stale StateOfAnotherPlan')
  expect(await failureOf(() => openJournal({ file, lineage, ...other }))).toBe('stale StateOfAnotherPlan')
  expect(await readState(file, { lineage: lineageOf(owner) })).toMatchObject({ status: 'read', serial: 1 })
})

test('a state that the system refuses to read is not taken for absent', async () => {
  expect(await failureOf(async () => readState(await temporaryFolder()))).toBe('stale StateUnreadable')
})

test('the lineage depends on name, source and target, and on nothing else', () => {
  const lineage = lineageOf(owner)
  expect(lineage).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(lineageOf({ ...owner, source: { ...owner.source, extra: 1 } as never })).toBe(lineage)
  expect(lineageOf({ target: owner.target, source: owner.source, name: owner.name })).toBe(lineage)
  expect(lineageOf({ ...owner, name: 'building-b' })).not.toBe(lineage)
  expect(lineageOf({ ...owner, source: owner.target, target: owner.source })).not.toBe(lineage)
})

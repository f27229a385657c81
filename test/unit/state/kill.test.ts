import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openJournal } from '../../../src/state/journal.ts'
import { readState } from '../../../src/state/read-state.ts'
import { compiledSources, journalOptions, numbersOf, temporaryFolder } from './support.ts'

const KILLS = 20

/** Appends single records and groups, and tells each number once its append was acknowledged. */
const APPENDER = `
import { writeSync } from 'node:fs'
import { openJournal } from './src/state/journal.js'
const { options, first } = JSON.parse(process.argv[2])
const journal = await openJournal(options)
let n = first
const append = async (count) => {
  const numbers = Array.from({ length: count }, () => n++)
  const records = numbers.map((line) => ({
    t: 'fact', device: 'meter-' + line, fact: { name: 'escrow', stage: 'A', file: 'A-000001-9f2c41d0.age', line },
  }))
  await journal.append(records)
  writeSync(1, numbers.map((line) => line + '\\n').join(''))
}
for (;;) await Promise.all([append(1), append(3), append(40)])
`

test(`every record that was acknowledged is there after each of ${KILLS} kills`, async () => {
  const folder = await temporaryFolder()
  await compiledSources(folder)
  const script = join(folder, 'appender.js')
  await writeFile(script, APPENDER)
  const file = join(folder, 'building-a.state.jsonl')
  let torn = 0
  let acknowledged = 0
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = await readState(file)
    const first = before.status === 'read' ? before.records.length : 0
    const options = JSON.stringify({ options: journalOptions(file), first })
    const child = spawn(process.execPath, [script, options], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    const chunks = 1 + ((kill * 7) % 5)
    let seen = 0
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      seen += 1
      if (seen === chunks) child.kill('SIGKILL')
    })
    const [, signal] = await once(child, 'close')
    expect(signal).toBe('SIGKILL')
    const numbers = output
      .slice(0, output.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map(Number)
    acknowledged += numbers.length
    expect(numbers.length).toBeGreaterThan(0)
    const after = await readState(file)
    if (after.status !== 'read') throw new Error('the state file is gone')
    if (after.tornTail) torn += 1
    const kept = new Set(numbersOf(after.records))
    expect(numbers.filter((number) => !kept.has(number))).toEqual([])
    expect(numbersOf(after.records)).toEqual(Array.from({ length: kept.size }, (_, n) => n))
    const journal = await openJournal(journalOptions(file))
    await journal.close()
    expect(journal.tornTail).toBe(after.tornTail)
    expect((await readFile(file)).at(-1)).toBe(0x0a)
  }
  expect(acknowledged).toBeGreaterThan(KILLS)
  expect(torn).toBeLessThanOrEqual(KILLS)
})

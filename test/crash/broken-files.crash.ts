import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { type Ended, ferry } from '../cli/support.ts'
import { brokenChangeSet } from './change-set-mutations.ts'
import { CHOSEN } from './chosen.ts'
import { mutated } from './mutations.ts'
import { PLANS } from './survive-mutations.ts'
import { survived } from './tally.ts'

const MiB = 1024 * 1024
const COUNT = 20
const { one, seed } = CHOSEN
const seeds =
  one === undefined ? Array.from({ length: COUNT }, (_, at) => seed * 1_000_000 + at) : [Number(one)]

const folder = mkdtempSync(join(tmpdir(), 'ferry-broken-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content)
  return name
}

const run = (...args: string[]): Promise<Ended> => ferry(args, { cwd: folder, limit: 20_000 })

/** Ended by itself, with a code that is documented and no defect, without a stack or anything that acts in a terminal. */
const expectTold = ({ code, stdout, stderr }: Ended, what: string, codes: readonly number[]): void => {
  expect(codes, `${what}: ${stderr}`).toContain(code)
  const told = stdout + stderr
  expect(told, what).not.toMatch(/(?!\n)\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u)
  expect(told, what).not.toMatch(/^\s+at .+:\d+/m)
}

describe.runIf(CHOSEN.takes('broken-files'))('the published command', () => {
  it.each(seeds)(
    'tells what is wrong with a broken plan and a broken change set: broken-files: %i',
    async (at) => {
      const plan = write('plan.yaml', mutated(PLANS, at))
      const { 'plan-invalid': invalid, stale, done } = EXIT_CODES
      expectTold(await run('validate', plan), 'validate', [done, invalid])
      const { bytes } = brokenChangeSet(at)
      const changeSet = write('changes.jsonl', bytes)
      expectTold(await run('show', changeSet), 'show', [done, stale])
      // one that was only written otherwise is taken, and names a plan that is not there
      expectTold(await run('apply', changeSet, '--yes'), 'apply', [stale, invalid])
      survived('mutations', 3)
    },
  )

  it('reads no further than 2 MiB into a plan, whatever it comes from', async () => {
    const files = [2 * MiB + 1, 10 * MiB, 50 * MiB].map((size) =>
      write(`${size}.yaml`, Buffer.alloc(size, 'a')),
    )
    for (const file of [...files, '/dev/zero']) {
      const ended = await run('validate', file)
      expectTold(ended, file, [EXIT_CODES['plan-invalid']])
      expect(ended.stdout).toMatch(/PlanTooLarge[\s\S]*idsFile/)
    }
    execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: folder })
    const writer = spawn('sh', ['-c', 'exec yes > pipe'], { cwd: folder, stdio: 'ignore' })
    try {
      const ended = await run('validate', 'pipe')
      expectTold(ended, 'a pipe', [EXIT_CODES['plan-invalid']])
      expect(ended.stdout).toContain('PlanTooLarge')
    } finally {
      writer.kill()
    }
  })

  it('does not hang on a change set without end, or on a pipe that nobody writes to', async () => {
    execFileSync('sh', ['-c', 'mkfifo quiet'], { cwd: folder })
    for (const name of ['/dev/zero', 'quiet']) expectTold(await run('show', name), name, [EXIT_CODES.usage])
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadPlan } from '../../../src/plan/load-plan.ts'
import { placeOf, planText, told } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'ferry-plan-'))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const codes = async (file: string): Promise<readonly string[]> =>
  (await loadPlan(file)).diagnostics.map(({ code }) => code)

describe('loading a plan', () => {
  it('gives the plan, the file as it was named, and absolute paths', async () => {
    const file = relative(process.cwd(), write('good.yaml', planText()))
    const result = await loadPlan(file)
    expect(result).toMatchObject({
      ok: true,
      value: { file, plan: { state: { file: join(folder, 'building-a.state.jsonl') } } },
    })
  })

  it('takes a byte order mark and CRLF', async () => {
    const text = planText({ policy: 'policy: { persistSession: maybe }' }).replaceAll('\n', '\r\n')
    const file = write('bom.yaml', `\uFEFF${text}`)
    expect(told(await loadPlan(file))).toEqual([`${file}:15:27 WrongType`])
  })

  it('takes JSON, which is YAML', async () => {
    const result = await loadPlan(write('plan.json', JSON.stringify({ apiVersion: 'ferry/v1' })))
    expect(new Set(result.diagnostics.map(({ code }) => code))).toEqual(new Set(['MissingField']))
  })

  it('refuses what is not there, or a folder', async () => {
    const missing = join(folder, 'nowhere.yaml')
    const result = await loadPlan(missing)
    expect(told(result)).toEqual([`${missing}:1:1 PlanUnreadable`])
    expect(result.diagnostics[0]?.message).toBe('the plan does not exist')
    expect(await codes(folder)).toEqual(['PlanUnreadable'])
  })

  it('refuses 3 MiB without reading them, and names idsFile', async () => {
    const file = write('large.yaml', 'a'.repeat(3 * 1024 * 1024))
    const result = await loadPlan(file)
    expect(result.diagnostics.map(({ code }) => code)).toEqual(['PlanTooLarge'])
    expect(result.diagnostics[0]?.hint).toContain('idsFile')
    const asked: number[] = []
    await loadPlan('large.yaml', {
      readBytes: async (_, limit) => {
        asked.push(limit)
        return undefined
      },
    })
    expect(asked).toEqual([2 * 1024 * 1024])
  })

  it('refuses what is not UTF-8, at its place', async () => {
    const bytes = Buffer.concat([Buffer.from('apiVersion: ferry/v1\nkind: '), Buffer.from([0xff, 0xfe])])
    const file = write('latin.yaml', bytes)
    expect(told(await loadPlan(file))).toEqual([`${file}:2:7 NotUtf8`])
    expect(await codes(write('utf16.yaml', Buffer.from('\uFEFFkind: a', 'utf16le')))).toEqual(['NotUtf8'])
  })

  it.each([
    ['NUL', '\0'],
    ['escape', '\u001B'],
    ['C1', '\u0090'],
    ['right-to-left override', '\u202E'],
  ])('refuses characters that cannot be seen: %s', async (_, character) => {
    const file = write('unseen.yaml', `apiVersion: ferry/v1\nkind: a${character}b\n`)
    expect(told(await loadPlan(file))).toEqual([`${file}:2:8 ControlCharacter`])
  })
})

describe('id files', () => {
  const plan = planText({ devices: 'devices: { include: [{ idsFile: ids/devices.txt }] }' })
  mkdirSync(join(folder, 'ids'))
  const load = async (ids: string | Uint8Array) => {
    write('ids/devices.txt', ids)
    return loadPlan(write('ids.yaml', plan))
  }

  it('hold one id a line, with comments, blank lines, CRLF and no last line end [edge 98]', async () => {
    const result = await load('\uFEFF# devices\r\n\r\nmeter-1\r\n  meter-2  # cellar\r\n007\r\n1e3')
    expect(result.diagnostics).toEqual([])
    expect(result).toMatchObject({
      value: {
        plan: {
          devices: {
            include: [
              {
                idsFile: { path: join(folder, 'ids/devices.txt'), ids: ['meter-1', 'meter-2', '007', '1e3'] },
              },
            ],
          },
        },
      },
    })
  })

  it('have their own places in findings', async () => {
    const result = await load('meter-1\n  Meter-2\nmeter-1\n\nnot an id\n')
    const file = join(folder, 'ids/devices.txt')
    expect(told(result)).toEqual([
      `${file}:2:3 InvalidId`,
      `${file}:3:1 DuplicateId`,
      `${file}:5:1 InvalidId`,
    ])
    expect(result.diagnostics[0]?.hint).toBe('did you mean "meter-2"?')
  })

  it('are told of 20 times', async () => {
    const result = await load(
      'NOT AN ID\n'.repeat(1) + Array.from({ length: 50 }, (_, i) => `X_${i}`).join('\n'),
    )
    expect(result.ok).toBe(false)
    expect(result.diagnostics).toHaveLength(21)
    expect(result.diagnostics.some(({ code }) => code === 'MoreFindings')).toBe(true)
  })

  it('that are empty, missing, too large or no text are found where they are named', async () => {
    const at = join(folder, 'ids.yaml:14:33')
    const places = async (ids: string | Uint8Array) => {
      const { diagnostics } = await load(ids)
      return diagnostics.map((diagnostic) => [placeOf(diagnostic), diagnostic.code])
    }
    expect(await places('# none\n')).toEqual([[at, 'EmptyIdsFile']])
    expect(await places(new Uint8Array([0xff]))).toEqual([[at, 'IdsFileUnreadable']])
    expect(await places('a'.repeat(16 * 1024 * 1024 + 1))).toEqual([[at, 'IdsFileUnreadable']])
    rmSync(join(folder, 'ids/devices.txt'))
    const result = await loadPlan(join(folder, 'ids.yaml'))
    expect(told(result)).toEqual([`${at} IdsFileUnreadable`])
    expect(result.diagnostics[0]?.message).toBe('the file "ids/devices.txt" does not exist')
  })

  it('of 100 000 ids are read in seconds', async () => {
    const started = performance.now()
    const result = await load(Array.from({ length: 100_000 }, (_, index) => `meter-${index}`).join('\n'))
    expect(result.ok).toBe(true)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LanguageServer, startLanguageServer } from '../support/language-server.ts'

const FOLDER = resolve('plans')
const EXAMPLES = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'))

let server: LanguageServer
beforeAll(async () => {
  server = await startLanguageServer()
})
afterAll(() => server.close())

const textOf = (name: string): Promise<string> => readFile(join(FOLDER, name), 'utf8')

/** Line and character, from 0, of the mark in a text. */
const placed = (
  marked: string,
): { readonly text: string; readonly at: { line: number; character: number } } => {
  const before = marked.slice(0, marked.indexOf('‸')).split('\n')
  return {
    text: marked.replace('‸', ''),
    at: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
  }
}

const HEAD = '# yaml-language-server: $schema=../schemas/migration-plan.v1.json\napiVersion: ferry/v1\n'

describe('an editor with the language server for YAML', () => {
  it.each(EXAMPLES)('finds the schema of plans/%s by its first line, and nothing wrong', async (name) => {
    const text = await textOf(name)
    expect(text).toMatch(/^# yaml-language-server: \$schema=/)
    expect(await server.problems(join(FOLDER, name), text)).toEqual([])
  })

  it('marks what is no field, and what is no value of one', async () => {
    const { text, at } = placed(`${HEAD}kind: MigrationPlan\npolicy:\n  ‸persistSessions: true\n`)
    const problems = await server.problems(join(FOLDER, 'wrong.yaml'), text)
    expect(problems.map(({ range }) => range.start.line)).toContain(at.line)
    expect(problems.map(({ message }) => message).join('\n')).toContain('persistSessions')
    const value = await server.problems(
      join(FOLDER, 'value.yaml'),
      `${HEAD}kind: MigrationPlan\npolicy:\n  deleteSource: sometimes\n`,
    )
    expect(value.map(({ message }) => message).join('\n')).toMatch(/never.*after-import.*after-heard/s)
  })

  it.each([
    ['deleteSource', 'policy:\n  ‸deleteSource: never\n', /heard/],
    ['handover', 'policy:\n  ‸handover: stop-first\n', /stop-first/],
    ['forbid', '‸forbid: [deleteSource]\n', /never/],
    ['gateways', 'coverage:\n  ‸gateways: on-target\n', /on-target/],
  ])('explains %s, and what its values mean', async (name, lines, meaning) => {
    const { text, at } = placed(`${HEAD}${lines}`)
    const path = join(FOLDER, `hover-${name}.yaml`)
    await server.problems(path, text)
    expect(await server.hover(path, at)).toMatch(meaning)
  })

  it('offers fields, and values', async () => {
    const fields = placed(`${HEAD}policy:\n  ‸\n`)
    await server.problems(join(FOLDER, 'fields.yaml'), fields.text)
    expect(await server.offers(join(FOLDER, 'fields.yaml'), fields.at)).toEqual(
      expect.arrayContaining(['persistSession', 'deleteSource', 'handover', 'rx1Delay']),
    )
    const values = placed(`${HEAD}policy:\n  deleteSource: ‸\n`)
    await server.problems(join(FOLDER, 'values.yaml'), values.text)
    expect(await server.offers(join(FOLDER, 'values.yaml'), values.at)).toEqual(
      expect.arrayContaining(['never', 'after-import', 'after-heard']),
    )
  })
})

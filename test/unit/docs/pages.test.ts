import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { EXIT_CODES, EXIT_MEANINGS } from '../../../src/cli/exit-codes.ts'
import { parseCommandLine } from '../../../src/cli/program.ts'
import { loadPlan } from '../../../src/plan/load-plan.ts'
import { blocksOf, brokenLinks, inlineOf, pages, root, rowsOf, sectionOf, textOf } from './pages.ts'

const readme = textOf('README.md')
const folder = mkdtempSync(join(tmpdir(), 'ferry-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

const parse = (argv: readonly string[]) =>
  parseCommandLine(argv, { out: () => undefined, err: () => undefined, width: 80 })

/** Whether help knows a command by this name: an unknown subcommand gets the help of its parent. */
const isCommand = async (name: string): Promise<boolean> => {
  const help: string[] = []
  await parseCommandLine([...name.split(' '), '--help'], {
    out: (text) => help.push(text),
    err: () => undefined,
    width: 80,
  })
  return help.join('').includes(`Usage: ferry ${name}`)
}

/** Command lines of ferry in the shell blocks of a page, without comments. */
const commandLines = (text: string): readonly string[] =>
  blocksOf(text, 'sh')
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line.startsWith('ferry '))

/** Commands that inline code names: `escrow keygen`, `plan`. */
const namedCommands = (text: string): readonly string[] => [
  ...new Set(
    inlineOf(text).flatMap((code) => {
      const name = /^ferry ((?:escrow|state) [a-z]+|[a-z]+)/.exec(code)?.[1]
      return name === undefined || name === 'help' ? [] : [name]
    }),
  ),
]

describe.each(pages)('%s', (page) => {
  const text = textOf(page)

  it('has no link that leads nowhere', () => {
    expect(brokenLinks(page)).toEqual([])
  })

  it('shows command lines that the command line takes', async () => {
    const wrong: string[] = []
    for (const line of commandLines(text)) {
      if (!('asked' in (await parse(line.split(/\s+/).slice(1))))) wrong.push(line)
    }
    expect(wrong).toEqual([])
  })

  it('names commands that exist', async () => {
    const wrong: string[] = []
    for (const name of namedCommands(text)) if (!(await isCommand(name))) wrong.push(name)
    expect(wrong).toEqual([])
  })

  it('shows plans that are valid', async () => {
    for (const [index, block] of blocksOf(text, 'yaml').entries()) {
      if (!block.includes('kind: MigrationPlan')) continue
      const file = join(folder, `${page.replaceAll('/', '-')}-${index}.yaml`)
      writeFileSync(file, block)
      const result = await loadPlan(file)
      expect(result.diagnostics.filter(({ severity }) => severity !== 'note')).toEqual([])
    }
  })

  it('spells names as their owners do, and names no place of a machine', () => {
    expect(text).not.toMatch(/\b(?:LoRaWan|LoraWAN|Lorawan|LORAWAN|The Things stack|TheThingsStack)\b/)
    expect(text).not.toMatch(/(?<![\w.])\/(?:home|Users|work|root|tmp)\//)
  })
})

describe('README.md', () => {
  it('begins with the two commands', () => {
    const commands = blocksOf(readme, 'sh')[0] ?? ''
    expect(readme.indexOf(commands)).toBeLessThan(100)
    expect(commands).toMatch(/^npm ci && npm run demo\b.*\nnpm ci && npm test\b/)
  })

  it('shows a plan', () => {
    expect(blocksOf(readme, 'yaml').some((block) => block.includes('kind: MigrationPlan'))).toBe(true)
  })

  it('has the exit codes of the command line, in its words', () => {
    const told = rowsOf(sectionOf(readme, '### Exit codes')).slice(1)
    const meant = EXIT_MEANINGS.map(([end, meaning]) => [String(EXIT_CODES[end]), meaning])
    expect(told.map(([code, meaning]) => [code, meaning?.replaceAll('`', '')])).toEqual(meant)
  })

  it('has every command in its table', async () => {
    const told = rowsOf(sectionOf(readme, '## Commands')).flatMap(
      ([command]) => /^`ferry ([a-z]+)`$/.exec(command ?? '')?.[1] ?? [],
    )
    const help: string[] = []
    await parseCommandLine(['--help'], { out: (text) => help.push(text), err: () => undefined, width: 200 })
    const list = /\nCommands:\n([\s\S]*?)\n\n/.exec(help.join(''))?.[1] ?? ''
    const commands = [...list.matchAll(/^ {2}([a-z]+)\b/gm)].map((match) => match[1])
    expect(told.sort()).toEqual(commands.filter((name) => name !== 'help').sort())
  })

  it('has every right that is needed', () => {
    const source = readFileSync(join(root, 'src/networks/things-stack/rights.ts'), 'utf8')
    const needed = [...source.matchAll(/right: '(RIGHT_\w+)'/g)].map((match) => match[1])
    const told = rowsOf(sectionOf(readme, '## Rights of the API keys')).map(([right]) =>
      right?.replaceAll('`', ''),
    )
    expect(told.slice(1).sort()).toEqual([...new Set(needed)].sort())
  })
})

describe('the checks of these pages', () => {
  it('find links that lead nowhere, also under code', () => {
    const text =
      'See [a](#nowhere), [`b`](gone.md), [c](README.md#exit-codes), [d](https://x.example), `[e](code)`.'
    expect(brokenLinks('README.md', text)).toEqual(['#nowhere', 'gone.md'])
  })

  it('find commands that do not exist', async () => {
    expect(commandLines('```sh\nferry plan x --no-such\n```\n')).toEqual(['ferry plan x --no-such'])
    expect(await parse(['plan', 'x', '--no-such'])).toEqual({ exitCode: 64 })
    expect(namedCommands('the `ferry escrow burn` and `ferry help`')).toEqual(['escrow burn'])
    expect(await isCommand('escrow burn')).toBe(false)
    expect(await isCommand('burn')).toBe(false)
    expect(await isCommand('escrow keygen')).toBe(true)
  })
})

describe('CONTRIBUTING.md', () => {
  it('has a reason for each dependency', () => {
    const rows = rowsOf(sectionOf(textOf('CONTRIBUTING.md'), '## Dependencies')).filter(
      ([, when]) => when === 'run' || when === 'develop',
    )
    const told = (when: string) =>
      rows.filter((row) => row[1] === when).map(([name]) => name?.replaceAll('`', ''))
    const known = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly dependencies: object
      readonly devDependencies: object
    }
    expect(told('run').sort()).toEqual(Object.keys(known.dependencies).sort())
    expect(told('develop').sort()).toEqual(Object.keys(known.devDependencies).sort())
  })
})

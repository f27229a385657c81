import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apply } from '../../../src/cli/commands/apply.ts'
import { init } from '../../../src/cli/commands/init.ts'
import { type RunningSimulator, startSimulator } from '../../../src/simulator/index.ts'
import { terminalShell } from './support.ts'

let simulator: RunningSimulator
let folder: string
beforeAll(async () => {
  simulator = await startSimulator()
  folder = await mkdtemp(join(tmpdir(), 'ferry-asking-'))
})
afterAll(async () => {
  await simulator.close()
  await rm(folder, { recursive: true, force: true })
})

const environment = (): Readonly<Record<string, string>> => ({
  XDG_CONFIG_HOME: join(folder, 'config'),
  SOURCE_API_KEY: simulator.networks[0].apiKey,
  TARGET_API_KEY: simulator.networks[1].apiKey,
})

describe('on a terminal', () => {
  test('init asks for what no option says', async () => {
    const [source, target] = simulator.networks
    const answers = [
      source.url,
      source.application,
      '',
      target.url,
      target.application,
      'TARGET_API_KEY',
      'join',
    ]
    const shell = terminalShell(environment(), folder, answers)
    const file = join(folder, 'asked.yaml')
    expect(await init(shell, [file], {})).toBe(0)
    expect(shell.questions).toHaveLength(7)
    const text = await readFile(file, 'utf8')
    expect(text).toContain('apiKey: { env: SOURCE_API_KEY }')
    expect(text).toContain('persistSession: false')
  })

  test('init asks again for what can not be used, and where gateways are when sessions are kept', async () => {
    const [source, target] = simulator.networks
    const key = 'NNSXS.ABCDEF.GHIJKL'
    const ends = [source.application, '', target.url, target.application, '']
    const answers = ['eu1.cloud', source.url, 'Building A', ...ends, 'maybe', 'keep', 'nowhere', 'moving-now']
    const shell = terminalShell(environment(), folder, answers)
    const file = join(folder, 'again.yaml')
    expect(await init(shell, [file], {})).toBe(0)
    expect(shell.questions).toHaveLength(answers.length)
    const text = await readFile(file, 'utf8')
    expect(text).toContain('persistSession: true')
    expect(text).toContain('gateways: moving-now')

    const stubborn = terminalShell(environment(), folder, [key, key, key])
    await expect(init(stubborn, [join(folder, 'never.yaml')], {})).rejects.toMatchObject({
      code: 'AnswerUnknown',
    })
    expect(stubborn.err.text()).not.toContain(key)
  })

  test('init gives up when the answers end', async () => {
    const shell = terminalShell(environment(), folder, ['', undefined])
    await expect(init(shell, [join(folder, 'never.yaml')], {})).rejects.toMatchObject({
      code: 'AnswersMissing',
    })
  })

  test('apply shows the preview and takes nothing but yes; then it makes an escrow identity for the user', async () => {
    const file = join(folder, 'plan.yaml')
    const asked = await readFile(join(folder, 'asked.yaml'), 'utf8')
    await writeFile(file, asked.replace('- all: true', '- ids: [meter-103]'))
    const identity = join(folder, 'config', 'ferry', 'identity.txt')

    const refusing = terminalShell(environment(), folder, ['y'])
    expect(await apply(refusing, [file], {})).toBe(4)
    expect(refusing.err.text()).toContain('READY')
    expect(refusing.out.text()).toBe('')
    expect(existsSync(identity)).toBe(false)
    expect(existsSync(join(folder, 'building-a.state.jsonl'))).toBe(false)

    const agreeing = terminalShell(environment(), folder, ['yes'])
    expect(await apply(agreeing, [file], {})).toBe(7)
    expect(agreeing.err.text()).toContain(identity)
    expect((await stat(identity)).mode & 0o777).toBe(0o600)
    expect(agreeing.out.text()).toContain('PARTLY DONE')
    expect(`${agreeing.err.text()}${agreeing.out.text()}`).not.toContain('AGE-SECRET-KEY')
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { PLAIN_STYLE } from '../../report/layout.ts'
import { type RunningSimulator, startSimulator } from '../../simulator/index.ts'
import { parseCommandLine } from '../program.ts'
import { runCommand } from '../run.ts'
import type { Output, Shell } from '../shell.ts'

/** Two local networks, a temporary folder to work in, and the commands to work with. */
export interface World {
  readonly simulator: RunningSimulator
  readonly folder: string
  /** Runs a command line as the shell would, and answers its exit code. */
  ferry(argv: readonly string[]): Promise<number>
  /** Runs a command line unseen, and answers what it printed. */
  capture(argv: readonly string[]): Promise<string>
  write(file: string, text: string): Promise<void>
  /** Lets so many days pass for the commands. */
  wait(days: number): void
  /** Requests that would change something, since the last call, on both networks. */
  writes(): Promise<number>
  /** The registries of a network as they are. */
  store(side: 'source' | 'target'): Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>>
  /** Leaves the folder, and removes it unless it is to be kept. */
  close(keep: boolean): Promise<void>
}

const DAY = 86_400_000

export const startWorld = async (shell: Shell, out: Output): Promise<World> => {
  const simulator = await startSimulator()
  const home = process.cwd()
  const folder = await mkdtemp(join(tmpdir(), 'ferry-demo-'))
  process.chdir(folder)
  const [source, target] = simulator.networks
  let shift = 0
  const inside: Shell = {
    ...shell,
    // Nothing of the surroundings: neither CI nor an organisation's policy is about local networks.
    env: {
      SOURCE_API_KEY: source.apiKey,
      TARGET_API_KEY: target.apiKey,
      FERRY_AGE_IDENTITY: join(folder, 'identity.txt'),
    },
    folder,
    out,
    err: quiet(out),
    clock: () => new Date(shell.clock().getTime() + shift),
    canAsk: false,
  }
  const urls = { source: source.url, target: target.url }
  return {
    simulator,
    folder,
    ferry: (argv) => run(inside, argv),
    capture: async (argv) => {
      let printed = ''
      const unseen = (write: Output['write']): Output => ({ ...out, style: PLAIN_STYLE, write })
      const taken = unseen((text) => {
        printed += text
      })
      await run({ ...inside, out: taken, err: unseen(() => undefined) }, argv)
      return printed
    },
    write: (file, text) => writeFile(join(folder, file), text),
    wait: (days) => {
      shift += days * DAY
    },
    writes: async () => {
      const counts = await Promise.all(Object.values(urls).map(countWrites))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    store: async (side) => {
      const response = await fetch(`${urls[side]}/simulator/v1/store`)
      return (await response.json()) as Readonly<Record<string, Readonly<Record<string, unknown>>>>
    },
    close: async (keep) => {
      await simulator.close()
      process.chdir(home)
      if (!keep) await rm(folder, { recursive: true, force: true })
    },
  }
}

const run = async (shell: Shell, argv: readonly string[]): Promise<number> => {
  const streams = { out: shell.out.write, err: shell.err.write, width: shell.out.width }
  const parsed = await parseCommandLine(argv, streams)
  return 'exitCode' in parsed
    ? parsed.exitCode
    : runCommand(shell, parsed.asked, { debugFile: undefined, argv })
}

const countWrites = async (url: string): Promise<number> => {
  const control = `${url}/simulator/v1/requests`
  const response = await fetch(control)
  const { requests } = (await response.json()) as {
    readonly requests: readonly { readonly method: string }[]
  }
  await fetch(control, { method: 'DELETE' })
  return requests.filter(({ method }) => method !== 'GET').length
}

/** Sentences alone: lines of progress would only interrupt a story that takes seconds. */
const quiet = (out: Output): Output => ({
  isTerminal: false,
  width: out.width,
  style: out.style,
  write: (text) => {
    if (/^(?:\S*(?:error|warning|note):| {2}hint:)/.test(text)) out.write(text)
  },
})

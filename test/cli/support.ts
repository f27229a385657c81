import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import { type RunningSimulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'

/** The command as it is published; `scripts/check.mjs` builds it before the tests. */
const MAIN = resolve('dist/cli/main.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Milliseconds until it is killed. */
  readonly limit?: number
  /** Told every piece of the error output, with the process. */
  readonly onError?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
  /** The same for the standard output. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
  /** Told the process as soon as it is there. */
  readonly onPid?: (pid: number) => void
  /** Closes the standard output at once. */
  readonly deaf?: boolean
}

/** A working folder with nothing in it: what lies about in the system's own must not matter. */
const NOWHERE = mkdtempSync(join(tmpdir(), 'ferry-nowhere-'))
afterAll(() => rmSync(NOWHERE, { recursive: true, force: true }))

/** Everything that any command printed in this file, for the search for keys. */
const printed: string[] = []

/** Runs `ferry` in a process of its own, with nothing of this process's environment but the path. */
export const ferry = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: options.cwd ?? NOWHERE,
      env: { PATH: process.env['PATH'] ?? '', HOME: options.cwd ?? NOWHERE, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.limit ?? 30_000,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    if (child.pid !== undefined) options.onPid?.(child.pid)
    if (options.deaf === true) child.stdout.destroy()
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      options.onOutput?.(stdout, (signal) => child.kill(signal))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      options.onError?.(stderr, (signal) => child.kill(signal))
    })
    child.once('error', fail)
    child.once('close', (code) => {
      printed.push(stdout, stderr)
      done({ code, stdout, stderr })
    })
  })

export interface Place {
  readonly folder: string
  readonly simulator: RunningSimulator
  /** Runs `ferry` in the folder, with the keys of both networks and an escrow identity of the folder's own. */
  ferry(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** Writes `plan.yaml`, or another file: the whole sample, sessions kept, unless `changes` says otherwise. */
  plan(changes?: PlanChanges): Promise<string>
  read(file: string): Promise<string>
  write(file: string, text: string): Promise<void>
  path(file: string): string
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

interface PlanChanges {
  readonly file?: string
  readonly name?: string
  readonly include?: string
  readonly policy?: string
  readonly rest?: string
  readonly sourceUrl?: string
  readonly sourceApplication?: string
  readonly targetUrl?: string
  readonly recipients?: boolean
}

/** Both local networks, and an empty folder. */
export const createPlace = async (options: SimulatorOptions = {}): Promise<Place> => {
  const simulator = await startSimulator(options)
  const folder = await mkdtemp(join(tmpdir(), 'ferry-test-'))
  const [source, target] = simulator.networks
  const path = (file: string): string => join(folder, file)
  const env = {
    SOURCE_API_KEY: source.apiKey,
    TARGET_API_KEY: target.apiKey,
    FERRY_AGE_IDENTITY: path('identity.txt'),
    XDG_CONFIG_HOME: path('config'),
  }
  const run: Place['ferry'] = (args, given = {}) =>
    ferry(args, { cwd: folder, ...given, env: { ...env, ...given.env } })
  const { stdout: recipient } = await run(['escrow', 'keygen', '-o', 'identity.txt'])
  return {
    folder,
    simulator,
    env,
    path,
    ferry: run,
    read: (file) => readFile(path(file), 'utf8'),
    write: (file, text) => writeFile(path(file), text),
    plan: async (changes = {}) => {
      const file = changes.file ?? 'plan.yaml'
      await writeFile(path(file), planText(simulator, changes, recipient.trim()))
      return file
    },
    close: async () => {
      await simulator.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const planText = (
  { networks: [source, target] }: RunningSimulator,
  changes: PlanChanges,
  recipient: string,
): string => `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: ${changes.name ?? 'building-a'} }
source:
  network: things-stack
  url: ${changes.sourceUrl ?? source.url}
  application: ${changes.sourceApplication ?? source.application}
  apiKey: { env: SOURCE_API_KEY }
  insecure: true
target:
  network: things-stack
  url: ${changes.targetUrl ?? target.url}
  application: ${target.application}
  apiKey: { env: TARGET_API_KEY }
  insecure: true
devices:
  include: [${changes.include ?? '{ ids: [meter-102, meter-103, valve-abp] }'}]
policy: { ${changes.policy ?? 'persistSession: true, deleteSource: after-heard'} }
coverage: { gateways: moving-now }
${changes.recipients === false ? '' : `escrow: { recipients: [${recipient}] }\n`}${changes.rest ?? ''}`

/** Every form in which a key of the sample could be printed. */
const keyForms = (): readonly string[] => {
  const keys = sampleDevices.flatMap(({ rootKeys, session, pendingSession }) => [
    rootKeys?.appKey,
    rootKeys?.nwkKey,
    ...Object.values(session?.keys ?? {}),
    ...Object.values(pendingSession?.keys ?? {}),
  ])
  return [...new Set(keys)].flatMap((key) => {
    if (key === undefined) return []
    const bytes = Buffer.from(key, 'hex')
    const spaced = key.replace(/(..)(?=.)/g, '$1 ')
    return [
      key.toUpperCase(),
      key.toLowerCase(),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      spaced.toUpperCase(),
      spaced.toLowerCase(),
    ]
  })
}

/** Which keys occur in a text; `more` are secrets besides those of the sample. */
export const keysIn = (text: string, more: readonly string[] = []): readonly string[] =>
  [...keyForms(), ...more].filter((form) => text.includes(form))

/** All that commands printed so far in this file. */
export const allPrinted = (): string => printed.join('\n')

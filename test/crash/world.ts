import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { writeIdentity } from '../../src/index.ts'
import { radioOf, type Send, type VirtualDevice } from '../../src/simulator/virtual-device.ts'
import { sessionStarts } from '../support/ends.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { type Migration, startMigration } from '../support/migration.ts'
import { virtualOf } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'
import type { Course } from './courses.ts'

const MAIN = process.env['FERRY_CRASH_COMMAND'] ?? resolve('dist/cli/main.js')
const HOOK = resolve('test/crash/kill-at-file-operation.mjs')
/** A command that takes longer hangs. */
const LIMIT = 60_000

export type Side = 'source' | 'target'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

interface RunOptions {
  /** Given the process as soon as it is there. */
  readonly onPid?: (pid: number) => Promise<void>
  readonly env?: Readonly<Record<string, string>>
  /** Loads the hook that ends the process at a file operation. */
  readonly hook?: true
}

/** Two networks (or one) with the fleet of a course, a folder with its plan, and the command as it is published. */
export interface World {
  readonly migration: Migration
  /** When the sessions of the fleet began on the source. */
  readonly startedAt: ReadonlySet<string>
  readonly device: (id: string) => VirtualDevice
  /** Both networks hear it. */
  readonly air: Send
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ended>
  readonly arm: (side: Side, fault: object) => Promise<void>
  readonly disarm: () => Promise<void>
  /** Requests that were answered so far, in their order. */
  readonly requests: (side: Side) => Promise<readonly { method: string; path: string; status: number }[]>
  /** Remembers where the world stands; the answer puts it back, without faults and with no request answered. */
  readonly snapshot: () => Promise<() => Promise<void>>
  readonly close: () => Promise<void>
}

export const makeWorld = async (course: Course): Promise<World> => {
  const migration = await startMigration({
    oneNetwork: course.oneNetwork === true,
    fromV2: course.fromV2 === true,
    ...(course.fromFile === true ? { fromFile: { path: 'devices.json' } } : {}),
  })
  const { source, target, folder } = migration
  for (const spec of course.specs) await register(source, spec)
  for (const spec of course.onTarget ?? []) await register(target, spec)
  const atOnce = course.isConcurrent === true ? '' : '\nrollout: { maxConcurrency: 1 }'
  const plan = await migration.writePlan(`${course.plan}${atOnce}`)
  const identity = join(folder, 'identity.txt')
  await writeIdentity(identity, migration.identity, () => new Date())
  const devices = new Map(course.specs.map((spec: DeviceSpec) => [spec.id, virtualOf(spec)]))
  const sides = source.url === target.url ? [source] : [source, target]
  const tell = async (method: string, path: string): Promise<void> => {
    for (const network of sides) await call(network, method as never, `/simulator/v1/${path}`)
  }
  const env = {
    ...migration.env,
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    FERRY_AGE_IDENTITY: identity,
  }
  return {
    migration,
    startedAt: await sessionStarts(migration),
    device: (id) => devices.get(id) ?? raise(`no device ${id}`),
    air: async (frame) => {
      const answers = []
      for (const network of sides) answers.push(await radioOf(network)(frame))
      const [first = raise('no network')] = answers
      return (
        answers.find(({ downlinks }) => downlinks.length > 0) ??
        answers.find(({ accepted }) => accepted) ??
        first
      )
    },
    run: (args, options = {}) =>
      runFerry([...args.slice(0, 1), plan, ...args.slice(1)], folder, env, options),
    arm: async (side, fault) => {
      await call(migration[side], 'POST', '/simulator/v1/faults', { faults: [fault] })
    },
    disarm: () => tell('DELETE', 'faults'),
    requests: async (side) =>
      (await call(migration[side], 'GET', '/simulator/v1/requests'))['requests'] as never,
    snapshot: async () => {
      const putBack = await migration.snapshot()
      return async () => {
        await tell('DELETE', 'faults')
        await putBack()
        await tell('DELETE', 'requests')
      }
    },
    close: migration.close,
  }
}

const raise = (message: string): never => {
  throw new Error(message)
}

const runFerry = (
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  options: RunOptions,
): Promise<Ended> =>
  new Promise((done, fail) => {
    const hook = options.hook === true ? ['--import', HOOK] : []
    const child = spawn(process.execPath, [...hook, MAIN, ...args], {
      cwd,
      env: { ...env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT,
      killSignal: 'SIGABRT',
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', fail)
    child.once('close', (code, signal) => done({ code, signal, output }))
    if (child.pid !== undefined) options.onPid?.(child.pid).catch(fail)
  })

export const countedOperations = async (file: string): Promise<number> => Number(await readFile(file, 'utf8'))

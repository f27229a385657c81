import { readFileSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { keysIn, leaks } from '../support/key-leaks.ts'
import { storeOf } from '../support/stack-api.ts'
import { createPlace, type Ended, type Place, type RunOptions } from './support.ts'

/** What something may hold by design: keys of devices where a person asked for them, an identity in its own file. */
type Holds = 'devices' | 'api' | 'age'

interface WatchedRun extends RunOptions {
  /** What this command prints by design. */
  readonly prints?: readonly Holds[]
}

/** A place where everything that commands write is kept, and can be searched for every secret that was ever there. */
export interface Watched extends Place {
  ferry(args: readonly string[], options?: WatchedRun): Promise<Ended>
  /** Files that hold secrets by design, by their path in the folder. */
  readonly byDesign: Map<string, readonly Holds[]>
  readonly secrets: Readonly<Record<Holds, Set<string>>>
  /** The modes of all files and folders now, and of files that were seen while commands ran. */
  modes(): Promise<Readonly<Record<string, number>>>
  /** What holds a secret that it must not hold. */
  leaking(): Promise<readonly string[]>
  /** How many pieces were searched, by kind. */
  searched(): Promise<{ readonly printed: number; readonly files: number; readonly processes: number }>
  /** Every command that ran, by its words before the first option or file. */
  readonly commands: ReadonlySet<string>
}

interface Piece {
  readonly name: string
  readonly content: string | Buffer
  readonly holds: readonly Holds[]
}

const KINDS = ['devices', 'api', 'age'] as const

export const createWatched = async (options: Parameters<typeof createPlace>[0] = {}): Promise<Watched> => {
  const place = await createPlace(options)
  const secrets = { devices: new Set<string>(), api: new Set<string>(), age: new Set<string>() }
  const byDesign = new Map<string, readonly Holds[]>([['identity.txt', ['age']]])
  const pieces: Piece[] = []
  const commands = new Set<string>()
  const seen: Record<string, number> = {}
  for (const { apiKey } of place.simulator.networks) secrets.api.add(apiKey)
  secrets.age.add(identityIn(await place.read('identity.txt')))
  for (const folder of ['tmp', 'home']) await mkdir(place.path(folder))
  // Nothing is held back by the folder that the test made: each file has to care for itself.
  await chmod(place.folder, 0o777)

  const gather = async (): Promise<void> => {
    for (const network of place.simulator.networks)
      for (const key of keysIn(await storeOf(network))) secrets.devices.add(key)
  }
  const walk = async (): Promise<
    readonly { readonly name: string; readonly mode: number; isFile: boolean }[]
  > => {
    const entries = await readdir(place.folder, { recursive: true, withFileTypes: true })
    const all = entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      // A temporary file may be gone by now.
      const found = await stat(path).catch(() => undefined)
      if (found === undefined) return []
      return [{ name: relative(place.folder, path), mode: found.mode & 0o777, isFile: entry.isFile() }]
    })
    return (await Promise.all(all)).flat()
  }
  const ferry: Watched['ferry'] = async (args, given = {}) => {
    const { prints = [], ...rest } = given
    const called = `ferry ${args.join(' ')}`
    commands.add(commandOf(args))
    const processes = new Map<string, string>()
    let running = true
    let watching: Promise<void> | undefined
    const watch = async (pid: number): Promise<void> => {
      while (running) {
        for (const each of [pid, ...childrenOf(pid)]) processes.set(commandLineOf(each), '')
        for (const { name, mode, isFile } of await walk()) if (isFile) seen[name] = (seen[name] ?? 0) | mode
        await new Promise((done) => setTimeout(done, 30))
      }
    }
    await gather()
    const ended = await place.ferry(args, {
      ...rest,
      env: { TMPDIR: place.path('tmp'), HOME: place.path('home'), ...rest.env },
      onPid: (pid) => {
        watching = watch(pid)
      },
    })
    running = false
    await watching
    await gather()
    pieces.push({ name: `stdout of ${called}`, content: ended.stdout, holds: prints })
    pieces.push({ name: `stderr of ${called}`, content: ended.stderr, holds: [] })
    for (const line of processes.keys())
      pieces.push({ name: `process of ${called}`, content: line, holds: [] })
    return ended
  }
  const files = async (): Promise<readonly Piece[]> =>
    Promise.all(
      (await walk())
        .filter(({ isFile }) => isFile)
        .map(async ({ name }) => ({
          name,
          content: await readFile(place.path(name)),
          holds: byDesign.get(name) ?? [],
        })),
    )
  return {
    ...place,
    ferry,
    byDesign,
    secrets,
    commands,
    modes: async () => {
      const now = Object.fromEntries((await walk()).map(({ name, mode }) => [name, mode]))
      return { ...seen, ...now }
    },
    leaking: async () => {
      const all = [...pieces, ...(await files())]
      return KINDS.flatMap((kind) => {
        const searched = all
          .filter(({ holds }) => !holds.includes(kind))
          .map(({ name, content }, index) => [`${kind}: ${name} (${index})`, content] as const)
        const found = [...secrets[kind]]
        return kind === 'devices'
          ? leaks(found, Object.fromEntries(searched))
          : leaks([], Object.fromEntries(searched), found)
      })
    },
    searched: async () => ({
      printed: pieces.filter(({ name, content }) => name.startsWith('std') && content.length > 0).length,
      files: (await files()).length,
      processes: pieces.filter(({ name, content }) => name.startsWith('process') && content.length > 0)
        .length,
    }),
  }
}

/** The secret of an identity file. */
export const identityIn = (text: string): string => {
  const found = /^AGE-SECRET-KEY-1[0-9A-Z]+$/m.exec(text)?.[0]
  if (found === undefined) throw new Error('no identity')
  return found
}

const commandOf = (args: readonly string[]): string => {
  const [first = '', second = ''] = args
  return first === 'escrow' || first === 'state' ? `${first} ${second}` : first
}

/** Empty where the process is gone already, or the system has no such folder. */
const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const commandLineOf = (pid: number): string => read(`/proc/${pid}/cmdline`)

const childrenOf = (pid: number): readonly number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)

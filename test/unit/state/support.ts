import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { FerryError } from '../../../src/domain/errors.ts'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import type { FileSystem } from '../../../src/state/file-system.ts'
import { nodeFiles } from '../../../src/state/file-system.ts'
import { lineageOf, type StateOwner } from '../../../src/state/format.ts'
import type { JournalOptions } from '../../../src/state/journal.ts'

/** A folder that is gone when the test is. */
export const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export const owner: StateOwner = {
  name: 'building-a',
  source: { network: 'things-stack', host: 'eu1.cloud.thethings.network', application: 'building-a' },
  target: {
    network: 'things-stack',
    host: 'example.eu1.cloud.thethings.industries',
    application: 'building-a',
  },
}

export const journalOptions = (file: string, fs?: FileSystem): JournalOptions => ({
  file,
  lineage: lineageOf(owner),
  ...owner,
  ...(fs === undefined ? {} : { fs }),
})

/** A record that tells its number. */
export const numbered = (n: number): JournalRecord => ({
  t: 'fact',
  device: `meter-${n}`,
  fact: { name: 'escrow', stage: 'A', file: 'A-000001-9f2c41d0.age', line: n },
})

export const numbersOf = (records: readonly JournalRecord[]): readonly number[] =>
  records.map((record) => (record.t === 'fact' && record.fact.name === 'escrow' ? record.fact.line : -1))

/** Code and kind of the `FerryError` that an action ends with; anything else fails the test. */
export const failureOf = async (action: () => Promise<unknown>): Promise<string> => {
  try {
    await action()
  } catch (error) {
    if (error instanceof FerryError) return `${error.kind} ${error.code}`
    throw error
  }
  return 'no failure'
}

export type Operation = 'open' | 'write' | 'sync' | 'datasync' | 'truncate' | 'rename' | 'link' | 'unlink'

export interface Watch {
  /** May throw; for a write, a number answered is how many bytes the disk takes before it is full. */
  readonly before?: (operation: Operation, file: string) => number | undefined
  readonly after?: (operation: Operation, file: string) => void
}

/** The file system, with every operation that changes a file told before and after. */
export const watchedFiles = (watch: Watch): FileSystem => {
  const told = async <T>(operation: Operation, file: string, action: () => Promise<T>): Promise<T> => {
    watch.before?.(operation, file)
    const result = await action()
    watch.after?.(operation, file)
    return result
  }
  return {
    ...nodeFiles,
    rename: (from, to) => told('rename', String(to), () => nodeFiles.rename(from, to)),
    link: (from, to) => told('link', String(to), () => nodeFiles.link(from, to)),
    unlink: (file) => told('unlink', String(file), () => nodeFiles.unlink(file)),
    open: async (path, ...args) => {
      const file = String(path)
      const opening = (): ReturnType<FileSystem['open']> => nodeFiles.open(path, ...args)
      // To read a state changes nothing; a folder is opened to be synced.
      const handle = await (args[0] === 'r' && file.endsWith('.jsonl')
        ? opening()
        : told('open', file, opening))
      const sync = handle.sync.bind(handle)
      const datasync = handle.datasync.bind(handle)
      const truncate = handle.truncate.bind(handle)
      const write = handle.write.bind(handle)
      return Object.assign(handle, {
        sync: () => told('sync', file, sync),
        datasync: () => told('datasync', file, datasync),
        truncate: (length: number) => told('truncate', file, () => truncate(length)),
        write: async (bytes: Uint8Array, offset: number, length: number, position: number) => {
          const room = watch.before?.('write', file)
          const written = await write(bytes, offset, Math.min(length, room ?? length), position)
          if (room !== undefined) throw failWith('ENOSPC')
          watch.after?.('write', file)
          return written
        },
      })
    },
  }
}

export const failWith = (code: string): Error =>
  Object.assign(new Error(`${code}: made by the test`), { code })

/**
 * State, escrow and domain as JavaScript in a folder of its own, for tests that need whole processes: Node 20 runs
 * no TypeScript. Answers the folder that `src` became.
 */
export const compiledSources = async (folder: string): Promise<string> => {
  const root = resolve(import.meta.dirname, '../../..')
  const project = join(folder, 'tsconfig.json')
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(
    project,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        rootDir: join(root, 'src'),
        outDir: join(folder, 'src'),
        declaration: false,
        sourceMap: false,
        skipLibCheck: true,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: ['state', 'escrow'].map((name) => join(root, 'src', name)),
    }),
  )
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])
  return join(folder, 'src')
}

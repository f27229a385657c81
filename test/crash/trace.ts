import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Course } from './courses.ts'
import { endOf } from './kills.ts'
import type { World } from './world.ts'

/**
 * What differs from run to run of the same steps, and from world to world: times, ports, names of random bytes, and
 * digests, which are keyed by the plan.
 */
const PASSING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'time'],
  [/127\.0\.0\.1:\d+/g, 'host'],
  [/"run":"[^"]*"/g, '"run"'],
  [/"(sha256:)?[0-9a-f]{16,64}"/g, 'digest'],
  [/\b[0-9a-f]{8,12}\.(age|tmp)\b/g, '$1'],
]

/**
 * Where a killed run left everything, in one digest: both networks, and the files that the next run will find. Runs that
 * left the same leave the next run the same work, so it is enough to see one of them to its end. Encrypted files are
 * told by their length, which is that of the text in them.
 */
export const traceOf = async (world: World, course: Course): Promise<string> => {
  const { folder } = world.migration
  const names = (await readdir(folder, { recursive: true })).sort()
  const files = await Promise.all(names.map((name) => told(join(folder, name), name)))
  const text = JSON.stringify([await endOf(world, course), files])
  return createHash('sha256').update(text).digest('hex')
}

const told = async (file: string, name: string): Promise<readonly string[]> => {
  const found = await stat(file)
  const text = name.endsWith('.jsonl') ? passing(await readFile(file, 'utf8')) : ''
  return [passing(name), found.isFile() && !name.endsWith('.lock') ? String(text || found.size) : '']
}

const passing = (text: string): string =>
  PASSING.reduce((shown, [pattern, by]) => shown.replaceAll(pattern, by), text)

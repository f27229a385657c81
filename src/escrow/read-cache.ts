import { join } from 'node:path'
import type { Secret } from '../domain/secret.ts'
import { type FileSystem, nodeFiles } from '../state/file-system.ts'
import { bringHere, type EscrowCopies } from './copies.ts'
import { readLines } from './folder.ts'

/** Files whose plaintext is kept at hand: devices that cross together lie in few files. */
const KEPT = 8

/**
 * Reads files of an escrow folder, each once for all that is asked of it; the files used last stay at hand. A file
 * never changes once it has its name, so nothing that is kept is out of date. What could not be read is tried again.
 */
export const cachedLines = (
  folder: string,
  identity: Secret,
  copies?: EscrowCopies,
  fs: FileSystem = nodeFiles,
): ((file: string) => Promise<readonly string[]>) => {
  const known = new Map<string, Promise<readonly string[]>>()
  return (file) => {
    const lines =
      known.get(file) ??
      bringHere(folder, file, copies, fs).then(() => readLines(join(folder, file), identity))
    known.delete(file)
    known.set(file, lines)
    for (const oldest of known.keys()) {
      if (known.size <= KEPT) break
      known.delete(oldest)
    }
    lines.catch(() => {
      if (known.get(file) === lines) known.delete(file)
    })
    return lines
  }
}

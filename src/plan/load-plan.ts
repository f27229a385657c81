import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Checked } from '../domain/diagnostic.ts'
import type { HouseRules } from '../domain/house-rules.ts'
import type { LoadedPlan } from '../domain/migration-plan.ts'
import { LARGEST_IDS_FILE } from './ids-file.ts'
import { finishPlan, type IdsFileText, idsFilesOf, placeInText, readPlan } from './parse-plan.ts'
import { decodeText, LARGEST_PLAN } from './plan-text.ts'
import { readProblem } from './read-problem.ts'

/** Bytes of a file; `undefined` where it has more than `limit` (the rest is then not read). Throws as `node:fs` does. */
type ReadBytes = (path: string, limit: number) => Promise<Uint8Array | undefined>

export interface LoadOptions {
  /** What the organisation says for all plans. */
  readonly organisation?: HouseRules
  /** Instead of the file system. */
  readonly readBytes?: ReadBytes
}

const readBytesOfFile: ReadBytes = async (path, limit) => {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > limit) return undefined
    // a pipe has no size: one byte more than allowed tells
    const buffer = Buffer.alloc(limit + 1)
    let length = 0
    while (length <= limit) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      if (bytesRead === 0) return buffer.subarray(0, length)
      length += bytesRead
    }
    return undefined
  } finally {
    await file.close()
  }
}

/**
 * Reads, parses and checks a migration plan and the id files that it names. Findings are values: the
 * answer holds all of them, and the plan where none is an error. `file` is resolved against the working
 * folder and named in findings as it was given; paths in the plan are relative to the plan's folder.
 */
export const loadPlan = async (file: string, options: LoadOptions = {}): Promise<Checked<LoadedPlan>> => {
  const readBytes = options.readBytes ?? readBytesOfFile
  const path = resolve(file)
  const folder = dirname(path)
  const refuse = (code: string, message: string, hint: string): Checked<LoadedPlan> => ({
    ok: false,
    diagnostics: [{ code, severity: 'error', message, hint, subject: { file, line: 1, column: 1 } }],
  })

  let bytes: Uint8Array | undefined
  try {
    bytes = await readBytes(path, LARGEST_PLAN)
  } catch (cause) {
    return refuse(
      'PlanUnreadable',
      `the plan ${readProblem(cause)}`,
      'write the path of a plan, or make one with ferry init',
    )
  }
  if (bytes === undefined) {
    return refuse(
      'PlanTooLarge',
      'the plan has more than 2 MiB',
      'list device ids in a text file, and name it by idsFile',
    )
  }
  const { text, findings } = decodeText(bytes)
  if (findings.length > 0) {
    return { ok: false, diagnostics: findings.map((finding) => placeInText(finding, text, file)) }
  }
  const reading = readPlan(text)
  const idsFiles = new Map<string, IdsFileText>()
  for (const name of idsFilesOf(reading))
    idsFiles.set(name, await readIdsFile(resolve(folder, name), readBytes))
  return finishPlan(reading, {
    file,
    folder,
    idsFiles,
    ...(options.organisation === undefined ? {} : { organisation: options.organisation }),
  })
}

const readIdsFile = async (path: string, readBytes: ReadBytes): Promise<IdsFileText> => {
  try {
    const bytes = await readBytes(path, LARGEST_IDS_FILE)
    if (bytes === undefined) return { problem: 'has more than 16 MiB' }
    const { text, findings } = decodeText(bytes)
    const [finding] = findings
    return finding === undefined ? { text } : { problem: `is no list of ids: ${finding.message}` }
  } catch (cause) {
    return { problem: readProblem(cause) }
  }
}

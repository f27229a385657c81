import { basename, dirname } from 'node:path'
import { FerryError } from '../domain/errors.ts'
import { createFile, removeLeftovers, replaceFile } from './durable-file.ts'
import { type FileSystem, nodeFiles } from './file-system.ts'
import { formatLines, headerOf, type StateOwner } from './format.ts'
import { readStateBytes, type StateScan, scanState, serialOf, trustedState } from './read-state.ts'

export type RepairReport =
  | { readonly status: 'absent' | 'sound' }
  | {
      readonly status: 'repaired'
      /** First line (1 first) and byte (0 first) that were not kept. */
      readonly line: number
      readonly offset: number
      /** Records kept, and lines dropped. */
      readonly kept: number
      readonly dropped: number
      /** Devices that a dropped line names, where it can still be read: compare these with both networks. */
      readonly devices: readonly string[]
      /** Serial after the repair. */
      readonly serial: number
      /** Copy of the damaged file. */
      readonly damagedFile: string
      /** The header was written anew, from the plan. */
      readonly headerRebuilt: boolean
    }

/**
 * Cuts a damaged state file back to the lines that can be trusted, and keeps the damaged one beside it as
 * `<file>.damaged-<n>`. Nothing calls it but `ferry state repair`: what was dropped is then not known to be done.
 * Hold the lock. A header that is damaged is rebuilt from the plan, if `plan` is given and the records that follow
 * fit to it; else `StateUnrepairable`. Throws `StateVersionUnknown` and `StateOfAnotherPlan` as `readState` does.
 */
export const repairState = async (
  file: string,
  options: { readonly plan?: StateOwner & { readonly lineage: string }; readonly fs?: FileSystem } = {},
): Promise<RepairReport> => {
  const fs = options.fs ?? nodeFiles
  const bytes = await readStateBytes(file, fs)
  if (bytes === undefined) return { status: 'absent' }
  const first = scanState(bytes)
  if (first.fault === undefined) return { status: 'sound' }
  const rebuilt = first.header === undefined ? rebuildHeader(file, bytes, first, options.plan) : undefined
  const content = rebuilt ?? bytes
  const scan = rebuilt === undefined ? first : scanState(rebuilt)
  const { header } = trustedState(file, { ...scan, fault: undefined }, options.plan?.lineage)

  await removeLeftovers(dirname(file), basename(file), fs)
  const damagedFile = await keepCopy(file, bytes, fs)
  await replaceFile(file, content.subarray(0, scan.validBytes), { fs, code: 'StateNotWritten' })
  const lost = content.subarray(scan.validBytes)
  return {
    status: 'repaired',
    line: first.fault.line,
    offset: first.fault.offset,
    kept: scan.records.length,
    dropped: linesOf(lost).length,
    devices: devicesNamedIn(lost),
    serial: serialOf(header, scan.records.length),
    damagedFile,
    headerRebuilt: rebuilt !== undefined,
  }
}

/** The file with a new first line, if the second line (where there is one) proves that it is the old one. */
const rebuildHeader = (
  file: string,
  bytes: Uint8Array,
  { fault }: StateScan,
  plan: (StateOwner & { readonly lineage: string }) | undefined,
): Buffer => {
  const newline = bytes.indexOf(0x0a)
  const rest = newline === -1 ? new Uint8Array() : bytes.subarray(newline + 1)
  const base = /"serialBase":(\d{1,15})/.exec(Buffer.from(bytes.subarray(0, newline)).toString('latin1'))?.[1]
  for (const serialBase of base === undefined ? [0] : [Number(base), 0]) {
    if (plan === undefined) break
    const header = formatLines('', [headerOf(plan.lineage, plan, serialBase)]).text
    const candidate = Buffer.concat([Buffer.from(header), rest])
    if ((rest.length === 0 && fault?.kind !== 'version') || scanState(candidate).records.length > 0)
      return candidate
  }
  if (fault?.kind === 'version') trustedState(file, { ...EMPTY_SCAN, fault }, undefined)
  throw new FerryError(
    'stale',
    'StateUnrepairable',
    `the first line of the state file ${file} can't be restored`,
    {
      hint:
        plan === undefined
          ? 'name the plan, so that the line can be rebuilt, or restore the file from a copy'
          : 'restore the file from a copy; without it, move it away and check every device with `ferry plan`',
    },
  )
}

const EMPTY_SCAN: StateScan = { header: undefined, records: [], validBytes: 0, hash: '', fault: undefined }

/** `<file>.damaged-<n>` with the first number that is free. */
const keepCopy = async (file: string, bytes: Uint8Array, fs: FileSystem): Promise<string> => {
  for (let n = 1; ; n += 1) {
    const copy = `${file}.damaged-${n}`
    if ((await createFile(copy, bytes, { fs, code: 'StateNotWritten' })) === 'created') return copy
  }
}

const linesOf = (bytes: Uint8Array): readonly string[] =>
  Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')

const devicesNamedIn = (bytes: Uint8Array): readonly string[] => {
  const named = linesOf(bytes).flatMap((line) => /"device":"([^"\\]{1,64})"/.exec(line)?.[1] ?? [])
  return [...new Set(named)].sort()
}

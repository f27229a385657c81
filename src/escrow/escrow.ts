import { randomBytes } from 'node:crypto'
import { resolve as absolute, dirname, join } from 'node:path'
import type { DeviceRecord } from '../domain/device.ts'
import { FerryError } from '../domain/errors.ts'
import type { Clock, EscrowPort, EscrowStage } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import { createFile, removeLeftovers, syncFolder } from '../state/durable-file.ts'
import { type FileSystem, fileErrorText, nodeFiles } from '../state/file-system.ts'
import { decryptText, encrypterFor } from './encryption.ts'
import { ESCROW_NAME, formatEntry, listEscrow } from './escrow-file.ts'

export interface EscrowOptions {
  /** Made with mode 0700 at the first `store`; its files have mode 0600. */
  readonly folder: string
  /** age public keys, at least one. */
  readonly recipients: readonly string[]
  /** Where it is at hand, the first file is decrypted once as a check. */
  readonly identity?: Secret
  readonly clock: Clock
  readonly fs?: FileSystem
}

export interface Escrow extends EscrowPort {
  /** Returns when nothing is being written any more. */
  flush(): Promise<void>
}

/** Devices in one file at most: bounds what a damaged file can take with it. */
const MAX_DEVICES = 256
/** Milliseconds that the first record of a file waits for others to come. */
const GATHER_MS = 10

/**
 * Keeps full device records, keys included, in files that only the recipients' identities can read. Records that
 * come within 10 ms, or while a file is being written, share the next file, up to 256. Nothing is ever on the
 * disk in plain text, temporary files included.
 *
 * Throws at once for `recipients` that can't be used (`EscrowRecipientsMissing`, `EscrowRecipientInvalid`). `store` rejects
 * with `EscrowNotWritten` (kind `state-not-written`) when the file did not reach the disk, and with
 * `IdentityCannotDecrypt` when the identity is not one of a recipient: then the source must not be touched.
 *
 * @example
 * const escrow = createEscrow({ folder: 'plans/building-a.escrow', recipients: ['age1...'], clock })
 * const { file, line } = await escrow.store('A', record)
 */
export const createEscrow = (options: EscrowOptions): Escrow => {
  const writeBatch = batchWriter(options)
  let waiting: Waiting[] = []
  let draining: Promise<void> | undefined

  const drain = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const { stage } = first
      const batch = waiting.filter((one) => one.stage === stage).slice(0, MAX_DEVICES)
      const taken = new Set(batch)
      waiting = waiting.filter((one) => !taken.has(one))
      try {
        const file = await writeBatch(
          stage,
          batch.map(({ line }) => line),
        )
        for (const [line, one] of batch.entries()) one.resolve({ file, line })
      } catch (error) {
        const failure = error instanceof FerryError ? error : notWritten(options.folder, error)
        for (const one of batch) one.reject(failure)
      }
    }
    draining = undefined
  }

  return {
    store: (stage, record) =>
      new Promise((resolve, reject) => {
        waiting.push({ stage, line: lineOf(stage, record, options.clock), resolve, reject })
        draining ??= drain()
      }),
    flush: async () => {
      await draining
    },
  }
}

interface Waiting {
  readonly stage: EscrowStage
  readonly line: string
  resolve(place: { readonly file: string; readonly line: number }): void
  reject(error: unknown): void
}

const lineOf = (stage: EscrowStage, record: DeviceRecord, clock: Clock): string =>
  formatEntry({ deviceId: record.ids.deviceId, stage, at: clock().toISOString(), record })

/** Writes one file after the other; answers the name in the folder. */
const batchWriter = ({ folder, recipients, identity, ...options }: EscrowOptions) => {
  const fs = options.fs ?? nodeFiles
  const encrypt = encrypterFor(recipients)
  let sequence: number | undefined
  let checked = identity === undefined

  return async (stage: EscrowStage, lines: readonly string[]): Promise<string> => {
    if (sequence === undefined) {
      await makeFolder(folder, fs)
      await removeLeftovers(folder, ESCROW_NAME, fs)
      sequence = (await listEscrow(folder)).at(-1)?.sequence ?? 0
    }
    sequence += 1
    const text = `${lines.join('\n')}\n`
    const bytes = await encrypt(text)
    const name = `${stage}-${String(sequence).padStart(6, '0')}-${randomBytes(4).toString('hex')}.age`
    const file = join(folder, name)
    if ((await createFile(file, bytes, { fs, code: 'EscrowNotWritten' })) === 'exists') {
      throw notWritten(file, new Error('it exists already'))
    }
    if (!checked && identity !== undefined) {
      const written = await fs.readFile(file).catch((error: unknown) => {
        throw notWritten(file, error)
      })
      if ((await decryptText(file, written, identity)) !== text) {
        throw notWritten(file, new Error('what it decrypts to differs from what was stored'))
      }
      checked = true
    }
    return name
  }
}

/** A folder that is new is only there after a power cut if the folder that holds it was synced. */
const makeFolder = async (folder: string, fs: FileSystem): Promise<void> => {
  try {
    const first = await fs.mkdir(folder, { recursive: true, mode: 0o700 })
    if (first !== undefined) {
      for (let made = absolute(folder); made.length >= first.length; made = dirname(made)) {
        await syncFolder(dirname(made), fs)
      }
    }
    const { mode } = await fs.stat(folder)
    if ((mode & 0o077) !== 0) await fs.chmod(folder, 0o700)
  } catch (cause) {
    throw notWritten(folder, cause)
  }
}

const notWritten = (path: string, cause: unknown): FerryError =>
  new FerryError(
    'state-not-written',
    'EscrowNotWritten',
    `can't write the escrow ${path}: ${fileErrorText(cause)}`,
    {
      cause,
      hint: 'no source was touched for these devices: make room or give write access, then run again',
    },
  )

import { join } from 'node:path'
import type { NewCredentials } from '../domain/credentials.ts'
import type { DeviceRecord } from '../domain/device.ts'
import type { FerryError } from '../domain/errors.ts'
import type { Clock, EscrowPlace, EscrowPort, EscrowStage } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import { type FileSystem, nodeFiles } from '../state/file-system.ts'
import type { EscrowCopies } from './copies.ts'
import { parseCredentials } from './credentials-file.ts'
import { credentialsCsv, credentialsLine } from './credentials-record.ts'
import { formatEntry, parseEntry } from './escrow-file.ts'
import { type EscrowWriter, escrowWriter } from './escrow-writer.ts'
import { lineIn } from './folder.ts'
import { gatherer } from './gather.ts'
import { identityMissing } from './identity.ts'
import { cachedLines } from './read-cache.ts'

export interface EscrowOptions {
  /** Made with mode 0700 at the first `store`; its files have mode 0600. */
  readonly folder: string
  /** age public keys, at least one. */
  readonly recipients: readonly string[]
  /** Where it is at hand, the first file is decrypted once as a check, and what was stored can be loaded. */
  readonly identity?: Secret
  /** Where the plan names a place for them. */
  readonly copies?: EscrowCopies
  readonly clock: Clock
  readonly fs?: FileSystem
}

export interface Escrow extends EscrowPort {
  /** Returns when nothing is being written any more. */
  flush(): Promise<void>
}

type Item =
  | { readonly kind: EscrowStage; readonly line: string }
  | { readonly kind: 'new'; readonly line: string; readonly credentials: NewCredentials }

/**
 * Keeps full device records, keys included, in files that only the recipients' identities can read. Records that
 * come within 10 ms, or while a file is being written, share the next file, up to 256. Nothing is ever on the
 * disk in plain text, temporary files included. New credentials lie in two files with the same records, JSON Lines
 * (which the place names) and CSV; both are on the disk when `storeCredentials` resolves.
 *
 * Throws at once for `recipients` that can't be used (`EscrowRecipientsMissing`, `EscrowRecipientInvalid`). `store` and
 * `storeCredentials` reject with `EscrowNotWritten` (kind `state-not-written`) when a file did not reach the disk, and
 * with `IdentityCannotDecrypt` when the identity is not one of a recipient: then the source must not be touched. `load`
 * and `loadCredentials` reject as `readEscrow` does, and with `IdentityMissing` where `canRead` is false.
 *
 * @example
 * const escrow = createEscrow({ folder: 'plans/building-a.escrow', recipients: ['age1...'], clock })
 * const { file, line } = await escrow.store('A', record)
 */
export const createEscrow = (options: EscrowOptions): Escrow => {
  const { folder, recipients, identity, copies, clock } = options
  const fs = options.fs ?? nodeFiles
  const write = escrowWriter({ folder, recipients, identity, copies, fs })
  const items = gatherer<Item>((batch) => writeBatch(write, batch))
  const read = identity === undefined ? undefined : cachedLines(folder, identity, copies, fs)

  const load = async <T>(
    { file, line }: EscrowPlace,
    parse: (path: string, line: number, text: string) => T,
  ): Promise<T> => {
    if (read === undefined) throw identityMissing()
    const path = join(folder, file)
    return parse(path, line, lineIn(path, await read(file), line))
  }

  return {
    canRead: identity !== undefined,
    store: async (stage, record) => items.add({ kind: stage, line: lineOf(stage, record, clock) }),
    storeCredentials: async (credentials) =>
      items.add({ kind: 'new', line: credentialsLine(credentials), credentials }),
    load: async (place) => (await load(place, parseEntry)).record,
    loadCredentials: (place) => load(place, parseCredentials),
    flush: items.flush,
  }
}

/** An escrow that is never to be used: for a run that touches no source. */
export const noEscrow = (error: () => FerryError): EscrowPort => {
  const refuse = async (): Promise<never> => Promise.reject(error())
  return { canRead: false, store: refuse, load: refuse, storeCredentials: refuse, loadCredentials: refuse }
}

const lineOf = (stage: EscrowStage, record: DeviceRecord, clock: Clock): string =>
  formatEntry({ deviceId: record.ids.deviceId, stage, at: clock().toISOString(), record })

/** The CSV is written first: where the file that a place names is there, the other is too. */
const writeBatch = async (
  write: EscrowWriter,
  batch: readonly [Item, ...(readonly Item[])],
): Promise<string> => {
  const { kind } = batch[0]
  const text = batch.map(({ line }) => `${line}\n`).join('')
  const list = batch.flatMap((item) => (item.kind === 'new' ? [item.credentials] : []))
  const names =
    kind === 'new'
      ? await write(kind, [
          { ending: '.csv.age', text: credentialsCsv(list) },
          { ending: '.jsonl.age', text },
        ])
      : await write(kind, [{ ending: '.age', text }])
  return names.at(-1) ?? ''
}

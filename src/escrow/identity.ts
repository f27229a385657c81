import { mkdir, open } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { FerryError } from '../domain/errors.ts'
import type { Clock } from '../domain/ports.ts'
import { Secret } from '../domain/secret.ts'
import { createFile } from '../state/durable-file.ts'
import { errorCodeOf, fileErrorText } from '../state/file-system.ts'

/** An age key pair: with the recipient one can write the escrow, with the identity read it. */
export interface AgeIdentity {
  /** `AGE-SECRET-KEY-1...` */
  readonly identity: Secret
  /** `age1...` */
  readonly recipient: string
}

/** A new X25519 pair: every version of age can read what it encrypts. */
export const generateIdentity = async (): Promise<AgeIdentity> =>
  withRecipient(await generateX25519Identity(), 'the new identity')

/**
 * Reads an identity file as `age-keygen` writes it: one `AGE-SECRET-KEY-...` line, besides blank lines and `#`
 * comments. Throws `FerryError` of kind `credentials`: `IdentityMissing`, `IdentityTooOpen` for a file that group or
 * others may read or write, `IdentityInvalid`. No error ever holds a part of the file.
 */
export const loadIdentity = async (file: string): Promise<AgeIdentity> => {
  const lines = (await readPrivateFile(file)).split(/\r?\n/).map((line) => line.trim())
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const [key] = keys
  if (key === undefined || keys.length > 1) {
    throw invalid(`${file} holds ${keys.length} identities where one is needed`)
  }
  return withRecipient(key, file)
}

/**
 * Writes a new identity file, mode 0600, in the format of `age-keygen`; folders are made with mode 0700. It is
 * never written over another: `IdentityExists` (kind `usage`), since what was encrypted for that would be lost.
 */
export const writeIdentity = async (file: string, pair: AgeIdentity, clock: Clock): Promise<void> => {
  const lines = [
    '# reads the escrow of lorawan-ferry: keep a copy in a safe place, and never in version control',
    `# created: ${clock().toISOString()}`,
    `# public key: ${pair.recipient}`,
    pair.identity.reveal(),
  ]
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new FerryError(
      'state-not-written',
      'IdentityNotWritten',
      `can't write ${file}: ${fileErrorText(cause)}`,
      {
        cause,
        hint: 'give write access to the folder, or name another file',
      },
    )
  }
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  if ((await createFile(file, bytes, { code: 'IdentityNotWritten' })) === 'exists') {
    throw new FerryError('usage', 'IdentityExists', `${file} exists already and is not overwritten`, {
      hint: 'use it, or name another file',
    })
  }
}

/** No identity was named and none was found; `place` is where one could be put. */
export const identityMissing = (place?: string): FerryError =>
  new FerryError('credentials', 'IdentityMissing', 'no age identity is at hand to read the escrow with', {
    hint: `name its file in FERRY_AGE_IDENTITY${place === undefined ? '' : `, or put it at ${place}`}`,
  })

/** The public key of an identity; errors leave out their cause, because it quotes the key. */
const withRecipient = async (key: string, where: string): Promise<AgeIdentity> => {
  let recipient: string
  try {
    recipient = await identityToRecipient(key)
  } catch {
    throw invalid(`${where} holds no age identity`)
  }
  return { identity: new Secret(key), recipient }
}

const invalid = (message: string): FerryError =>
  new FerryError('credentials', 'IdentityInvalid', message, {
    hint: 'an identity is one line that begins with AGE-SECRET-KEY-1, as `ferry escrow keygen` writes it',
  })

/** Mode and content come from one descriptor, so that the file which was checked is the file which is read. */
const readPrivateFile = async (file: string): Promise<string> => {
  try {
    const handle = await open(file, 'r')
    try {
      const { mode } = await handle.stat()
      // Windows has no such modes and reports all files as open.
      if ((mode & 0o077) !== 0 && platform() !== 'win32') throw tooOpen(file, mode)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (cause instanceof FerryError) throw cause
    const what = errorCodeOf(cause) === 'ENOENT' ? 'there is no such file' : fileErrorText(cause)
    throw new FerryError('credentials', 'IdentityMissing', `can't read the age identity ${file}: ${what}`, {
      cause,
      hint: 'name the identity file in FERRY_AGE_IDENTITY, or make one with `ferry escrow keygen`',
    })
  }
}

const tooOpen = (file: string, mode: number): FerryError =>
  new FerryError(
    'credentials',
    'IdentityTooOpen',
    `${file} has mode 0${(mode & 0o777).toString(8)}, so that others than its owner may use it`,
    { hint: `run \`chmod 600 ${file}\`` },
  )

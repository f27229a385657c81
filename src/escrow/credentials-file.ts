import type { NewCredentials } from '../domain/credentials.ts'
import type { Secret } from '../domain/secret.ts'
import { CREDENTIALS_FORMAT_VERSION, credentialsFromJson } from './credentials-record.ts'
import { damagedEscrow } from './encryption.ts'
import { lineIn, namedFiles, parseFields, readLines, refuseVersion } from './folder.ts'

/** `new-<sequence>-<random>.jsonl.age`; the same records as CSV lie beside it. */
const CREDENTIALS_NAME = /^(?<kind>new)-(?<sequence>\d{6,})-[0-9a-f]{8}\.jsonl\.age$/

/** One file of new credentials, as far as it can be told without an identity. */
export interface CredentialsFile {
  /** Name in the escrow folder, such as `new-000003-9f2c41d0.jsonl.age`. */
  readonly file: string
  readonly sequence: number
  readonly bytes: number
}

/** The files of new credentials of an escrow folder, oldest first; a folder that does not exist has none. */
export const listCredentials = async (folder: string): Promise<readonly CredentialsFile[]> =>
  (await namedFiles(folder, CREDENTIALS_NAME)).map(({ kind: _, ...file }) => file)

/**
 * The new credentials of one device: `line` is 0 for the first, as `EscrowPort.storeCredentials` told. Throws
 * `FerryError`: `EscrowMissing`, `EscrowDamaged`, `EscrowVersionUnknown` (kind `stale`), `IdentityCannotDecrypt` and
 * `IdentityInvalid` (kind `credentials`).
 */
export const readCredentials = async (
  file: string,
  line: number,
  identity: Secret,
): Promise<NewCredentials> =>
  parseCredentials(file, line, lineIn(file, await readLines(file, identity), line))

/** All new credentials of a file, in the order of its lines. Throws as `readCredentials` does. */
export const readCredentialsFile = async (
  file: string,
  identity: Secret,
): Promise<readonly NewCredentials[]> =>
  (await readLines(file, identity)).map((text, line) => parseCredentials(file, line, text))

/** A line of the plaintext of a file; throws as `readCredentials` does. */
export const parseCredentials = (file: string, line: number, text: string): NewCredentials => {
  const fields = parseFields(text)
  const version = fields?.['format_version']
  refuseVersion(file, version, CREDENTIALS_FORMAT_VERSION)
  const credentials = credentialsFromJson(fields)
  if (version === undefined || credentials === undefined) {
    throw damagedEscrow(file, `line ${line + 1} holds no credentials`)
  }
  return credentials
}

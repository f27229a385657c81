import { Decrypter, Encrypter } from 'age-encryption'
import { FerryError } from '../domain/errors.ts'
import type { Secret } from '../domain/secret.ts'

/**
 * Encrypts for all recipients. Throws `FerryError` of kind `plan-invalid` at once: `EscrowRecipientsMissing`,
 * `EscrowRecipientInvalid` (which does not repeat the value: it may be an identity, pasted by mistake).
 */
export const encrypterFor = (recipients: readonly string[]): ((text: string) => Promise<Uint8Array>) => {
  if (recipients.length === 0) {
    throw new FerryError('plan-invalid', 'EscrowRecipientsMissing', 'the escrow has no recipients', {
      hint: 'set `escrow.recipients` to the public key that `ferry escrow keygen` prints',
    })
  }
  const encrypter = new Encrypter()
  for (const [index, recipient] of recipients.entries()) {
    try {
      encrypter.addRecipient(recipient)
    } catch {
      throw new FerryError(
        'plan-invalid',
        'EscrowRecipientInvalid',
        `escrow recipient ${index + 1} is not an age public key`,
        { hint: 'a public key begins with age1; the line that begins with AGE-SECRET-KEY must stay secret' },
      )
    }
  }
  return (text) => encrypter.encrypt(text)
}

/**
 * Text of an escrow file. Throws `IdentityCannotDecrypt` (kind `credentials`) where the file is for others, and
 * `EscrowDamaged` (kind `stale`) where its bytes changed. A header that changed so that no recipient is left in it
 * reads like a file for others.
 */
export const decryptText = async (file: string, bytes: Uint8Array, identity: Secret): Promise<string> => {
  const decrypter = new Decrypter()
  try {
    decrypter.addIdentity(identity.reveal())
  } catch {
    throw new FerryError('credentials', 'IdentityInvalid', 'the age identity is not one', {
      hint: 'an identity begins with AGE-SECRET-KEY-1, as `ferry escrow keygen` writes it',
    })
  }
  try {
    return await decrypter.decrypt(bytes, 'text')
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no identity matched')) {
      throw new FerryError(
        'credentials',
        'IdentityCannotDecrypt',
        `the age identity can't decrypt ${file}: it was encrypted for other recipients`,
        { hint: 'set FERRY_AGE_IDENTITY to the identity of one of `escrow.recipients`' },
      )
    }
    throw damagedEscrow(file, 'its bytes are not what was written')
  }
}

/** Takes no cause: errors of a parser or cipher may quote what they were given. */
export const damagedEscrow = (file: string, what: string): FerryError =>
  new FerryError('stale', 'EscrowDamaged', `the escrow file ${file} is damaged: ${what}`, {
    hint: 'restore the file from a copy; the keys may also still be on its network',
  })

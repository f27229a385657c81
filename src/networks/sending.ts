import { FerryError } from '../domain/errors.ts'
import { isLoopback } from '../domain/hosts.ts'
import type { Secret } from '../domain/secret.ts'

/**
 * A credential as a header takes it. @param what it is called, such as `API key`; @param form what it looks like
 * @throws FerryError `CredentialMalformed` for one that no header can hold, without showing it
 */
export const headerText = (credential: Secret, what: string, form: string): string => {
  const text = credential.reveal().trim()
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new FerryError(
    'credentials',
    'CredentialMalformed',
    `the ${what} is empty or holds blanks or line breaks`,
    { hint: form },
  )
}

/**
 * Refuses to send a credential where others could read it: plain http, or TLS without a check of the certificate,
 * anywhere but on this machine.
 */
export const refuseUnsafe = (origin: string, insecure: boolean, what: string): void => {
  const { protocol, hostname, host } = new URL(origin)
  if (isLoopback(hostname) || (protocol === 'https:' && !insecure)) return
  const why = protocol === 'https:' ? 'without a check of its certificate' : 'over plain http'
  throw new FerryError('plan-invalid', 'UnsafeConnection', `${host} would be sent the ${what} ${why}`, {
    hint: 'use an https address, and caFile where the certificate is of an own authority',
  })
}

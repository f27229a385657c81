import { NetworkError } from '../domain/errors.ts'

/** What went wrong below HTTP, and what it means for a retry. */
export interface Failure {
  readonly code: string
  /** Continues the sentence that begins with the host. */
  readonly says: string
  readonly hint: string
  /** The request certainly never reached the server. */
  readonly neverSent: boolean
  /** Trying again may help. */
  readonly passing: boolean
}

const HOST_HINT = 'check the host in the plan, the network and the proxy variables (HTTPS_PROXY, NO_PROXY)'
const WAIT_HINT = 'run the command again; with many devices a lower rollout.maxConcurrency may help'

const unreachable = (says: string, passing: boolean): Failure => ({
  code: 'HostUnreachable',
  says,
  hint: HOST_HINT,
  neverSent: true,
  passing,
})

const lost = (says: string): Failure => ({
  code: 'ConnectionLost',
  says,
  hint: WAIT_HINT,
  neverSent: false,
  passing: true,
})

const refusedCertificate = (says: string): Failure => ({
  code: 'CertificateRefused',
  says,
  hint: 'name the file of your certificate authority as caFile, or use the host name of the certificate',
  neverSent: true,
  passing: false,
})

const timeout: Failure = {
  code: 'AnswerTimeout',
  says: 'did not answer in time',
  hint: WAIT_HINT,
  neverSent: false,
  passing: true,
}

/** By the `code` of the error, of Node or of undici. */
const BY_CODE: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: unreachable('refuses connections', true),
  ENOTFOUND: unreachable('is not a known host name', false),
  EAI_AGAIN: unreachable('could not be looked up, the name service does not answer', true),
  EHOSTUNREACH: unreachable('cannot be reached', true),
  ENETUNREACH: unreachable('cannot be reached, there is no way to its network', true),
  EADDRNOTAVAIL: unreachable('cannot be reached, no local port is free', true),
  UND_ERR_CONNECT_TIMEOUT: unreachable('did not take the connection in time', true),
  ECONNRESET: lost('closed the connection before it answered'),
  EPIPE: lost('closed the connection before it answered'),
  ETIMEDOUT: lost('lost the connection before it answered'),
  UND_ERR_SOCKET: lost('closed the connection before it answered'),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: lost('sent less than it announced'),
  UND_ERR_HEADERS_TIMEOUT: timeout,
  UND_ERR_BODY_TIMEOUT: timeout,
  DEPTH_ZERO_SELF_SIGNED_CERT: refusedCertificate('has a self-signed certificate'),
  SELF_SIGNED_CERT_IN_CHAIN: refusedCertificate('has a certificate of an authority that is not trusted here'),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: refusedCertificate(
    'has a certificate of an authority that is not trusted here',
  ),
  UNABLE_TO_GET_ISSUER_CERT: refusedCertificate('has a certificate of an authority that is not trusted here'),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: refusedCertificate(
    'has a certificate of an authority that is not trusted here',
  ),
  CERT_HAS_EXPIRED: refusedCertificate('has a certificate that has expired'),
  CERT_NOT_YET_VALID: refusedCertificate('has a certificate that is not valid yet'),
  ERR_TLS_CERT_ALTNAME_INVALID: refusedCertificate('has a certificate for another host name'),
  UND_ERR_PRX_TLS: refusedCertificate('is behind a proxy with a certificate for another host name'),
}

/** Reasons of OpenSSL for which there is no sentence of their own (`X509_V_ERR_...`). */
const OTHER_CERTIFICATE_CODE = /^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_CERT_|INVALID_(CA|PURPOSE)|PATH_LENGTH_)/

const NOT_TLS = { ...unreachable('does not speak TLS on this port', false), code: 'NotTls' }
const PROXY_REFUSED: Failure = {
  code: 'ProxyRefused',
  says: 'cannot be reached, the proxy refused to connect to it',
  hint: 'check HTTPS_PROXY with its user and password, or add the host to NO_PROXY',
  neverSent: true,
  passing: false,
}

interface Thrown {
  readonly code?: unknown
  readonly message?: unknown
  readonly syscall?: unknown
  readonly cause?: unknown
  readonly errors?: unknown
}

/** Reads an error of Node or undici; looks into causes and into the attempts over IPv4 and IPv6. */
export const failureOf = (error: unknown): Failure => {
  for (let at = error, depth = 0; at !== null && typeof at === 'object' && depth < 5; depth += 1) {
    const { code, message, syscall, cause, errors } = at as Thrown
    const name = typeof code === 'string' ? code : ''
    if (typeof message === 'string' && /^Proxy (response|Authentication)/.test(message)) return PROXY_REFUSED
    if (/^(ERR_SSL_|EPROTO)/.test(name)) {
      return typeof message === 'string' && /wrong version number|packet length too long/i.test(message)
        ? { ...NOT_TLS, hint: 'check the port, or whether the address begins with http://' }
        : refusedCertificate('could not agree on TLS')
    }
    const known =
      BY_CODE[name] ??
      (OTHER_CERTIFICATE_CODE.test(name)
        ? refusedCertificate('has a certificate that is not valid here')
        : undefined)
    if (known !== undefined) {
      // While connecting nothing was sent, whatever the error.
      return syscall === 'connect' && known.code !== 'CertificateRefused'
        ? { ...known, code: 'HostUnreachable', hint: HOST_HINT, neverSent: true }
        : known
    }
    at = cause ?? (Array.isArray(errors) ? errors[0] : undefined)
  }
  return lost('could not be asked')
}

/** The failure as the exception that the engine knows. `request` is `METHOD path` without query values. */
export const networkErrorOf = (
  failure: Failure,
  host: string,
  request: string,
  read: boolean,
  cause?: unknown,
): NetworkError =>
  new NetworkError(
    failure.code,
    `${host} ${failure.says}`,
    { effect: failure.neverSent || read ? 'none' : 'unknown', request },
    { hint: failure.hint, ...(cause === undefined ? {} : { cause }) },
  )

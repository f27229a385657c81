import { X509Certificate } from 'node:crypto'
import tls from 'node:tls'
import { EnvHttpProxyAgent } from 'undici'
import { FerryError } from '../domain/errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Connections {
  readonly env: Environment
  /** Content of a PEM file with certificate authorities to trust besides the system's. */
  readonly ca?: string | undefined
  /** Certificates are not checked. */
  readonly insecure: boolean
  /** Sockets for each origin. */
  readonly connections: number
  /** Milliseconds. */
  readonly connectTimeout: number
  /** Milliseconds until the answer's head, and between two pieces of its body. */
  readonly answerTimeout: number
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** Splits a PEM file into certificates; a file without any, or with a broken one, is refused. */
const authorities = (pem: string): readonly string[] => {
  const found = pem.match(CERTIFICATE) ?? []
  const refuse = (why: string, cause?: unknown) =>
    new FerryError('plan-invalid', 'CaFileInvalid', `the file of certificate authorities ${why}`, {
      hint: 'caFile takes PEM: one or more blocks between BEGIN CERTIFICATE and END CERTIFICATE',
      ...(cause === undefined ? {} : { cause }),
    })
  if (found.length === 0) throw refuse('holds no certificate')
  for (const [index, one] of found.entries()) {
    try {
      new X509Certificate(one)
    } catch (error) {
      throw refuse(`holds a certificate that cannot be read (number ${index + 1} of ${found.length})`, error)
    }
  }
  return found
}

/** The certificates that are trusted anyway, `NODE_EXTRA_CA_CERTS` included where this Node tells them. */
const systemAuthorities = (): readonly string[] => {
  const tellDefault = (tls as { getCACertificates?: (type: string) => string[] }).getCACertificates
  return tellDefault?.('default') ?? tls.rootCertificates
}

/**
 * Sockets to any origin, through the proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name (lower case
 * first, as curl reads them); loopback addresses are always reached directly. Throws `FerryError` for a CA file
 * or a proxy address that cannot be read.
 */
export const createDispatcher = (options: Connections): EnvHttpProxyAgent => {
  const { env } = options
  const security = {
    timeout: options.connectTimeout,
    ...(options.ca === undefined ? {} : { ca: [...systemAuthorities(), ...authorities(options.ca)] }),
    ...(options.insecure ? { rejectUnauthorized: false } : {}),
  }
  const variable = (name: string) => env[name.toLowerCase()] ?? env[name] ?? ''
  try {
    return new EnvHttpProxyAgent({
      // Never undefined: the agent would look into the process's environment.
      httpProxy: variable('HTTP_PROXY'),
      httpsProxy: variable('HTTPS_PROXY'),
      noProxy: `${variable('NO_PROXY') === '*' ? '*' : `${variable('NO_PROXY')},localhost,127.0.0.1,[::1]`}`,
      connections: options.connections,
      headersTimeout: options.answerTimeout,
      bodyTimeout: options.answerTimeout,
      connect: security,
      requestTls: security,
      proxyTls: security,
    })
  } catch (error) {
    throw new FerryError('usage', 'ProxyInvalid', 'the address of the proxy cannot be read', {
      hint: 'HTTPS_PROXY and HTTP_PROXY take an address such as http://proxy.example.org:3128',
      cause: error,
    })
  }
}

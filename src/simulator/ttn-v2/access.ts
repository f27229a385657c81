import { denied, noRights, notValid, V2Error } from './errors.ts'
import { ISSUER, type V2Network, type V2Right } from './network.ts'

/** Headers of a request, names in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>

interface Token {
  readonly sub: string
  readonly scope: readonly string[]
  readonly apps: Readonly<Record<string, readonly string[]>>
  /** Unix seconds. */
  readonly exp?: number
}

const credentialsOf = (headers: Headers): { readonly key?: string; readonly token?: string } => {
  const [scheme = '', value = ''] = (headers['authorization'] ?? '').split(' ')
  const key = scheme.toLowerCase() === 'key' ? value : headers['grpc-metadata-key']
  const token = scheme.toLowerCase() === 'bearer' ? value : headers['grpc-metadata-token']
  return { ...(key === undefined ? {} : { key }), ...(token === undefined ? {} : { token }) }
}

/** The handler exchanges a key for a token of the account server, whose words are not known. */
const exchange = (network: V2Network, application: string, given: string): Token => {
  const [issuer = '', secret] = given.split('.')
  const whole = secret === undefined ? `${ISSUER}.${issuer}` : given
  if (secret !== undefined && issuer !== ISSUER) throw new V2Error(`Auth server "${issuer}" not registered`)
  const found = network.accessKeys.get(whole)
  if (found === undefined || found.application !== application)
    throw new V2Error('STUB invalid app id or access key')
  return { sub: application, scope: [`apps:${application}`], apps: { [application]: found.rights } }
}

/** Seconds as Go prints a duration of whole seconds. */
const goDuration = (seconds: number): string => {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${rest}s`
}

/** Reads a token; its signature is the account server's, and is not looked at here. */
const parseToken = (network: V2Network, text: string): Token => {
  const parts = text.split('.')
  if (parts.length !== 3) throw denied('unable to parse token: token contains an invalid number of segments')
  let claims: Partial<Token>
  try {
    claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8')) as Partial<Token>
  } catch {
    throw denied('unable to parse token: illegal base64 data')
  }
  const late = Math.floor(network.clock().getTime() / 1000) - (claims.exp ?? Number.POSITIVE_INFINITY)
  if (late > 0) throw denied(`unable to parse token: token is expired by ${goDuration(late)}`)
  return { sub: claims.sub ?? '', scope: claims.scope ?? [], apps: claims.apps ?? {} }
}

/** Who asks: refused unless it has the right. @returns the subject, for which requests are counted */
export const authorise = (
  network: V2Network,
  headers: Headers,
  application: string,
  right: V2Right,
): string => {
  const { key, token } = credentialsOf(headers)
  if (key === undefined && token === undefined) throw notValid('Metadata', 'neither token nor key present')
  const claims = token === undefined ? exchange(network, application, key ?? '') : parseToken(network, token)
  const mayAll = claims.scope.includes(`apps:${application}`)
  if (!mayAll || claims.apps[application]?.includes(right) !== true) throw noRights(right, application)
  return claims.sub
}

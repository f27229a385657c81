import { NetworkError } from '../domain/errors.ts'
import type { Json } from '../domain/json.ts'
import type { Headers } from './rate-limit.ts'

/** An answer of the server, of any status; the body is JSON, or undefined where there is none. */
export interface HttpAnswer {
  readonly status: number
  /** Names in lower case; the first value of each. */
  readonly headers: Headers
  readonly body: Json | undefined
}

interface Raw {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

const originOf = (location: string | undefined): string | undefined => {
  try {
    return location === undefined ? undefined : new URL(location).origin
  } catch {
    return undefined
  }
}

/**
 * Decodes an answer. Throws `NetworkError` (`Redirected`, `ProxyRefused`, `ServerError`, `NotJson`) for one that
 * no registry would give, such as the page of a proxy; neither body nor query is part of the error.
 */
export const decodeAnswer = (raw: Raw, host: string, request: string, read: boolean): HttpAnswer => {
  const { status, headers, text } = raw
  const refuse = (code: string, says: string, effect: 'none' | 'unknown', hint: string) =>
    new NetworkError(code, `${host} ${says}`, { effect: read ? 'none' : effect, request, status }, { hint })
  const type = (headers['content-type'] ?? 'no content type').split(';')[0]?.trim().toLowerCase() ?? ''
  if (status >= 300 && status < 400) {
    const to = originOf(headers['location'])
    throw refuse(
      'Redirected',
      `answered ${status}, a redirect${to === undefined ? '' : ` to ${to}`}`,
      'none',
      'name the address that serves the registries itself as url; redirects are not followed with credentials',
    )
  }
  if (status === 407) {
    throw refuse(
      'ProxyRefused',
      'cannot be reached, the proxy wants a user and a password',
      'none',
      PROXY_HINT,
    )
  }
  if (text.trim() === '' && (status >= 400 || read === false)) return { status, headers, body: undefined }
  if (type === 'application/json' || type.endsWith('+json') || type === 'no content type') {
    try {
      return { status, headers, body: JSON.parse(text) as Json }
    } catch {
      throw refuse(
        'NotJson',
        `answered ${status} with JSON that ends early or is broken`,
        effectOf(status),
        PAGE_HINT,
      )
    }
  }
  if (status >= 500) {
    throw refuse('ServerError', `answered ${status} with ${type}`, 'unknown', DOWN_HINT)
  }
  throw refuse('NotJson', `answered ${status} with ${type} in place of JSON`, effectOf(status), PAGE_HINT)
}

/** A refusal by 4xx had no effect; of everything else it is not known. */
const effectOf = (status: number): 'none' | 'unknown' =>
  status >= 400 && status < 500 && status !== 408 ? 'none' : 'unknown'

const PAGE_HINT = 'check the address: a proxy, a login page or another service may have answered'
const DOWN_HINT = 'the network, or a proxy before it, is down or overloaded: run the command again later'
const PROXY_HINT = 'put user and password into the proxy address, or add the host to NO_PROXY'

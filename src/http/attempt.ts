import type { Dispatcher } from 'undici'
import { failureOf } from './failures.ts'
import type { Outcome } from './retry.ts'

/** Those of the networks, and the two of WebDAV with which a state at an address is locked. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'LOCK' | 'UNLOCK'

export interface Attempt {
  readonly method: Method
  /** Absolute, with query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
}

class TooLarge extends Error {}

const firstOfEach = (headers: Record<string, string | string[] | undefined>): Record<string, string> => {
  const single: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    const first = Array.isArray(value) ? value[0] : value
    if (first !== undefined) single[name.toLowerCase()] = first
  }
  return single
}

/**
 * Sends a request once, to an address that was read already. Everything that can go wrong on the way is a value. Not by undici's
 * `request`: its streams cost more than all else that is done for a request, and here an answer is wanted whole.
 * @param bodyLimit bytes of an answer that are taken
 */
export const attempt = (
  dispatcher: Dispatcher,
  one: Attempt,
  { origin, pathname, search }: URL,
  bodyLimit: number,
): Promise<Outcome> =>
  new Promise((resolve) => {
    let status = 0
    let headers: Record<string, string> = {}
    let size = 0
    const pieces: Buffer[] = []
    dispatcher.dispatch(
      {
        origin,
        path: `${pathname}${search}`,
        // undici's type leaves out what it sends all the same.
        method: one.method as Dispatcher.HttpMethod,
        headers: one.headers,
        ...(one.body === undefined ? {} : { body: one.body }),
      },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, statusCode, given) => {
          // What comes before the answer (1xx) is none.
          status = statusCode
          headers = firstOfEach(given)
        },
        onResponseData: (controller, piece) => {
          pieces.push(piece)
          size += piece.byteLength
          if (size > bodyLimit) controller.abort(new TooLarge())
        },
        onResponseEnd: () => {
          const bytes = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
          resolve({ kind: 'answer', status, headers, bytes })
        },
        onResponseError: (_controller, cause) => resolve(failed(cause, bodyLimit)),
      },
    )
  })

const failed = (cause: Error, bodyLimit: number): Outcome => {
  if (!(cause instanceof TooLarge)) return { kind: 'failure', failure: failureOf(cause), cause }
  const failure = {
    code: 'AnswerTooLarge',
    says: `sent an answer of more than ${Math.round(bodyLimit / 2 ** 20)} MiB`,
    hint: 'check that the address is that of a network server and not of a file server or a proxy',
    neverSent: false,
    passing: false,
  }
  return { kind: 'failure', failure, cause: undefined }
}

import { type Dispatcher, request } from 'undici'
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

/** Reads a body and stops at the limit (bytes). */
const readBytes = async (body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> => {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.byteLength
    if (size > limit) throw new TooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

const firstOfEach = (headers: Record<string, string | string[] | undefined>): Record<string, string> => {
  const single: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value
    if (first !== undefined) single[name.toLowerCase()] = first
  }
  return single
}

/** Sends a request once. Everything that can go wrong on the way is a value; only an abort rejects. */
export const attempt = async (
  dispatcher: Dispatcher,
  one: Attempt,
  bodyLimit: number,
  signal?: AbortSignal,
): Promise<Outcome> => {
  try {
    const answer = await request(one.url, {
      dispatcher,
      // undici's type leaves out what it sends all the same.
      method: one.method as Dispatcher.HttpMethod,
      headers: one.headers,
      ...(one.body === undefined ? {} : { body: one.body }),
      ...(signal === undefined ? {} : { signal }),
    })
    return {
      kind: 'answer',
      status: answer.statusCode,
      headers: firstOfEach(answer.headers),
      bytes: await readBytes(answer.body, bodyLimit),
    }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason
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
}

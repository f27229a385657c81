import { type Dispatcher, request } from 'undici'
import { failureOf } from './failures.ts'
import type { Outcome } from './retry.ts'

export interface Attempt {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Absolute, with query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

class TooLarge extends Error {}

/** Reads a body as UTF-8 and stops at the limit (bytes). */
const readText = async (body: AsyncIterable<Uint8Array>, limit: number): Promise<string> => {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.byteLength
    if (size > limit) throw new TooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
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
      method: one.method,
      headers: one.headers,
      ...(one.body === undefined ? {} : { body: one.body }),
      ...(signal === undefined ? {} : { signal }),
    })
    return {
      kind: 'answer',
      status: answer.statusCode,
      headers: firstOfEach(answer.headers),
      text: await readText(answer.body, bodyLimit),
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

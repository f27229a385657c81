import { FerryError } from '../domain/errors.ts'
import type { HttpPlace } from '../domain/migration-plan.ts'
import type { Secret } from '../domain/secret.ts'
import { createHttpClient, type Environment, type Method, type RawAnswer } from '../http/index.ts'

export interface Body {
  readonly bytes: Uint8Array
  readonly type: 'application/json' | 'application/octet-stream'
}

/** A place on a server, ready to be asked. */
export interface Place {
  /** For people: the address without query. */
  readonly name: string
  /**
   * Sends a request that may be sent twice, and gives the answer whatever its status.
   * @throws NetworkError where none came; FerryError `PlaceRefused` (kind `credentials`) for 401 and 403.
   */
  send(method: Method, url: string, body?: Body): Promise<RawAnswer>
  close(): Promise<void>
}

export interface PlaceOptions {
  readonly place: HttpPlace
  /** Of the user that the place names. */
  readonly password?: Secret | undefined
  readonly ca?: string | undefined
  readonly env: Environment
}

/** A state of a large fleet, or a file of the escrow; bytes. */
const LARGEST = 512 * 2 ** 20
/** About a minute in all: what is under way on the networks waits meanwhile. */
const ATTEMPTS = 8

/** An interrupt does not reach it: what was begun is written down, and the lock is given back. */
export const openPlace = ({ place, password, ...options }: PlaceOptions): Place => {
  const client = createHttpClient({
    ...options,
    insecure: place.insecure,
    maxConcurrency: 8,
    bodyLimit: LARGEST,
    patience: { attempts: ATTEMPTS },
  })
  const authorization =
    place.username === undefined || password === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${place.username}:${password.reveal()}`).toString('base64')}`,
        }
  return {
    name: nameOf(place.address),
    send: async (method, url, body) => {
      const answer = await client.send({
        method,
        url,
        headers: { ...authorization, ...(body === undefined ? {} : { 'content-type': body.type }) },
        ...(body === undefined ? {} : { body: body.bytes }),
        repeatable: true,
      })
      if (answer.status === 401 || answer.status === 403) throw refused(nameOf(url), answer.status)
      return answer
    },
    close: () => client.close(),
  }
}

const nameOf = (address: string): string => {
  const { origin, pathname } = new URL(address)
  return `${origin}${pathname}`
}

const refused = (name: string, status: number): FerryError =>
  new FerryError('credentials', 'PlaceRefused', `${name} refuses user and password (${status})`, {
    hint: 'check username and password of the place in the plan, and what they may do',
  })

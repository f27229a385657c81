import { isDeepStrictEqual } from 'node:util'
import { FerryError, NetworkError } from '../domain/errors.ts'
import type { HttpState } from '../domain/migration-plan.ts'
import type { RawAnswer } from '../http/index.ts'
import type { LockDocument } from '../state/lock.ts'
import type { Body, Place } from './place.ts'
import { formatPosted, objectIn, type PostedState, parsePosted } from './state-document.ts'

/** The state protocol of Terraform: a document that is read and posted, and a lock that one holds. */
export interface RemoteState {
  /** Undefined where the address holds none yet. @throws FerryError `StateAddressFailed`, and as `parsePosted` */
  read(lineage: string): Promise<PostedState | undefined>
  /** Returns once the address holds it. @throws FerryError `StateNotPosted`, kind `state-not-written` */
  post(state: PostedState, lockId: string): Promise<void>
  /** Who holds the lock from now on: we, or another. */
  lock(document: LockDocument, path: string): Promise<Held>
  /** Gives back a lock that is held, as `lock` told; `other` where another holds it. */
  unlock(held: Held): Promise<'unlocked' | 'absent' | 'other'>
}

/** Who holds a lock, as far as the server tells. */
export interface Held {
  readonly id: string
  /** As it was sent or told: a server may compare all of it when the lock is given back. */
  readonly document: Uint8Array
  readonly who?: string
  readonly since?: string
  readonly operation?: string
}

const isOk = ({ status }: RawAnswer): boolean => status === 200 || status === 201 || status === 204
const isHeld = ({ status }: RawAnswer): boolean => status === 409 || status === 423
const isNone = ({ status, bytes }: RawAnswer): boolean =>
  status === 204 || status === 404 || (status === 200 && bytes.byteLength === 0)

export const remoteState = (state: HttpState, place: Place): RemoteState => {
  const read = async (lineage: string): Promise<PostedState | undefined> => {
    const answer = await place.send('GET', state.address)
    if (isNone(answer)) return undefined
    if (answer.status !== 200) throw failed(place.name, answer.status)
    return parsePosted(answer.bytes, lineage, place.name)
  }

  /** A post whose answer was lost may be there: a server may refuse the same serial a second time. */
  const isThere = async ({ lineage, serial, records }: PostedState): Promise<boolean> => {
    const held = await read(lineage).catch(() => undefined)
    return held?.serial === serial && isDeepStrictEqual(held.records, records)
  }

  return {
    read,
    post: async (posted, lockId) => {
      let answer: RawAnswer
      try {
        const url = withId(state.address, lockId)
        answer = await place.send(state.updateMethod, url, json(formatPosted(posted)))
      } catch (cause) {
        if (await isThere(posted)) return
        throw notPosted(place.name, cause instanceof Error ? cause.message : 'no answer', cause)
      }
      if (isOk(answer)) return
      if (isHeld(answer)) throw notPosted(place.name, 'the lock of this run is gone, another may be at work')
      if (!(await isThere(posted))) throw notPosted(place.name, `it answered ${answer.status}`)
    },
    lock: async (document, path) => {
      const body = bodyOf(document, path)
      const answer = await place.send(state.lockMethod, state.lockAddress, json(body))
      if (isOk(answer)) return { id: document.id, document: body }
      if (isHeld(answer)) return heldBy(answer.bytes)
      throw failed(state.lockAddress, answer.status)
    },
    unlock: async ({ id, document }) => {
      const answer = await place.send(state.unlockMethod, withId(state.unlockAddress, id), json(document))
      if (isOk(answer)) return 'unlocked'
      if (isHeld(answer)) return 'other'
      if (answer.status === 404) return 'absent'
      throw failed(state.unlockAddress, answer.status)
    },
  }
}

const json = (bytes: Uint8Array): Body => ({ bytes, type: 'application/json' })

const withId = (address: string, id: string): string => {
  const url = new URL(address)
  url.searchParams.set('ID', id)
  return url.href
}

/** The lock document of the protocol; a server may ask for every one of its fields. */
const bodyOf = ({ id, command, user, host, pid, startedAt }: LockDocument, path: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      ID: id,
      Operation: command,
      Info: `process ${pid}`,
      Who: `${user}@${host}`,
      Version: 'lorawan-ferry',
      Created: startedAt,
      Path: path,
    }),
  )

const heldBy = (bytes: Uint8Array): Held => {
  const held = objectIn(bytes) ?? {}
  const text = (name: string): string | undefined =>
    typeof held[name] === 'string' && held[name] !== '' ? held[name] : undefined
  const [who, since, operation] = [text('Who'), text('Created'), text('Operation')]
  return {
    id: text('ID') ?? '',
    document: bytes,
    ...(who === undefined ? {} : { who }),
    ...(since === undefined ? {} : { since }),
    ...(operation === undefined ? {} : { operation }),
  }
}

const failed = (address: string, status: number): NetworkError =>
  new NetworkError(
    'StateAddressFailed',
    `${address} answered ${status}`,
    { effect: 'none', request: 'state', status },
    { hint: 'check the addresses and methods of state.http in the plan' },
  )

const notPosted = (name: string, why: string, cause?: unknown): FerryError =>
  new FerryError('state-not-written', 'StateNotPosted', `the state could not be posted to ${name}: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'nothing is lost: the state file of this machine has all that was done; run the same command again',
  })

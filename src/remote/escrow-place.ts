import { FerryError } from '../domain/errors.ts'
import type { EscrowCopies } from '../escrow/copies.ts'
import type { RawAnswer } from '../http/index.ts'
import type { Place } from './place.ts'

/** Files that are put below an address and read from there (`escrow.http`). */
export const escrowPlace = (address: string, place: Place): EscrowCopies => ({
  place: place.name,
  put: async (name, bytes) => {
    const url = fileAt(address, name)
    const answer = await tried(place, name, () =>
      place.send('PUT', url, { bytes, type: 'application/octet-stream' }),
    )
    if (answer.status < 200 || answer.status > 299) throw notPut(place, name, `it answered ${answer.status}`)
    const held = await tried(place, name, () => place.send('GET', url))
    if (held.status !== 200) throw notPut(place, name, `it answered ${held.status} when it was read back`)
    if (!held.bytes.equals(bytes)) {
      throw notPut(place, name, 'what was read back differs from what was put there')
    }
  },
  get: async (name) => {
    const answer = await place.send('GET', fileAt(address, name))
    if (answer.status === 200) return answer.bytes
    if (answer.status === 404) return undefined
    throw new FerryError(
      'stale',
      'EscrowMissing',
      `can't read the escrow ${place.name}/${name}: it answered ${answer.status}`,
      { hint: 'check escrow.http in the plan, and run again' },
    )
  },
})

/** A query stays behind the path. */
const fileAt = (address: string, name: string): string => {
  const url = new URL(address)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${name}`
  return url.href
}

const tried = async (place: Place, name: string, send: () => Promise<RawAnswer>): Promise<RawAnswer> => {
  try {
    return await send()
  } catch (cause) {
    throw notPut(place, name, cause instanceof Error ? cause.message : 'no answer', cause)
  }
}

const notPut = (place: Place, name: string, why: string, cause?: unknown): FerryError =>
  new FerryError(
    'state-not-written',
    'EscrowNotWritten',
    `can't put the escrow ${name} to ${place.name}: ${why}`,
    {
      ...(cause === undefined ? {} : { cause }),
      hint: 'no source was touched for these devices: check escrow.http in the plan, then run again',
    },
  )

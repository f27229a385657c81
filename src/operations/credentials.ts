import { join } from 'node:path'
import type { NewCredentials } from '../domain/credentials.ts'
import { FerryError } from '../domain/errors.ts'
import type { EscrowPlace } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import type { EscrowCopies } from '../escrow/copies.ts'
import { listCredentials, parseCredentials, readCredentialsFile } from '../escrow/credentials-file.ts'
import { damagedEscrow } from '../escrow/encryption.ts'
import { lineIn } from '../escrow/folder.ts'
import { cachedLines } from '../escrow/read-cache.ts'
import type { LocalPlan } from './local-plan.ts'
import type { Stores } from './stores.ts'

export interface CredentialsFound {
  /** By device id on the source. Keys: write them only where the user asked for it. */
  readonly credentials: readonly NewCredentials[]
  /** `files`: there is no state to go by, so that the newest may be some that never reached the target. */
  readonly from: 'state' | 'files'
}

/**
 * The newest new credentials of each device of a plan, or of these devices alone (ids on the source): those that the
 * state names, and without a state those that were written last.
 * @throws FerryError `EscrowDeviceUnknown` (kind `usage`) for a device that has none; as `readCredentials` does.
 */
export const newCredentials = async (
  { loaded }: LocalPlan,
  stores: Stores,
  devices: readonly string[] | undefined,
  identity: Secret,
): Promise<CredentialsFound> => {
  const folder = loaded.plan.escrow.path
  const places = await placesInState(stores)
  const known =
    places === undefined ? await inFiles(folder, identity) : inState(folder, places, identity, stores.copies)
  const wanted = [...new Set(devices ?? known.devices)].sort()
  refuseUnknown(
    folder,
    wanted.filter((device) => !known.devices.has(device)),
  )
  const credentials: NewCredentials[] = []
  for (const device of wanted) credentials.push(...(await known.read(device)))
  return { credentials, from: places === undefined ? 'files' : 'state' }
}

/** Who has new credentials, and what they are: at most one of each device. */
interface Known {
  readonly devices: ReadonlySet<string>
  read(device: string): Promise<readonly NewCredentials[]>
}

const refuseUnknown = (folder: string, devices: readonly string[]): void => {
  if (devices.length === 0) return
  throw new FerryError(
    'usage',
    'EscrowDeviceUnknown',
    `the escrow ${folder} holds no new credentials of ${devices.join(', ')}`,
    { hint: 'give device ids of the source; ferry escrow list tells those with stage new' },
  )
}

/** Undefined where there is no state, or none that can be trusted. */
const placesInState = async ({
  state: store,
}: Stores): Promise<ReadonlyMap<string, EscrowPlace> | undefined> => {
  const state = await store.read().catch((error: unknown) => {
    if (error instanceof FerryError && error.kind === 'stale') return undefined
    throw error
  })
  if (state === undefined || state.status === 'absent') return undefined
  const places = new Map<string, EscrowPlace>()
  for (const record of state.records) {
    if (record.t === 'fact' && record.fact.name === 'credentials') places.set(record.device, record.fact)
  }
  return places
}

const inState = (
  folder: string,
  places: ReadonlyMap<string, EscrowPlace>,
  identity: Secret,
  copies: EscrowCopies | undefined,
): Known => {
  const lines = cachedLines(folder, identity, copies)
  return {
    devices: new Set(places.keys()),
    read: async (device) => {
      const place = places.get(device)
      if (place === undefined) return []
      const path = join(folder, place.file)
      const text = lineIn(path, await lines(place.file), place.line)
      const credentials = parseCredentials(path, place.line, text)
      if (credentials.device === device) return [credentials]
      throw damagedEscrow(path, `line ${place.line + 1} is not of ${device}`)
    },
  }
}

/** All files are read, newest last. */
const inFiles = async (folder: string, identity: Secret): Promise<Known> => {
  const found = new Map<string, NewCredentials>()
  for (const { file } of await listCredentials(folder)) {
    for (const one of await readCredentialsFile(join(folder, file), identity)) found.set(one.device, one)
  }
  return {
    devices: new Set(found.keys()),
    read: async (device) => {
      const credentials = found.get(device)
      return credentials === undefined ? [] : [credentials]
    },
  }
}

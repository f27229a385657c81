import type { HttpPlace } from '../domain/migration-plan.ts'
import { foldState } from '../engine/progress/fold.ts'
import type { EscrowCopies } from '../escrow/copies.ts'
import { escrowPlace } from '../remote/escrow-place.ts'
import { openPlace, type Place } from '../remote/place.ts'
import { remoteStore } from '../remote/remote-store.ts'
import { fileStore, type StateStore } from '../state/store.ts'
import { readCa } from './ca-file.ts'
import type { Host } from './host.ts'
import type { LocalPlan } from './local-plan.ts'
import { secretOf } from './secrets.ts'

/** Where the state of a plan is kept, and copies of its escrow. */
export interface Stores {
  readonly state: StateStore
  /** Where the plan names a place for them. */
  readonly copies?: EscrowCopies
  close(): Promise<void>
}

/**
 * Asks nothing of them yet.
 * @throws FerryError kind `credentials` for a password that is missing, `plan-invalid` for a CA file that can't be read
 */
export const openStores = async (
  { loaded, lineage, stateOwner }: LocalPlan,
  { env }: Pick<Host, 'env'>,
): Promise<Stores> => {
  const { state, escrow } = loaded.plan
  const options = { file: state.file, lineage, ...stateOwner }
  const store =
    state.http === undefined
      ? fileStore(options)
      : remoteStore({ ...options, http: state.http, place: await placeOf(state.http, env), fold: foldState })
  const copies = escrow.http === undefined ? undefined : await placeOf(escrow.http, env)
  return {
    state: store,
    ...(copies === undefined || escrow.http === undefined
      ? {}
      : { copies: escrowPlace(escrow.http.address, copies) }),
    close: async () => {
      await Promise.all([store.close(), copies?.close()])
    },
  }
}

const placeOf = async (place: HttpPlace, env: Host['env']): Promise<Place> =>
  openPlace({
    place,
    env,
    password: place.password === undefined ? undefined : (await secretOf(place.password, env)).value,
    ca: place.caFile === undefined ? undefined : await readCa(place.caFile),
  })

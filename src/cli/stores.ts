import { type LoadedPlan, type LocalPlan, localPlan, openStores, type Stores } from '../index.ts'
import { hostOf } from './host.ts'
import type { Shell } from './shell.ts'

/** Works with the state of a plan, and its escrow, without asking a network. */
export const withStores = async <T>(
  shell: Shell,
  loaded: LoadedPlan,
  work: (local: LocalPlan, stores: Stores) => Promise<T>,
): Promise<T> => {
  const local = localPlan(loaded)
  const stores = await openStores(local, hostOf(shell))
  try {
    return await work(local, stores)
  } finally {
    await stores.close()
  }
}

import { type Network, storesOf } from './network.ts'

/** Puts back what was there when it was made; may be called any number of times. */
export type PutBack = () => void

/** Remembers all that a network holds, so that many courses can begin from the same state. */
export const snapshotOf = (network: Network): PutBack => {
  const stores = [...storesOf(network), network.gatewayStats].map((store) => store.snapshot())
  const maps = [
    mapSnapshot(network.apiKeys),
    mapSnapshot(network.applicationOwners),
    mapSnapshot(network.gatewayOwners),
    mapSnapshot(network.sessionKeys),
  ]
  const sets = [setSnapshot(network.deletedApplications), setSnapshot(network.deletedGateways)]
  const sent = [...network.transmissions]
  return () => {
    for (const putBack of [...stores, ...maps, ...sets]) putBack()
    network.transmissions.splice(0, network.transmissions.length, ...sent)
  }
}

/** Their values are replaced, never changed. */
const mapSnapshot = <K, V>(map: Map<K, V>): PutBack => {
  const entries = [...map]
  return () => {
    map.clear()
    for (const [key, value] of entries) map.set(key, value)
  }
}

const setSnapshot = <T>(set: Set<T>): PutBack => {
  const items = [...set]
  return () => {
    set.clear()
    for (const item of items) set.add(item)
  }
}

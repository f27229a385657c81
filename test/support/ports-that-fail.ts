import type { EscrowPort, JournalPort, JournalRecord, NetworkPort } from '../../src/index.ts'
import type { Migration, Wrap } from './migration.ts'
import { call, type TestNetwork } from './stack-api.ts'

export class Killed extends Error {}

/** Everything that an apply makes last: a call that changes a network, a line of the state, a file of the escrow. */
export type EventKind = 'network' | 'state' | 'escrow'

type Guard = <T>(kind: EventKind, effect: () => Promise<T>) => Promise<T>

const guarding = (guard: Guard): Wrap => ({
  journal: (journal): JournalPort => ({
    ...journal,
    append: (records) => guard('state', () => journal.append(records)),
  }),
  escrow: (escrow): EscrowPort => ({
    ...escrow,
    store: (stage, record) => guard('escrow', () => escrow.store(stage, record)),
    storeCredentials: (credentials) => guard('escrow', () => escrow.storeCredentials(credentials)),
  }),
  network: (network): NetworkPort => ({
    ...network,
    write: (write) => guard('network', () => network.write(write)),
    remove: (registry, ids) => guard('network', () => network.remove(registry, ids)),
    pushDownlinks: (id, downlinks) => guard('network', () => network.pushDownlinks(id, downlinks)),
    replaceDownlinks: (id, downlinks) => guard('network', () => network.replaceDownlinks(id, downlinks)),
  }),
})

/** Ports that behave, and tell afterwards what kind of event each was. */
export const counting = (): { readonly wrap: Wrap; readonly events: readonly EventKind[] } => {
  const events: EventKind[] = []
  const wrap = guarding(async (kind, effect) => {
    events.push(kind)
    return effect()
  })
  return { wrap, events }
}

/**
 * Ports that behave until the n-th event (1 first) and never again: what a killed process looks like to networks and
 * disk. With concurrency 1 nothing else happens between two events, so before one is after the one before it.
 */
export const killedBefore = (n: number): Wrap => {
  let events = 0
  return guarding(async (_kind, effect) => {
    events += 1
    if (events >= n) throw new Killed()
    return effect()
  })
}

/** Ports that behave; before the n-th event (1 first) something else happens in the world. */
export const movingBefore = (n: number, move: () => Promise<void>): Wrap => {
  let events = 0
  return guarding(async (_kind, effect) => {
    events += 1
    if (events === n) await move()
    return effect()
  })
}

/** Ports of a process that is killed when a record is to be written into its state. */
export const killedAt = (isIt: (record: JournalRecord) => boolean): Wrap => {
  let dead = false
  return {
    journal: (journal): JournalPort => ({
      ...journal,
      append: async (records) => {
        dead ||= records.some(isIt)
        if (dead) throw new Killed()
        await journal.append(records)
      },
    }),
  }
}

/** Ports whose n-th call of a network (1 first) loses its connection, before its effect or after it. */
export const losing = (migration: Migration, n: number, when: 'before' | 'after'): Wrap => {
  let calls = 0
  const lose = async <T>(network: TestNetwork, method: string, effect: () => Promise<T>): Promise<T> => {
    calls += 1
    if (calls !== n) return effect()
    await call(network, 'POST', '/simulator/v1/faults', {
      faults: [{ method, nth: 1, times: 1, when, do: { reset: true } }],
    })
    return effect()
  }
  return {
    network: (port, side): NetworkPort => {
      const network = migration[side]
      return {
        ...port,
        write: (write) => lose(network, write.create === true ? 'POST' : 'PUT', () => port.write(write)),
        remove: (registry, ids) => lose(network, 'DELETE', () => port.remove(registry, ids)),
        pushDownlinks: (id, downlinks) => lose(network, 'POST', () => port.pushDownlinks(id, downlinks)),
        replaceDownlinks: (id, downlinks) =>
          lose(network, 'POST', () => port.replaceDownlinks(id, downlinks)),
      }
    },
  }
}

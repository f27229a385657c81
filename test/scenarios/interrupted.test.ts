import { describe, expect, it } from 'vitest'
import { walk } from '../../src/engine/run/walk.ts'
import type { JournalPort, NetworkPort } from '../../src/index.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { type Migration, startMigration, type Wrap } from '../support/migration.ts'
import { brokenPromises, lasting } from '../support/promises.ts'
import { storeOf } from '../support/stack-api.ts'

interface Fleet {
  readonly specs: readonly DeviceSpec[]
  readonly policy: string
}

/** One device of each route that `stop-first` knows; concurrency 1, so that every point is the same in each run. */
const FLEETS: Readonly<Record<string, Fleet>> = {
  'session kept, ABP kept': {
    specs: [
      { id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 70_000, nFCntDown: 12, usedDevNonces: [3] },
      { id: 'valve-1', number: 2, mode: 'abp', fCntUp: 500, nFCntDown: 8 },
    ],
    policy: 'policy: { persistSession: true }',
  },
  'joining anew, source deleted after the import': {
    specs: [{ id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 70_000, usedDevNonces: [3] }],
    policy: 'policy: { persistSession: false, deleteSource: after-import }',
  },
  'counters reset': {
    specs: [{ id: 'valve-1', number: 2, mode: 'abp', fCntUp: 500, nFCntDown: 8 }],
    policy: 'policy: { persistSession: true, resetFrameCounters: true }',
  },
}

class Killed extends Error {}

/** Ports that behave until the n-th event, and then never again: what a killed process looks like to the networks. */
const killAt = (
  n: number,
  when: 'before' | 'after',
): { readonly wrap: Wrap; readonly reached: () => boolean; readonly events: () => number } => {
  let events = 0
  let dead = false
  const guarded = async <T>(effect: () => Promise<T>): Promise<T> => {
    if (dead) throw new Killed()
    events += 1
    if (events === n && when === 'before') {
      dead = true
      throw new Killed()
    }
    const result = await effect()
    if (events >= n && !dead) {
      dead = true
      throw new Killed()
    }
    return result
  }
  const wrap: Wrap = {
    journal: (journal): JournalPort => ({
      ...journal,
      append: (records) => guarded(() => journal.append(records)),
    }),
    network: (network): NetworkPort => ({
      ...network,
      write: (write) => guarded(() => network.write(write)),
      remove: (registry, ids) => guarded(() => network.remove(registry, ids)),
    }),
  }
  return { wrap, reached: () => dead, events: () => events }
}

const begin = async (fleet: {
  readonly specs: readonly DeviceSpec[]
  readonly policy: string
}): Promise<Migration> => {
  const migration = await startMigration()
  for (const spec of fleet.specs) await register(migration.source, spec)
  await migration.writePlan(`${fleet.policy}\nrollout: { maxConcurrency: 1 }`)
  return migration
}

const ends = async (migration: Migration): Promise<unknown> => [
  lasting(await storeOf(migration.source)),
  lasting(await storeOf(migration.target)),
]

describe.each(Object.entries(FLEETS))('a run of "%s" that is killed', (_name, fleet) => {
  it('at each write and each line of its state loses nothing, and a second run reaches the same end', async () => {
    const whole = await begin(fleet)
    const count = killAt(Number.POSITIVE_INFINITY, 'before')
    await whole.applyThrough(count.wrap)
    const expected = await ends(whole)
    await whole.close()
    expect(count.events()).toBeGreaterThan(15)

    const points = Array.from({ length: count.events() * 2 }, (_, index) => ({
      n: Math.floor(index / 2) + 1,
      when: index % 2 === 0 ? ('before' as const) : ('after' as const),
    }))
    await walk(points, 4, ({ n, when }) => interrupt(fleet, n, when, expected))
  }, 240_000)
})

const interrupt = async (
  fleet: Fleet,
  n: number,
  when: 'before' | 'after',
  expected: unknown,
): Promise<void> => {
  const migration = await begin(fleet)
  const at = `killed ${when} event ${n}`
  try {
    await expect(migration.applyThrough(killAt(n, when).wrap), at).rejects.toThrow(Killed)
    const [source, target] = [await storeOf(migration.source), await storeOf(migration.target)]
    for (const spec of fleet.specs)
      expect(brokenPromises(source, target, `meters/${spec.id}`, spec), at).toEqual([])
    await migration.apply()
    expect(await ends(migration), at).toEqual(expected)
    expect((await migration.apply()).status, at).toBe('nothing-to-do')
  } finally {
    await migration.close()
  }
}

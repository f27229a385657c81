import { describe, expect, it } from 'vitest'
import type { Action } from '../../../src/domain/change-set.ts'
import { guardsOf } from '../../../src/engine/planning/guards.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import { blocked, joiningAnew, settled, updated } from '../../support/change-sets.ts'
import { AT } from './support.ts'

const many = <T>(count: number, make: (number: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index + 1))

const known = (count: number, deleted = 0) =>
  foldState(
    many(count, (number) => ({
      t: 'outcome' as const,
      device: `d${number}`,
      step: number <= deleted ? ('delete-identity' as const) : ('hear' as const),
      at: AT,
      status: 'done' as const,
    })),
  )

const NOTHING: Parameters<typeof guardsOf>[0] = {
  changes: [],
  progress: new Map(),
  sourceDevices: new Set(),
  targetDevices: 0,
  limits: [],
}

const guard = (name: string, input: Partial<Parameters<typeof guardsOf>[0]>) =>
  guardsOf({ ...NOTHING, ...input }).find((item) => item.name === name)

const present = (from: number, to: number) =>
  new Set(many(to - from + 1, (number) => `d${from + number - 1}`))

describe('guards', () => {
  it.each([
    [10, 0, 5, true],
    [10, 0, 6, false],
    [10, 0, 10, false],
    [10, 10, 10, true],
    [10, 4, 7, true],
    [1, 0, 1, false],
  ])('source-shrunk: of %i devices, %i retired, %i are gone: %s', (count, deleted, gone, ok) => {
    const found = guard('source-shrunk', {
      progress: known(count, deleted),
      sourceDevices: present(gone + 1, count),
    })
    expect(found?.ok).toBe(ok)
  })

  it('an empty source without state is no reason to refuse', () => {
    expect(guardsOf(NOTHING).every((item) => item.ok)).toBe(true)
  })

  it.each([
    [20, 0, true],
    [21, 0, false],
    [50, 100, true],
    [51, 100, false],
  ])('target-updates: %i of %i devices: %s', (updates, targetDevices, ok) => {
    const changes = many(updates, (number) => updated(number, []))
    expect(guard('target-updates', { changes, targetDevices })).toMatchObject({ used: updates, ok })
  })

  it.each([
    [10, 0, true],
    [11, 0, false],
    [30, 30, true],
    [31, 29, false],
  ])('blocked-devices: %i blocked beside %i others: %s', (bad, good, ok) => {
    const changes = [
      ...many(bad, (number) => blocked(number, { code: 'HalfRegistered' })),
      ...many(good, (number) => joiningAnew(100 + number)),
    ]
    expect(guard('blocked-devices', { changes })).toMatchObject({ used: bad, ok })
  })

  it('what is left out by the plan, or gone, is no share of anything', () => {
    const out = (['excluded', 'gone'] as const satisfies readonly Action[]).flatMap((action) =>
      many(50, (number) => ({ ...settled(number, 'done'), action })),
    )
    const changes = [...out, ...many(11, (number) => blocked(number, { code: 'HalfRegistered' }))]
    expect(guard('blocked-devices', { changes })).toMatchObject({ of: 11, ok: false })
  })

  it.each([
    [10, [{ devices: { count: 10 } }], true, 10],
    [11, [{ devices: { count: 10 } }], false, 10],
    [11, [{ devices: { count: 20 } }, { devices: { count: 10 } }], false, 10],
    [100, [{ devices: { share: 0.5 } }], false, 50],
    [1, [{ devices: { share: 0.05 } }], true, 1],
    [1, [{ devices: { count: 0 } }], false, 0],
  ] as const)('limit-devices: %i devices, limits %j: %s', (count, limits, ok, limit) => {
    const changes = many(count, (number) => joiningAnew(number))
    expect(guard('limit-devices', { changes, limits })).toMatchObject({ used: count, ok, limit })
  })

  it('limit-deletes counts those that are deleted now, and not those that are later', () => {
    const now = { ...joiningAnew(1), steps: ['delete-network', 'delete-identity'] } as const
    const later = { ...joiningAnew(2), later: ['delete-identity'] } as const
    const limits = [{ deletes: { count: 0 } }]
    expect(guard('limit-deletes', { changes: [now, later], limits })).toMatchObject({ used: 1, ok: false })
    expect(guard('limit-deletes', { changes: [later], limits })).toMatchObject({ used: 0, ok: true })
  })

  it('has no limit where nobody sets one', () => {
    expect(guard('limit-devices', {})).toBeUndefined()
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { actions, codes, type Migration, startMigration } from '../support/migration.ts'
import { call, storeOf } from '../support/stack-api.ts'

const KEPT: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  name: 'Meter 1',
  fCntUp: 70_000,
  nFCntDown: 12,
  aFCntDown: 15,
  usedDevNonces: [3, 9],
  lastJoinNonce: 4,
  macSettings: { supports_32_bit_f_cnt: true },
}
const ABP: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1, supports_32_bit_f_cnt: false },
}
const NEVER: DeviceSpec = {
  id: 'spare-1',
  number: 3,
  mode: 'otaa',
  version: 'MAC_V1_0_4',
  lastDevNonce: 7,
  lastJoinNonce: 2,
}

describe('an application moves', () => {
  let migration: Migration
  beforeEach(async () => {
    migration = await startMigration()
  })
  afterEach(() => migration.close())

  const network = async (
    side: 'source' | 'target',
    id: string,
  ): Promise<Record<string, unknown> | undefined> =>
    (await storeOf(migration[side])).networkServer[`meters/${id}`]

  it('keeps sessions: the target goes on with counters, keys and nonces, and the source is silent', async () => {
    for (const spec of [KEPT, ABP, NEVER]) await register(migration.source, spec)
    await migration.writePlan('policy: { persistSession: true }')
    const before = (await storeOf(migration.source)).networkServer['meters/meter-1']
    const planned = await migration.plan()
    expect(actions(planned.changeSet)).toEqual({
      'meter-1': 'create',
      'valve-1': 'create',
      'spare-1': 'create',
    })

    const outcome = await migration.apply()
    expect(outcome.status === 'applied' && outcome.result.counts).toMatchObject({ waiting: 3, failed: 0 })

    expect(await network('source', 'meter-1')).toMatchObject({ mac_settings: { schedule_downlinks: false } })
    const held = (await network('target', 'meter-1')) ?? {}
    expect(held['session']).toMatchObject({
      dev_addr: keysOf(KEPT).devAddr,
      last_f_cnt_up: 70_000,
      last_n_f_cnt_down: 15,
    })
    expect(held['mac_state']).toEqual(before?.['mac_state'])
    expect((held['session'] as Record<string, unknown>)['started_at']).toBe(
      (before?.['session'] as Record<string, unknown> | undefined)?.['started_at'],
    )
    expect((held['mac_settings'] as Record<string, unknown>)['schedule_downlinks']).toBeUndefined()
    const store = await storeOf(migration.target)
    expect(store.applicationServer['meters/meter-1']).toMatchObject({ session: { last_a_f_cnt_down: 15 } })
    expect(store.joinServer['meters/meter-1']).toMatchObject({ used_dev_nonces: [3, 9], last_join_nonce: 4 })
    expect(store.joinServer['meters/spare-1']).toMatchObject({ last_dev_nonce: 7, last_join_nonce: 2 })
    expect(store.networkServer['meters/valve-1']).toMatchObject({
      mac_settings: { supports_32_bit_f_cnt: false },
    })

    const again = await migration.plan()
    expect(actions(again.changeSet)).toEqual({ 'meter-1': 'wait', 'valve-1': 'wait', 'spare-1': 'wait' })
    const state = await migration.stateText()
    expect((await migration.apply()).status).toBe('nothing-to-do')
    expect(await migration.stateText()).toBe(state)
  })

  it('leaves a half-registered device and a foreign one, and moves the rest [edge 7, 74]', async () => {
    const half: DeviceSpec = { id: 'half-1', number: 4, mode: 'otaa', without: ['ns', 'as'] }
    for (const spec of [KEPT, NEVER, half]) await register(migration.source, spec)
    await register(migration.target, { ...NEVER, id: 'other-name' })
    await migration.writePlan('policy: { persistSession: true }')
    const { changeSet } = await migration.plan()
    expect(actions(changeSet)).toEqual({ 'meter-1': 'create', 'spare-1': 'blocked', 'half-1': 'blocked' })
    expect(codes(changeSet, 'half-1')).toContain('HalfRegistered')
    expect(codes(changeSet, 'spare-1')).toContain('EuisTaken')
    const before = await storeOf(migration.target)
    const outcome = await migration.apply()
    expect(outcome.status === 'applied' && outcome.result.counts).toMatchObject({ waiting: 1, blocked: 2 })
    const after = await storeOf(migration.target)
    expect(after.joinServer['meters/other-name']).toEqual(before.joinServer['meters/other-name'])
    expect((await storeOf(migration.source)).networkServer['meters/spare-1']).not.toHaveProperty(
      'mac_settings.schedule_downlinks',
    )
  })

  it('takes the target back when a registry refuses, and leaves the source untouched [edge 88]', async () => {
    await register(migration.source, KEPT)
    // Held by another application of the target: nobody sees it before the Identity Server refuses.
    await call(migration.target, 'POST', '/users/admin/applications', {
      application: { ids: { application_id: 'others' } },
    })
    await register({ ...migration.target, application: 'others' }, { ...KEPT, id: 'theirs' })
    await migration.writePlan('policy: { persistSession: true }\nrollout: { maxFailures: 10 }')
    const source = await storeOf(migration.source)
    const target = await storeOf(migration.target)
    const outcome = await migration.apply()
    expect(outcome.status === 'applied' && outcome.result.devices[0]).toMatchObject({
      status: 'failed',
      error: { code: 'EuisTaken' },
    })
    expect(await storeOf(migration.source)).toEqual(source)
    expect(await storeOf(migration.target)).toEqual(target)
  })
})

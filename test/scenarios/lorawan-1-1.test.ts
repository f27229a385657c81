import { describe, expect } from 'vitest'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { applied, at, expectNoJoin, expectServed, queue, type Stage, scenario } from '../support/scenario.ts'

const NEWEST: DeviceSpec = { id: 'meter-11', number: 1, mode: 'otaa', version: 'MAC_V1_1' }
const OLDER: DeviceSpec = { id: 'meter-103', number: 2, mode: 'otaa', nwkKey: true }

/** The device joins on the source over the air and sends, the first time with RekeyInd where it is of LoRaWAN 1.1. */
const joinOnSource =
  (id: string) =>
  async (stage: Stage): Promise<void> => {
    const device = stage.device(id)
    expect(await device.join(stage.radio('source'))).toMatchObject({ joined: true })
    for (let sent = 0; sent < 3; sent++)
      expect(await device.uplink(stage.radio('source'), { confirmed: true })).toMatchObject({
        accepted: true,
        missed: [],
      })
    expect(await stage.held('source', 'ns', id)).not.toHaveProperty('pending_session')
  }

const keys = async (stage: Stage, side: 'source' | 'target', id: string): Promise<readonly unknown[]> => {
  const held = await stage.held(side, 'js', id)
  return [at(held, 'root_keys', 'app_key', 'key'), at(held, 'root_keys', 'nwk_key', 'key')]
}

/** Moved with its session, it goes on, can not join on the source again, and joins on the target later. */
const crosses = (promise: string, spec: DeviceSpec): void =>
  scenario({
    promise,
    fleet: [spec],
    plan: 'policy: { persistSession: true }',
    before: joinOnSource(spec.id),
    ends: async (stage) => {
      const { id } = spec
      const { appKey, nwkKey } = keysOf(spec)
      await applied(stage, { waiting: 1 })
      await expectServed(stage, id)
      await queue(stage, 'target', id, [{ fPort: 10, payload: 'AQI=' }])
      const { downlinks } = await stage.device(id).uplink(stage.air)
      expect(downlinks.map(({ fPort, payload }) => [fPort, payload.toString('hex')])).toEqual([[10, '0102']])
      await applied(stage, { migrated: 1 })
      for (const [index, key] of (await keys(stage, 'source', id)).entries())
        expect(key).not.toBe([appKey, nwkKey][index])
      expect(await keys(stage, 'target', id)).toEqual([appKey, nwkKey])
      const session = stage.device(id).session
      await expectNoJoin(stage, id)
      expect(stage.device(id).session).toEqual(session)
      await expectServed(stage, id)
      expect(await stage.device(id).join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, id)
      await expectServed(stage, id)
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

describe('a device with a NwkKey', () => {
  crosses(
    'of LoRaWAN 1.1 joins, is migrated with its session, goes on, and can not join on the source again',
    NEWEST,
  )
  crosses('below LoRaWAN 1.1 does so too: it joins with its NwkKey', OLDER)

  scenario({
    promise: 'of LoRaWAN 1.1 joins the target anew, which confirms the new keys, and not the source',
    fleet: [NEWEST],
    plan: 'policy: { persistSession: false }',
    before: joinOnSource('meter-11'),
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectNoJoin(stage, 'meter-11')
      expect(await stage.device('meter-11').join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, 'meter-11')
      await applied(stage, { migrated: 1 })
      await expectNoJoin(stage, 'meter-11')
      await expectServed(stage, 'meter-11')
    },
  })
})

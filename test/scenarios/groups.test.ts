import { describe, expect } from 'vitest'
import { antennaOf, createVirtualDevice, type VirtualDevice } from '../../src/simulator/index.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { keysOf } from '../support/fleet.ts'
import { applied, expectServed, results, type Side, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const GROUP: DeviceSpec = {
  id: 'lamps',
  number: 1,
  mode: 'multicast',
  classC: true,
  nFCntDown: 25,
  aFCntDown: 27,
}
const LAMP: DeviceSpec = { id: 'lamp-1', number: 2, mode: 'otaa', fCntUp: 100, nFCntDown: 3, classC: true }

/** A device that listens to the group, and has heard what the source sent to it. */
const member = (): VirtualDevice =>
  createVirtualDevice({
    lorawanVersion: 'MAC_V1_0_3',
    frequencyPlan: 'EU_863_870_TTN',
    rx1Delay: 1,
    dataRate: 'SF7BW125',
    channels: [868_100_000],
    deviceClass: 'C',
    multicast: [{ devAddr: keysOf(GROUP).devAddr, keys: keysOf(GROUP), lastFCntDown: 28 }],
  })

const send = (stage: Stage, side: Side, payload: string): Promise<unknown> =>
  call(stage[side], 'POST', `/as/applications/meters/devices/lamps/down/push`, {
    downlinks: [
      {
        f_port: 10,
        frm_payload: payload,
        class_b_c: { gateways: [{ gateway_ids: { gateway_id: `gw-${side}` } }] },
      },
    ],
  })

describe('a multicast group', () => {
  scenario({
    promise:
      'moves after its members, goes on above the counter that the source came to, and is gone there [edge 62]',
    golden: 'group',
    fleet: [GROUP, LAMP],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await send(stage, 'source', 'AQ==')
      await applied(stage, { waiting: 1, migrated: 1 })
      for (const registry of ['is', 'ns', 'as'] as const)
        expect(await stage.held('source', registry, 'lamps')).toBeUndefined()
      await expect(send(stage, 'source', 'Ag==')).rejects.toThrow('404')
      await expectServed(stage, 'lamp-1')
      const antenna = antennaOf(stage.target)
      await antenna.forget()
      await send(stage, 'target', 'Aw==')
      const { downlinks, missed } = member().hear(await antenna.transmissions())
      expect(missed).toEqual([])
      expect(downlinks).toMatchObject([{ multicast: true, fPort: 10, fCnt: 29 }])
      await applied(stage, { migrated: 2 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'waits where something is queued for it, and where its members have not crossed',
    fleet: [GROUP, LAMP],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      const later = {
        downlinks: [
          {
            f_port: 10,
            frm_payload: 'AQ==',
            class_b_c: {
              gateways: [{ gateway_ids: { gateway_id: 'gw-source' } }],
              absolute_time: new Date(Date.now() + 3_600_000).toISOString(),
            },
          },
        ],
      }
      await call(stage.source, 'POST', '/as/applications/meters/devices/lamps/down/push', later)
      const outcome = await applied(stage, { waiting: 1, deferred: 1 })
      expect(results(outcome)).toMatchObject({ lamps: 'QueueNotEmpty' })
      expect(await stage.held('source', 'as', 'lamps')).toBeDefined()
      await call(stage.source, 'POST', '/as/applications/meters/devices/lamps/down/replace', {
        downlinks: [],
      })
      await stage.device('lamp-1').uplink(stage.air)
      await applied(stage, { migrated: 2 })
    },
  })
})

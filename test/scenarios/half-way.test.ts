import { describe, expect } from 'vitest'
import {
  DELETE_FIRST,
  killedBefore,
  killedOnceMuted,
  METER,
  muted,
  unmuteByHand,
} from '../support/half-way.ts'
import { actions } from '../support/migration.ts'
import { applied, at, expectServed, remove, results, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

describe('half-way devices that people, plans and other tools meddle with', () => {
  scenario({
    promise: 'a device half-way that an edited plan blocks is not left silent, between two networks',
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await killedOnceMuted(stage)
      await stage.writePlan(`policy: { persistSession: true }
devices: { include: [{ all: true }], overrides: [{ ids: [meter-1], set: { frequencyPlan: EU_863_870_NONE } }] }`)
      const { findings } = (await stage.plan()).changeSet.devices[0] ?? {}
      expect(findings?.map(({ code }) => code)).toContain('SourceStopped')
      expect(results(await stage.apply())).toEqual({ 'meter-1': 'UnknownFrequencyPlan' })
      await expectServed(stage, 'meter-1', 'source')
    },
  })

  scenario({
    promise:
      "a picture, which the target would download from where the source keeps it, stands in no device's way [edge 73]",
    onBoth: true,
    fleet: [{ ...METER, identity: { picture: { embedded: { mime_type: 'image/png', data: 'AAAA' } } } }],
    oneNetwork: true,
    plan: DELETE_FIRST,
    ends: async (stage) => {
      expect(await stage.held('source', 'is', 'meter-1')).toHaveProperty('picture.sizes')
      await applied(stage, { waiting: 1 })
      expect(await stage.held('target', 'is', 'meter-1')).not.toHaveProperty('picture')
      await expectServed(stage, 'meter-1')
      await stage.rollBack()
      await expectServed(stage, 'meter-1', 'source')
    },
  })

  scenario({
    promise: 'a muted device that was carried muted is unmuted where the plan says so afterwards',
    fleet: [{ ...METER, macSettings: { schedule_downlinks: false } }],
    plan: 'policy: { persistSession: true, mutedSource: carry, preventRejoin: none }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await stage.writePlan('policy: { persistSession: true, mutedSource: unmute, preventRejoin: none }')
      await stage.apply()
      expect(await muted(stage, 'target', 'meter-1')).not.toBe(false)
    },
  })

  scenario({
    promise: 'a copied downlink that the source has sent meanwhile is not sent twice',
    fleet: [METER],
    plan: 'policy: { persistSession: true, queuedDownlinks: copy, preventRejoin: none }',
    ends: async (stage) => {
      await call(stage.source, 'POST', '/as/applications/meters/devices/meter-1/down/push', {
        downlinks: [{ f_port: 3, frm_payload: 'AQ==' }],
      })
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            registry: 'ns',
            method: 'PUT',
            nth: 3,
            when: 'before',
            do: { status: 400, body: { code: 3, message: 'no' } },
          },
        ],
      })
      await applied(stage, { failed: 1 })
      const device = stage.device('meter-1')
      const ports: (number | undefined)[] = []
      const send = async (): Promise<void> => {
        for (let n = 0; n < 4; n++)
          for (const { fPort, frmPayload } of (await device.uplink(stage.air)).downlinks as never as {
            fPort?: number
            frmPayload?: string
          }[]) {
            void frmPayload
            ports.push(fPort)
          }
      }
      await send()
      await applied(stage, { waiting: 1 })
      await send()
      expect(ports.filter((port) => port === 3)).toHaveLength(1)
    },
  })

  scenario({
    promise: 'an override by attribute still counts for a device that the escrow alone holds',
    fleet: [{ ...METER, attributes: { floor: '3' } }],
    plan: `${DELETE_FIRST}
devices: { include: [{ all: true }], overrides: [{ attributes: { floor: "3" }, set: { name: "Meter of floor 3" } }] }`,
    ends: async (stage) => {
      await killedBefore(stage, 'target', { write: (write) => write.registry === 'identity-server' })
      await applied(stage, { waiting: 1 })
      expect(at(await stage.held('target', 'is', 'meter-1'), 'name')).toBe('Meter of floor 3')
    },
  })

  scenario({
    promise: 'a source that somebody started while it was being deleted gives the target its newest counters',
    fleet: [METER],
    plan: 'policy: { persistSession: true, deleteSource: after-import }',
    ends: async (stage) => {
      await killedBefore(stage, 'source', { remove: (registry) => registry === 'network-server' })
      await unmuteByHand(stage, 'source', 'meter-1')
      for (let n = 0; n < 3; n++)
        await stage.device('meter-1').uplink(stage.radio('source'), { confirmed: true })
      await stage.apply()
      await expectServed(stage, 'meter-1')
    },
  })

  scenario({
    promise: 'a device half-way whose policy leaves no way any more is not left silent',
    fleet: [{ id: 'valve-1', number: 5, mode: 'abp', fCntUp: 10, nFCntDown: 2 }],
    plan: DELETE_FIRST,
    ends: async (stage) => {
      await killedOnceMuted(stage)
      await stage.writePlan('policy: { persistSession: false, handover: delete-first }')
      await stage.apply()
      const device = stage.device('valve-1')
      const { downlinks } = await device.uplink(stage.air, { confirmed: true })
      expect(downlinks).toHaveLength(1)
    },
  })

  scenario({
    promise: 'a device whose silent source somebody deleted is not passed over',
    fleet: [METER],
    plan: DELETE_FIRST,
    ends: async (stage) => {
      await killedOnceMuted(stage)
      await remove(stage, 'source', 'meter-1')
      const planned = (await stage.plan()).changeSet
      expect(actions(planned)).not.toEqual({ 'meter-1': 'gone' })
    },
  })

  scenario({
    promise: 'an ABP device with new keys that the target served is not begun again from 0',
    fleet: [{ id: 'valve-1', number: 5, mode: 'abp', fCntUp: 10, nFCntDown: 2 }],
    plan: 'policy: { persistSession: true, abp: reprogram }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      const before = await stage.held('target', 'ns', 'valve-1')
      await remove(stage, 'target', 'valve-1')
      await stage.apply()
      const after = await stage.held('target', 'ns', 'valve-1')
      expect(at(after, 'session', 'dev_addr')).not.toBe(at(before, 'session', 'dev_addr'))
    },
  })
})

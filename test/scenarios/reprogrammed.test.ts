import { describe, expect } from 'vitest'
import { createVirtualDevice, type VirtualDevice } from '../../src/simulator/virtual-device.ts'
import { type DeviceSpec, keysOf } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import { applied, at, expectServed, type Stage, scenario } from '../support/scenario.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  lastDevNonce: 7,
}
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1 },
}

const text = (record: unknown, ...path: readonly string[]): string => String(at(record, ...path))

/** The device as somebody programs it with what the target holds. */
const programmed = async (stage: Stage, spec: DeviceSpec): Promise<VirtualDevice> => {
  const [js, ns, as] = [
    await stage.held('target', 'js', spec.id),
    await stage.held('target', 'ns', spec.id),
    await stage.held('target', 'as', spec.id),
  ]
  const shared = {
    devEui: keysOf(spec).devEui,
    joinEui: text(js, 'ids', 'join_eui'),
    lorawanVersion: 'MAC_V1_0_3' as const,
    frequencyPlan: 'EU_863_870_TTN',
    rx1Delay: 1,
    dataRate: 'SF7BW125',
    channels: [868_100_000, 868_300_000, 868_500_000],
  }
  if (js !== undefined)
    return createVirtualDevice({ ...shared, rootKeys: { appKey: text(js, 'root_keys', 'app_key', 'key') } })
  const network = text(ns, 'session', 'keys', 'f_nwk_s_int_key', 'key')
  const device = createVirtualDevice({
    ...shared,
    session: {
      devAddr: text(ns, 'session', 'dev_addr'),
      keys: {
        fNwkSIntKey: network,
        sNwkSIntKey: network,
        nwkSEncKey: network,
        appSKey: text(as, 'session', 'keys', 'app_s_key', 'key'),
      },
      lastFCntUp: 0,
      lastNFCntDown: 0,
      lastAFCntDown: 0,
    },
  })
  device.resetCounters()
  return device
}

describe('a device that will be re-programmed', () => {
  scenario({
    promise: 'joins the target with new root keys, and is served by the source with the old ones until then',
    golden: 'new-root-keys',
    fleet: [METER],
    plan: 'policy: { persistSession: true, rootKeys: generate, deleteSource: after-heard }\nverify: { retireAfter: 0s }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      await expectServed(stage, 'meter-1', 'source')
      const device = await programmed(stage, METER)
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect(await stage.held('source', 'is', 'meter-1')).toBeUndefined()
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'with fixed keys gets a DevAddr of the target and new keys',
    golden: 'abp-reprogrammed',
    fleet: [VALVE],
    plan: 'policy: { persistSession: true, abp: reprogram }',
    ends: async (stage) => {
      await applied(stage, { waiting: 1 })
      expect(text(await stage.held('target', 'ns', 'valve-1'), 'session', 'dev_addr')).toMatch(/^2A/)
      await expectServed(stage, 'valve-1', 'source')
      const device = await programmed(stage, VALVE)
      await device.uplink(stage.air)
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'is turned from fixed keys to joining',
    golden: 'abp-to-otaa',
    fleet: [VALVE],
    plan: `policy: { persistSession: true, abp: to-otaa }
devices:
  include: [{ all: true }]
  overrides:
    - { match: "valve-*", set: { joinEui: "70B3D57ED0009009" } }`,
    ends: async (stage, planned) => {
      expect(codes(planned, 'valve-1')).toEqual([])
      await applied(stage, { waiting: 1 })
      const device = await programmed(stage, VALVE)
      expect(await device.join(stage.air)).toMatchObject({ joined: true })
      await device.uplink(stage.air)
      await applied(stage, { migrated: 1 })
    },
  })
})

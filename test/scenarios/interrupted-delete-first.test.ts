import { expect } from 'vitest'
import { joins, resets, speaks } from '../support/acts.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { type Act, interruptions, type Story } from '../support/interruptions.ts'
import { METER, METER_11, VALVE } from '../support/meters.ts'
import { call, storeOf } from '../support/stack-api.ts'

const KEPT = 'policy: { persistSession: true, handover: delete-first }'

/** The target's registry refuses whatever is written, from the n-th write on. */
const refusing =
  (registry: string, nth = 1): Act =>
  async ({ migration }) =>
    void (await call(migration.target, 'POST', '/simulator/v1/faults', {
      faults: [
        { method: 'PUT', path: `/${registry}/applications/meters-two/`, nth, times: 99, do: { status: 400 } },
      ],
    }))

/** The cause is mended; until then the source served the device, and the target had nothing of it. */
const mended =
  (spec: DeviceSpec): Act =>
  async ({ migration, device, air }) => {
    const { identityServer, networkServer } = await storeOf(migration.source)
    expect(Object.keys(identityServer)).toEqual([`meters/${spec.id}`])
    expect(networkServer[`meters/${spec.id}`]?.['mac_settings'] ?? {}).not.toHaveProperty(
      'schedule_downlinks',
    )
    const uplink = await device(spec.id).uplink(air, { confirmed: true })
    expect(uplink).toMatchObject({ downlinks: [{ ack: true }], missed: [] })
    await call(migration.target, 'DELETE', '/simulator/v1/faults')
  }

const inOne = (spec: DeviceSpec, act: Act, plan = KEPT): Story => ({
  fleet: [spec],
  plan,
  options: { oneNetwork: true },
  next: [act],
})

const refused = (spec: DeviceSpec, registry: string, nth = 1): Story => ({
  ...inOne(spec, speaks(spec.id)),
  before: refusing(registry, nth),
  unsettled: [0],
  next: [mended(spec), speaks(spec.id)],
})

interruptions('delete-first within one network', {
  'a kept session of LoRaWAN 1.0.3': inOne(METER, speaks('meter-1')),
  'a kept session of LoRaWAN 1.1': inOne(METER_11, speaks('meter-11')),
  'a kept session of ABP': inOne(VALVE, speaks('valve-1')),
  'joining anew': inOne(METER, joins('meter-1'), 'policy: { persistSession: false, handover: delete-first }'),
  'an ABP reset': inOne(
    VALVE,
    resets('valve-1'),
    'policy: { persistSession: true, resetFrameCounters: true, handover: delete-first }',
  ),
  'a kept session of a device that sends while no run is at work': {
    ...inOne(METER_11, speaks('meter-11')),
    meanwhile: speaks('meter-11'),
  },
  'an import that is refused when the target has heard the device': {
    ...refused(METER, 'ns', 2),
    meanwhile: speaks('meter-1'),
  },
  'an import of ABP that is refused when the target has heard the device': {
    ...refused(VALVE, 'ns', 2),
    meanwhile: speaks('valve-1'),
  },
  'an import that the Network Server refuses': refused(METER, 'ns'),
  'an import that the Join Server refuses': refused(METER_11, 'js'),
  'an import of ABP that the Application Server refuses': refused(VALVE, 'as'),
})

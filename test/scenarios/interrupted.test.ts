import { expect } from 'vitest'
import { joins, resets, speaks } from '../support/acts.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { type Act, interruptions, type Story } from '../support/interruptions.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 70_000,
  nFCntDown: 12,
  usedDevNonces: [3],
}
const VALVE: DeviceSpec = {
  id: 'valve-1',
  number: 2,
  mode: 'abp',
  fCntUp: 500,
  nFCntDown: 8,
  macSettings: { rx1_delay: 1 },
}

/** The target's Network Server takes the import, and refuses the final writes. */
const refusing: Act = async ({ migration }) =>
  void (await call(migration.target, 'POST', '/simulator/v1/faults', {
    faults: [{ method: 'PUT', registry: 'ns', nth: 2, times: 99, do: { status: 400 } }],
  }))

/** The cause is mended; until then the source served the device with its counters. */
const mended: Act = async ({ migration, device, air }) => {
  const uplink = await device('meter-1').uplink(air, { confirmed: true })
  expect(uplink).toMatchObject({ downlinks: [{ ack: true }], missed: [] })
  await call(migration.target, 'DELETE', '/simulator/v1/faults')
}

const REFUSED: Story = {
  fleet: [METER],
  plan: 'policy: { persistSession: true }',
  before: refusing,
  unsettled: [0],
  next: [mended, speaks('meter-1')],
}

const RETIRED = 'verify: { retireAfter: 0s }'

interruptions('stop-first', {
  'sessions of OTAA and ABP that are kept': {
    fleet: [METER, VALVE],
    plan: 'policy: { persistSession: true }',
    next: [
      async (scene, apply) => {
        await speaks('meter-1')(scene, apply)
        await speaks('valve-1')(scene, apply)
      },
    ],
  },
  'a kept session, and the source deleted once it was heard': {
    fleet: [METER],
    plan: `policy: { persistSession: true, deleteSource: after-heard }\n${RETIRED}`,
    next: [speaks('meter-1')],
  },
  'a kept session of a device that sends while no run is at work': {
    fleet: [METER],
    plan: 'policy: { persistSession: true }',
    meanwhile: speaks('meter-1'),
    next: [speaks('meter-1')],
  },
  'final writes that the target refuses, and the source started again': REFUSED,
  'final writes that the target refuses, of a device that sends while no run is at work': {
    ...REFUSED,
    meanwhile: speaks('meter-1'),
  },
  'joining anew, and the source deleted after the import': {
    fleet: [METER],
    plan: 'policy: { persistSession: false, deleteSource: after-import }',
    next: [joins('meter-1')],
  },
  'counters that are reset, and a setting that is taken back then': {
    fleet: [VALVE],
    plan: `policy: { persistSession: true, resetFrameCounters: true, deleteSource: after-heard }\n${RETIRED}`,
    next: [resets('valve-1')],
  },
})

const MUTED = { ...METER, macSettings: { schedule_downlinks: false } }

interruptions('a source that was muted before', {
  'and stays so on the target': {
    fleet: [MUTED],
    plan: 'policy: { persistSession: true, mutedSource: carry }',
    next: [speaks('meter-1')],
  },
  'and is unmuted': {
    fleet: [MUTED],
    plan: 'policy: { persistSession: true, mutedSource: unmute }',
    next: [speaks('meter-1')],
  },
})

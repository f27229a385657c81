import { expect } from 'vitest'
import { joins, speaks } from '../support/acts.ts'
import { waitingIn } from '../support/ends.ts'
import type { DeviceSpec } from '../support/fleet.ts'
import { type Act, interruptions, type Story } from '../support/interruptions.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  nFCntDown: 8,
  usedDevNonces: [3],
}

/** Two of them are the same, and both are wanted. */
const ITEMS = [
  { f_port: 10, frm_payload: 'AQ==' },
  { f_port: 11, frm_payload: 'Ag==', priority: 'HIGH' },
  { f_port: 10, frm_payload: 'AQ==' },
]
const SENT = ['10 01', '10 01', '11 02']

const queued: Act = async ({ migration }) =>
  void (await call(migration.source, 'POST', '/as/applications/meters/devices/meter-1/down/push', {
    downlinks: ITEMS,
  }))

const countIn = (waiting: unknown): number => (Array.isArray(waiting) ? waiting.length : 0)

/** Nothing is queued twice on one network. */
const noneTwice: Act = async ({ migration }) => {
  const waiting = await waitingIn(migration, [METER])
  expect(countIn(waiting['target meter-1']), 'waits on the target').toBeLessThanOrEqual(ITEMS.length)
}

const COPIED: Story = {
  fleet: [METER],
  plan: 'policy: { persistSession: true, queuedDownlinks: copy }',
  before: queued,
  always: noneTwice,
  next: [speaks('meter-1')],
  ends: async (scene) => {
    await speaks('meter-1', 8)(scene, -1)
    expect([...scene.heard].sort()).toEqual(SENT)
  },
}

interruptions('downlinks that wait', {
  'are queued on the target once': COPIED,
  'of a device that sends while no run is at work, reach it once': {
    ...COPIED,
    meanwhile: speaks('meter-1', 2),
  },
  'and are gone from a source that is deleted': {
    ...COPIED,
    plan: 'policy: { persistSession: true, queuedDownlinks: copy, deleteSource: after-import }',
  },
})

const isTriggered = ({ heard }: { readonly heard: readonly string[] }): boolean => heard.includes('42 ff')

/** What the device does by itself: it sends until it is told to join, and joins then. */
const goesOn: Act = async (scene, apply) => {
  const device = scene.device('meter-1')
  const wasTold = isTriggered(scene)
  for (let count = 0; count < 5 && !isTriggered(scene); count++) await speaks('meter-1')(scene, apply)
  if (wasTold && device.session?.devAddr.startsWith('27000F')) await joins('meter-1')(scene, apply)
}

const triggersIn = async ({ migration, heard }: Parameters<Act>[0]): Promise<number> => {
  const waiting = await waitingIn(migration, [METER])
  return countIn(waiting['source meter-1']) + heard.filter((item) => item === '42 ff').length
}

const onceAtMost: Act = async (scene) => {
  expect(await triggersIn(scene), 'triggers queued or heard').toBeLessThanOrEqual(1)
}

const TRIGGERED: Story = {
  fleet: [METER],
  plan: 'policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 42, payload: "FF" } }',
  always: onceAtMost,
  next: [goesOn, goesOn, speaks('meter-1')],
  ends: async (scene) => {
    expect(await triggersIn(scene), 'triggers').toBe(1)
    expect(scene.device('meter-1').session?.devAddr.startsWith('27000F')).toBe(false)
  },
}

interruptions('a downlink that makes a device join', {
  'is queued once': TRIGGERED,
  'is queued once, whatever the device does while no run is at work': { ...TRIGGERED, meanwhile: goesOn },
  'is queued once, and the source deleted in the end': {
    ...TRIGGERED,
    plan: `${TRIGGERED.plan.replace('false,', 'false, deleteSource: after-heard,')}\nverify: { retireAfter: 0s }`,
  },
})

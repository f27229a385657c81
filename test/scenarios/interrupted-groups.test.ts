import { describe, expect } from 'vitest'
import { joins, speaks } from '../support/acts.ts'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { type Act, interruptions } from '../support/interruptions.ts'
import { Killed, killedAt } from '../support/ports-that-fail.ts'
import { applied, at, scenario } from '../support/scenario.ts'
import { call, storeOf } from '../support/stack-api.ts'

const GROUP: DeviceSpec = {
  id: 'lamps',
  number: 1,
  mode: 'multicast',
  classC: true,
  nFCntDown: 25,
  aFCntDown: 27,
}
const LAMP: DeviceSpec = { id: 'lamp-1', number: 2, mode: 'otaa', fCntUp: 100, nFCntDown: 3, classC: true }

interruptions('a multicast group', {
  'with a device that listens to it': {
    fleet: [GROUP, LAMP],
    plan: 'policy: { persistSession: true }',
    next: [speaks('lamp-1')],
  },
})

const METER: DeviceSpec = { id: 'meter-1', number: 3, mode: 'otaa' }

/** Others registered it on the target's Identity Server and Join Server. */
const heldInPart: Act = async ({ migration }) =>
  register(migration.target, { ...METER, name: 'theirs', without: ['ns', 'as'] })

const refused: Act = async (scene, apply) => {
  await heldInPart(scene, apply)
  await call(scene.migration.target, 'POST', '/simulator/v1/faults', {
    faults: [{ registry: 'ns', method: 'PUT', do: { status: 400 } }],
  })
}

const mended: Act = async ({ migration }) => {
  const { networkServer, applicationServer } = await storeOf(migration.target)
  expect([networkServer, applicationServer], 'what is not theirs was taken back').toEqual([{}, {}])
  await call(migration.target, 'DELETE', '/simulator/v1/faults')
}

const staysTheirs: Act = async ({ migration }) => {
  const { identityServer, joinServer } = await storeOf(migration.target)
  expect(Object.keys(identityServer)).toEqual(['meters/meter-1'])
  expect(joinServer['meters/meter-1']?.['root_keys']).toEqual({ app_key: { key: keysOf(METER).appKey } })
}

const ADOPTED = 'policy: { persistSession: false, adopt: partial }'

interruptions('a device that others registered in part', {
  'on the target, is completed': {
    fleet: [METER],
    plan: ADOPTED,
    before: heldInPart,
    always: staysTheirs,
    next: [joins('meter-1')],
  },
  'on the target, is never deleted there when the import is refused': {
    fleet: [METER],
    plan: ADOPTED,
    before: refused,
    always: staysTheirs,
    unsettled: [0],
    next: [mended, joins('meter-1')],
  },
  'on the source, joins the target': {
    fleet: [{ ...METER, without: ['as'] }],
    plan: ADOPTED,
    next: [joins('meter-1')],
  },
  'on both, joins the target': {
    fleet: [{ ...METER, without: ['as'] }],
    plan: ADOPTED,
    before: heldInPart,
    always: staysTheirs,
    next: [joins('meter-1')],
  },
})

describe('a run that is killed while a group is deleted on the source', () => {
  scenario({
    promise: 'is gone on with: the target may send to the group',
    fleet: [GROUP],
    plan: 'policy: { persistSession: true }\nrollout: { maxConcurrency: 1 }',
    ends: async (stage) => {
      const killed = killedAt((record) => record.t === 'outcome' && record.step === 'delete-network')
      await expect(stage.applyThrough(killed)).rejects.toThrow(Killed)
      await applied(stage, { migrated: 1 })
      const settings = at(await stage.held('target', 'ns', 'lamps'), 'mac_settings') ?? {}
      expect(settings).not.toHaveProperty('schedule_downlinks')
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })
})

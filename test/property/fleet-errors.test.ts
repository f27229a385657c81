import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type DeviceSpec, keysOf, register } from '../support/fleet.ts'
import { keysIn, leaks } from '../support/key-leaks.ts'
import { startMigration } from '../support/migration.ts'
import { call, storeOf } from '../support/stack-api.ts'

const METER: DeviceSpec = { id: 'meter-1', number: 1, mode: 'otaa', version: 'MAC_V1_1', fCntUp: 100 }

/** What a careless server might answer: the request's body, with every key in it. */
const echo = (spec: DeviceSpec): object => {
  const { appKey, nwkKey, fNwkSIntKey, appSKey } = keysOf(spec)
  const told = `app_key ${appKey} nwk_key ${nwkKey.toLowerCase()} f ${fNwkSIntKey} s ${Buffer.from(appSKey, 'hex').toString('base64')}`
  return {
    code: 3,
    message: `error:pkg/networkserver:field_value (invalid value ${told})`,
    details: [
      {
        '@type': 'type.googleapis.com/ttn.lorawan.v3.ErrorDetails',
        namespace: 'pkg/networkserver',
        name: 'field_value',
        message_format: 'invalid value {value}',
        attributes: { value: told, reason: told, field: 'root_keys' },
        cause: { namespace: 'pkg/ttnpb', name: 'parse', message_format: told, attributes: { value: told } },
        correlation_id: 'made-up',
        code: 3,
      },
    ],
  }
}

test.each([
  ['js', 400],
  ['ns', 400],
  ['ns', 500],
  ['as', 409],
  ['is', 404],
] as const)('a key that a server (%s, %i) echoes in an error is told nowhere', async (registry, status) => {
  const migration = await startMigration()
  try {
    await register(migration.source, METER)
    const keys = keysIn(await storeOf(migration.source))
    expect(keys).toHaveLength(6)
    await migration.writePlan('policy: { persistSession: true }')
    await call(migration.target, 'POST', '/simulator/v1/faults', {
      faults: [{ registry, method: registry === 'is' ? 'POST' : 'PUT', do: { status, body: echo(METER) } }],
    })
    const outcome = await migration.apply().catch((error: unknown) => error)
    const { changeSet } = await migration.plan()
    expect(
      leaks(keys, {
        outcome: `${JSON.stringify(outcome)}${inspect(outcome, { depth: 12 })}`,
        events: `${JSON.stringify(migration.events)}${inspect(migration.events, { depth: 12 })}`,
        state: await migration.stateText(),
        preview: JSON.stringify(changeSet),
      }),
    ).toEqual([])
  } finally {
    await migration.close()
  }
})

test('the search for keys finds them in every form', () => {
  const key = keysOf(METER).appKey
  const bytes = Buffer.from(key, 'hex')
  const forms = [key, key.toLowerCase(), bytes.toString('base64'), bytes.toString('base64url')]
  for (const form of forms) expect(leaks([key], { text: `a ${form} b`, other: 'none' })).toEqual(['text'])
  expect(leaks([key], { file: Buffer.concat([Buffer.from('x'), bytes]) })).toEqual(['file'])
})

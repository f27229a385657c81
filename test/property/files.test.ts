import fc from 'fast-check'
import { expect, test } from 'vitest'
import { register } from '../support/fleet.ts'
import { startMigration } from '../support/migration.ts'
import { fleetOf, type RandomDevice } from '../support/random-fleet.ts'

const KEEP = 'policy: { persistSession: true, mutedSource: unmute }'

/** A file says once what names the model, and its importers write that to each registry that takes it. */
const asRegistered = (spec: RandomDevice): RandomDevice => {
  const model = (spec.identity as { version_ids?: object } | undefined)?.version_ids
  return model === undefined
    ? spec
    : {
        ...spec,
        network: { ...spec.network, version_ids: model },
        more: { ...spec.more, version_ids: model },
      }
}

/** What a fleet that is in a file and on the target already is in a preview: each device with what would be written. */
const differences = async (
  fleet: readonly RandomDevice[],
): Promise<readonly (readonly [string, unknown])[]> => {
  const migration = await startMigration({ fromFile: { path: 'devices.json', isPartial: true } })
  try {
    for (const spec of fleet.map(asRegistered))
      for (const network of [migration.source, migration.target]) await register(network, spec)
    await migration.writePlan(KEEP)
    const { changeSet } = await migration.plan()
    return changeSet.devices.map(({ device, action, fields }) => [
      device,
      action === 'adopt' ? fields.filter(({ verdict }) => verdict === 'write') : action,
    ])
  } finally {
    await migration.close()
  }
}

test('a fleet that goes out to a file and comes back from it differs in nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fleetOf(4), async (fleet) => {
      for (const [device, differs] of await differences(fleet))
        expect([device, differs]).toEqual([device, []])
    }),
    { numRuns: 25 },
  )
})

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ChangeSet, serialiseChangeSet } from '../../src/index.ts'
import { renderJson } from '../../src/report/json.ts'
import { renderMarkdown } from '../../src/report/markdown.ts'
import { renderText } from '../../src/report/text.ts'
import { expectedOnTarget, foundOnTarget, plain, wayOf, withoutDevAddr } from '../support/expected-target.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { keysIn, leaks } from '../support/key-leaks.ts'
import { actions, type Migration, startMigration } from '../support/migration.ts'
import { brokenPromises } from '../support/promises.ts'
import { fleetOf, policy, type RandomPolicy } from '../support/random-fleet.ts'
import { virtualOf } from '../support/scenario.ts'
import { type Store, storeOf } from '../support/stack-api.ts'
import { radioOf } from '../../src/simulator/virtual-device.ts'

const DAY = 24 * 3600 * 1000

const planOf = (chosen: RandomPolicy): string =>
  `policy: ${JSON.stringify(chosen)}\nverify: { retireAfter: 7d }`

const rendered = (name: string, changeSet: ChangeSet): Record<string, string> => ({
  [`${name}, text`]: renderText(changeSet, { width: 80 }),
  [`${name}, Markdown`]: renderMarkdown(changeSet),
  [`${name}, JSON`]: renderJson(changeSet),
  [`${name}, saved`]: serialiseChangeSet(changeSet),
})

/** Everything that a run leaves or tells: files, events, errors. */
const artefacts = async (migration: Migration): Promise<Record<string, string | Buffer>> => {
  const found: Record<string, string | Buffer> = {
    plan: await migration.planText(),
    state: await migration.stateText().catch(() => ''),
    events: JSON.stringify(migration.events) + inspect(migration.events, { depth: 9 }),
  }
  const folder = join(migration.folder, 'fleet.escrow')
  for (const file of await readdir(folder).catch(() => []))
    found[`escrow ${file}`] = await readFile(join(folder, file))
  return found
}

const checkPromises = (source: Store, target: Store, fleet: readonly DeviceSpec[]): void => {
  for (const spec of fleet)
    expect(brokenPromises(source, target, `meters/${spec.id}`, spec), spec.id).toEqual([])
}

/** Devices that crossed are heard where a virtual device can send on their channels: the others stay silent. */
const speak = async (migration: Migration, fleet: readonly DeviceSpec[], chosen: RandomPolicy) => {
  const heard: string[] = []
  const radio = radioOf(migration.target)
  for (const spec of fleet) {
    const way = wayOf(spec, chosen)
    if (spec.plan !== 'EU_863_870_TTN' || way === undefined) continue
    const device = virtualOf(spec)
    if (way === 'anew') expect(await device.join(radio), spec.id).toMatchObject({ joined: true })
    if (way === 'abp-reset') device.resetCounters()
    const uplink = await device.uplink(radio, { confirmed: true })
    expect(uplink.accepted, `${spec.id}: ${uplink.reason}`).toBe(true)
    // A counter that started again and is where it was tells nothing: the next frame does.
    if (way === 'abp-reset' && uplink.fCnt === spec.fCntUp) await device.uplink(radio)
    heard.push(spec.id)
  }
  return heard
}

/** Holds for one fleet and policy; throws what does not. */
const crosses = async (fleet: readonly DeviceSpec[], chosen: RandomPolicy): Promise<void> => {
  const migration = await startMigration()
  try {
    for (const spec of fleet) await register(migration.source, spec)
    const before = await storeOf(migration.source)
    await migration.writePlan(planOf(chosen))
    const { changeSet } = await migration.plan()
    for (const spec of fleet)
      expect(actions(changeSet)[spec.id], spec.id).toBe(
        wayOf(spec, chosen) === undefined ? 'blocked' : 'create',
      )
    const texts = rendered('first preview', changeSet)

    const outcome = await migration.apply({ allow: { 'blocked-devices': 99 } })
    const results = 'result' in outcome ? outcome.result.devices : []
    expect(results.filter((device) => device.status === 'failed')).toEqual([])
    const [source, target] = [await storeOf(migration.source), await storeOf(migration.target)]
    for (const spec of fleet) {
      const expected = expectedOnTarget(before, spec, chosen)
      const found = foundOnTarget(target, spec, chosen)
      for (const registry of ['identity', 'join', 'network', 'application'] as const)
        expect(plain(withoutDevAddr(found?.[registry])), `${spec.id}, ${registry}`).toEqual(
          plain(withoutDevAddr(expected?.[registry])),
        )
    }
    checkPromises(source, target, fleet)

    const again = (await migration.plan()).changeSet
    for (const [device, action] of Object.entries(actions(again)))
      expect(['wait', 'done', 'blocked'], device).toContain(action)
    Object.assign(texts, rendered('second preview', again))

    const heard = await speak(migration, fleet, chosen)
    await migration.apply({ allow: { 'blocked-devices': 99 } })
    migration.pass(8 * DAY)
    await migration.apply({ allow: { 'blocked-devices': 99 } })
    const last = (await migration.plan()).changeSet
    for (const device of heard) expect(actions(last)[device], device).toBe('done')
    const end = [await storeOf(migration.source), await storeOf(migration.target)] as const
    checkPromises(...end, fleet)
    Object.assign(texts, rendered('last preview', last), await artefacts(migration), {
      results: JSON.stringify(results),
    })
    const keys = [before, source, target, ...end].flatMap(keysIn)
    expect(keys.length).toBeGreaterThan(0)
    expect(leaks([...new Set(keys)], texts)).toEqual([])
  } finally {
    await migration.close()
  }
}

test('a random fleet crosses whole: nothing is left to do, the target holds what the source held, no key is told', async () => {
  await fc.assert(fc.asyncProperty(fleetOf(6), policy, crosses), {
    numRuns: Number(process.env['FERRY_TEST_RUNS'] ?? 15),
    endOnFailure: true,
    verbose: 1,
  })
}, 240_000)

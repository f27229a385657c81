import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ApplyOutcome, type ApplyResult, type ChangeSet, serialiseChangeSet } from '../../src/index.ts'
import { renderJson } from '../../src/report/json.ts'
import { renderMarkdown } from '../../src/report/markdown.ts'
import { renderText } from '../../src/report/text.ts'
import { radioOf } from '../../src/simulator/virtual-device.ts'
import { programmedWith } from '../support/acts.ts'
import { credentialsOf, waitingIn } from '../support/ends.ts'
import {
  copiedOf,
  expectedOnTarget,
  foundOnTarget,
  isDeferred,
  isMuted,
  isReprogrammed,
  NEW_JOIN_EUI,
  plain,
  wayOf,
  withoutDevAddr,
} from '../support/expected-target.ts'
import { type DeviceSpec, register } from '../support/fleet.ts'
import { keysIn, leaks } from '../support/key-leaks.ts'
import { actions, type Migration, startMigration } from '../support/migration.ts'
import { brokenPromises } from '../support/promises.ts'
import { fleetOf, policy, type RandomDevice, type RandomPolicy } from '../support/random-fleet.ts'
import { virtualOf } from '../support/scenario.ts'
import { call, type Store, storeOf, type TestNetwork } from '../support/stack-api.ts'

const DAY = 24 * 3600 * 1000

/** An ABP device that is to join gets a JoinEUI; a plan without one for whom it asks that is refused. */
const planOf = (chosen: RandomPolicy, fleet: readonly DeviceSpec[]): string => {
  const abp = fleet.filter(({ mode }) => mode === 'abp').map(({ id }) => id)
  const written = abp.length === 0 ? { ...chosen, abp: 'keep' } : chosen
  const overrides = written.abp === 'to-otaa' ? [{ ids: abp, set: { joinEui: NEW_JOIN_EUI } }] : []
  const devices = { include: [{ all: true }], overrides }
  return `policy: ${JSON.stringify(written)}\nverify: { retireAfter: 7d }\ndevices: ${JSON.stringify(devices)}`
}

const queue = async (network: TestNetwork, { id, queued }: RandomDevice): Promise<void> => {
  if (queued === 0) return
  const downlinks = Array.from({ length: queued }, (_, index) => ({ f_port: index + 1, frm_payload: 'AQ==' }))
  await call(network, 'POST', `/as/applications/meters/devices/${id}/down/push`, { downlinks })
}

const clearQueue = (network: TestNetwork, { id }: RandomDevice): Promise<unknown> =>
  call(network, 'POST', `/as/applications/meters/devices/${id}/down/replace`, { downlinks: [] })

const ALLOW = { allow: { 'blocked-devices': 99 } }

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

/** What a device was re-programmed from, and what was deleted first, is in the escrow. */
const checkPromises = async (
  migration: Migration,
  source: Store,
  target: Store,
  fleet: readonly DeviceSpec[],
): Promise<void> => {
  const escrowed = await migration.escrowed()
  for (const spec of fleet) {
    const key = `meters/${spec.id}`
    expect(brokenPromises(source, target, key, spec, key, escrowed), spec.id).toEqual([])
  }
}

/** Devices that crossed are heard where a virtual device can send on their channels: the others stay silent. */
const speak = async (
  migration: Migration,
  fleet: readonly RandomDevice[],
  chosen: RandomPolicy,
): Promise<readonly string[]> => {
  const heard: string[] = []
  const radio = radioOf(migration.target)
  const made = await credentialsOf(migration)
  for (const spec of fleet) {
    const way = wayOf(spec, chosen)
    const staysMuted = isMuted(spec) && chosen.mutedSource === 'carry'
    if (spec.plan !== 'EU_863_870_TTN' || way === undefined || staysMuted || way === 'triggered') continue
    const device = isReprogrammed(way)
      ? programmedWith(made.find((item) => item.device === spec.id))
      : virtualOf(spec)
    if (way === 'anew' || way === 'new-keys' || way === 'abp-to-join')
      expect(await device.join(radio), spec.id).toMatchObject({ joined: true })
    if (way === 'abp-reset') device.resetCounters()
    const uplink = await device.uplink(radio, { confirmed: true })
    expect(uplink.accepted, `${spec.id}: ${uplink.reason}`).toBe(true)
    // A counter that started again and is where it was tells nothing: the next frame does.
    if (way === 'abp-new-session' || (way === 'abp-reset' && uplink.fCnt === spec.fCntUp))
      await device.uplink(radio)
    heard.push(spec.id)
  }
  return heard
}

/** One of class A sends to the source until it is told to join, and joins the target then. */
const rejoin = async (
  migration: Migration,
  fleet: readonly RandomDevice[],
  chosen: RandomPolicy,
): Promise<readonly string[]> => {
  const heard: string[] = []
  for (const spec of fleet) {
    const isHeard = spec.plan === 'EU_863_870_TTN' && spec.classB !== true && spec.classC !== true
    if (wayOf(spec, chosen) !== 'triggered' || !isHeard) continue
    const device = virtualOf(spec)
    const ports: (number | undefined)[] = []
    while (!ports.includes(42) && ports.length < 12)
      for (const { fPort } of (await device.uplink(radioOf(migration.source))).downlinks) ports.push(fPort)
    expect(ports, spec.id).toContain(42)
    expect((await device.join(radioOf(migration.source))).joined, spec.id).toBe(false)
    expect(await device.join(radioOf(migration.target)), spec.id).toMatchObject({ joined: true })
    await device.uplink(radioOf(migration.target))
    heard.push(spec.id)
  }
  return heard
}

/** The target holds what each device has to be there, and nothing of those that are left alone. */
const checkTarget = async (
  migration: Migration,
  before: Store,
  fleet: readonly RandomDevice[],
  chosen: RandomPolicy,
): Promise<void> => {
  const target = await storeOf(migration.target)
  const made = await credentialsOf(migration)
  const waiting = await waitingIn(migration, fleet)
  for (const spec of fleet) {
    const expected = expectedOnTarget(
      before,
      spec,
      chosen,
      made.find(({ device }) => device === spec.id),
    )
    const found = foundOnTarget(target, spec, chosen)
    for (const registry of ['identity', 'join', 'network', 'application'] as const)
      expect(plain(withoutDevAddr(found?.[registry])), `${spec.id}, ${registry}`).toEqual(
        plain(withoutDevAddr(expected?.[registry])),
      )
    expect(waiting[`target ${spec.id}`], `${spec.id}, queue`).toHaveLength(copiedOf(spec, chosen))
  }
}

/** Holds for one fleet and policy; throws what does not. */
const crosses = async (fleet: readonly RandomDevice[], chosen: RandomPolicy): Promise<void> => {
  const migration = await startMigration()
  try {
    for (const spec of fleet) await register(migration.source, spec)
    for (const spec of fleet) await queue(migration.source, spec)
    const before = await storeOf(migration.source)
    await migration.writePlan(planOf(chosen, fleet))
    const { changeSet } = await migration.plan()
    for (const spec of fleet)
      expect(actions(changeSet)[spec.id], spec.id).toBe(
        wayOf(spec, chosen) === undefined ? 'blocked' : 'create',
      )
    const texts = rendered('first preview', changeSet)

    const told = resultsOf(await migration.apply(ALLOW))
    const deferred = fleet.filter((spec) => isDeferred(spec, chosen))
    expect(told.filter(({ status }) => status === 'deferred').map(({ device }) => device)).toEqual(
      deferred.map(({ id }) => id),
    )
    const between = await storeOf(migration.target)
    for (const spec of deferred) {
      expect(between.identityServer[`meters/${spec.id}`], spec.id).toBeUndefined()
      await clearQueue(migration.source, spec)
    }
    const results = [...told, ...resultsOf(await migration.apply(ALLOW))]
    expect(results.filter((device) => device.status === 'failed')).toEqual([])
    await checkTarget(migration, before, fleet, chosen)
    const [source, target] = [await storeOf(migration.source), await storeOf(migration.target)]
    await checkPromises(migration, source, target, fleet)

    const again = (await migration.plan()).changeSet
    for (const spec of fleet) {
      // What makes one of class B or C join is sent at once.
      const isSent = wayOf(spec, chosen) === 'triggered' && (spec.classB === true || spec.classC === true)
      expect(['wait', 'done', 'blocked', ...(isSent ? ['resume'] : [])], spec.id).toContain(
        actions(again)[spec.id],
      )
    }
    Object.assign(texts, rendered('second preview', again))

    const heard = [...(await speak(migration, fleet, chosen)), ...(await rejoin(migration, fleet, chosen))]
    await migration.apply(ALLOW)
    migration.pass(8 * DAY)
    await migration.apply(ALLOW)
    const last = (await migration.plan()).changeSet
    for (const device of heard) expect(actions(last)[device], device).toBe('done')
    const end = [await storeOf(migration.source), await storeOf(migration.target)] as const
    await checkPromises(migration, ...end, fleet)
    Object.assign(texts, rendered('last preview', last), await artefacts(migration), {
      results: JSON.stringify(results) + inspect(results, { depth: 9 }),
    })
    const keys = [...[before, between, source, target, ...end].flatMap(keysIn), ...(await newKeys(migration))]
    expect(keys.length).toBeGreaterThan(0)
    expect(leaks([...new Set(keys)], texts)).toEqual([])
  } finally {
    await migration.close()
  }
}

const resultsOf = (outcome: ApplyOutcome): ApplyResult['devices'] =>
  'result' in outcome ? outcome.result.devices : []

/** Every key that was made for a device to be programmed with. */
const newKeys = async (migration: Migration): Promise<readonly string[]> =>
  (await credentialsOf(migration)).flatMap(({ rootKeys, session }) =>
    Object.values({ ...rootKeys, ...session }).flatMap((key) =>
      typeof key === 'string' ? [] : [key.reveal()],
    ),
  )

test('a random fleet crosses whole: nothing is left to do, the target holds what the source held, no key is told', async () => {
  await fc.assert(fc.asyncProperty(fleetOf(6), policy, crosses), {
    numRuns: Number(process.env['FERRY_TEST_RUNS'] ?? 15),
    endOnFailure: true,
    verbose: 1,
  })
}, 240_000)

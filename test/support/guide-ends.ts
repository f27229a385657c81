import { expect } from 'vitest'
import { antennaOf } from '../../src/simulator/index.ts'
import { expectedOnTarget, foundOnTarget, plain, withoutDevAddr } from './expected-target.ts'
import { type DeviceSpec, keysOf } from './fleet.ts'
import { GROUPS, KINDS, memberOf } from './kinds.ts'
import { DEFAULT_POLICY } from './policy.ts'
import { programmed } from './programmed.ts'
import type { RandomPolicy } from './random-fleet.ts'
import { at, expectNoJoin, expectServed, expectSilent, type Side, type Stage } from './scenario.ts'
import { call, type Store } from './stack-api.ts'

type Tree = Record<string, unknown>
const REGISTRIES = ['is', 'js', 'ns', 'as'] as const
const ADDRESSES = ['network_server_address', 'application_server_address', 'join_server_address']

export const specOf = (id: string): DeviceSpec => {
  const spec = KINDS.find((kind) => kind.id === id)
  if (spec === undefined) throw new Error(`no kind ${id}`)
  return spec
}

export const KEEPING: RandomPolicy = { ...DEFAULT_POLICY, rejoin: { trigger: 'none' } }
export const JOINING_ANEW: RandomPolicy = { ...KEEPING, persistSession: false }
export const RESETTING: RandomPolicy = { ...JOINING_ANEW, resetFrameCounters: true }

/** Ids name the application, which may be another. */
const comparable = (tree: unknown): unknown =>
  JSON.parse(
    JSON.stringify(plain(withoutDevAddr(tree)) ?? null, (name, value: unknown) =>
      name === 'application_ids' ? undefined : value,
    ),
  )

/** The target holds, registry by registry, what the rules make of what the source held, and no address of its servers. */
export const expectCarried = async (
  stage: Stage,
  before: Store,
  ids: readonly string[],
  policy: RandomPolicy,
): Promise<void> => {
  const target = await stage.store('target')
  for (const id of ids) {
    const expected = expectedOnTarget(before, specOf(id), policy)
    const found = foundOnTarget(target, specOf(id), policy, stage.target.application)
    expect(expected, id).toBeDefined()
    for (const registry of ['identity', 'join', 'network', 'application'] as const)
      expect(comparable(found?.[registry]), `${id} on the ${registry} server`).toEqual(
        comparable(expected?.[registry]),
      )
    for (const address of ADDRESSES) expect(found?.identity).not.toHaveProperty(address)
  }
}

/** Uplinks that the source still hears are noted there. */
const untimed = ({ activated_at: _first, last_seen_at: _last, updated_at: _written, ...rest }: Tree = {}) =>
  rest

/** The source holds all of them still and answers none; root keys are others where the device joins. */
export const expectStopped = async (stage: Stage, before: Store, ids: readonly string[]): Promise<void> => {
  const now = await stage.store('source')
  for (const id of ids) {
    const key = `meters/${id}`
    expect(untimed(now.identityServer[key]), id).toEqual(untimed(before.identityServer[key]))
    expect(untimed(now.applicationServer[key]), id).toEqual(untimed(before.applicationServer[key]))
    expect(at(now.networkServer[key], 'mac_settings', 'schedule_downlinks'), id).toBe(false)
    expect(at(now.networkServer[key], 'session', 'keys')).toEqual(
      at(before.networkServer[key], 'session', 'keys'),
    )
    if (specOf(id).mode === 'otaa') await expectRekeyed(stage, now, specOf(id))
  }
}

const expectRekeyed = async (stage: Stage, now: Store, spec: DeviceSpec): Promise<void> => {
  const own = keysOf(spec)
  const held = at(now.joinServer[`meters/${spec.id}`], 'root_keys')
  for (const name of spec.nwkKey === true || spec.version === 'MAC_V1_1'
    ? ['app_key', 'nwk_key']
    : ['app_key']) {
    const key = at(held, name, 'key')
    expect(key, `${spec.id} keeps a ${name} on the source`).toMatch(/^[0-9A-F]{32}$/)
    expect([own.appKey, own.nwkKey].includes(String(key)), `${spec.id} keeps its ${name}`).toBe(false)
  }
  await expectNoJoin(stage, spec.id)
}

/** Nothing of them is left on the source. */
export const expectDeleted = async (stage: Stage, ids: readonly string[]): Promise<void> => {
  for (const id of ids)
    for (const registry of REGISTRIES)
      expect(await stage.held('source', registry, id), `${registry} of ${id}`).toBeUndefined()
}

/** Each sends a confirmed uplink to both networks, and the target alone answers. */
export const expectAllServed = async (
  stage: Stage,
  ids: readonly string[],
  by: Side = 'target',
): Promise<void> => {
  for (const id of ids) await expectServed(stage, id, by)
}

/** Each joins with both networks in the air; the target alone accepts, with an address of its block, and serves it. */
export const expectAllJoin = async (
  stage: Stage,
  ids: readonly string[],
  block: RegExp = /^2A/,
): Promise<void> => {
  for (const id of ids) {
    expect(await stage.device(id).join(stage.air), `${id} joins`).toMatchObject({ joined: true })
    await expectServed(stage, id)
    expect(stage.device(id).session?.devAddr).toMatch(block)
  }
}

/** Neither a confirmed uplink nor a join is answered by the source. */
export const expectAllSilent = async (stage: Stage, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    await expectSilent(stage, id)
    if (specOf(id).mode === 'otaa') await expectNoJoin(stage, id)
  }
}

/**
 * Somebody programs each with what the target holds: it joins where it can, and is answered by the target alone, under
 * an address of the target.
 */
export const expectProgrammed = async (stage: Stage, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    const device = await programmed(stage, specOf(id))
    if ((await stage.held('target', 'js', id)) !== undefined)
      expect(await device.join(stage.air), `${id} joins`).toMatchObject({ joined: true })
    expect(device.session?.devAddr, id).toMatch(/^2A/)
    const { downlinks, missed } = await device.uplink(stage.air, { confirmed: true })
    expect(missed, id).toEqual([])
    expect(downlinks, id).toMatchObject([{ ack: true }])
    // The first frame of a device that does not join may be one with counter 0.
    expect(await device.uplink(stage.air)).toMatchObject({ accepted: true })
    const own = keysOf(specOf(id))
    expect([own.appKey, own.nwkKey]).not.toContain(
      at(await stage.held('target', 'js', id), 'root_keys', 'app_key', 'key'),
    )
    expect(at(await stage.held('target', 'as', id), 'session', 'keys', 'app_s_key', 'key')).not.toBe(
      own.appSKey,
    )
  }
}

/** Each ABP device is switched off and on: it counts from 0, and the target alone answers. */
export const expectResets = async (stage: Stage, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    const device = stage.device(id)
    device.powerCycle()
    const outcome = await device.uplink(stage.air, { confirmed: true })
    expect(outcome, id).toMatchObject({ accepted: true, fCnt: 0, missed: [], downlinks: [{ ack: true }] })
    expect(at(await stage.held('target', 'ns', id), 'session', 'last_f_cnt_up') ?? 0).toBe(0)
  }
}

const send = (stage: Stage, side: Side, id: string): Promise<unknown> =>
  call(stage[side], 'POST', `/as/applications/${stage[side].application}/devices/${id}/down/push`, {
    downlinks: [
      {
        f_port: 10,
        frm_payload: 'AQ==',
        class_b_c: { gateways: [{ gateway_ids: { gateway_id: `gw-${gatewayOf(stage, side)}` } }] },
      },
    ],
  })

/** Devices of class B and C hear what the target sends without an uplink, with their next counters. */
export const expectHearing = async (stage: Stage, ids: readonly string[]): Promise<void> => {
  const antenna = antennaOf(stage.target)
  for (const id of ids) {
    const device = stage.device(id)
    const last = device.session?.lastNFCntDown ?? 0
    await antenna.forget()
    await call(stage.target, 'POST', `/as/applications/${stage.target.application}/devices/${id}/down/push`, {
      downlinks: [{ f_port: 10, frm_payload: 'AQ==' }],
    })
    const { downlinks, missed } = device.hear(await antenna.transmissions())
    expect(missed, id).toEqual([])
    expect(downlinks, id).toMatchObject([{ multicast: false, fPort: 10, fCnt: last + 1 }])
  }
}

const gatewayOf = (stage: Stage, side: Side): Side =>
  stage.source.url === stage.target.url ? 'source' : side

/** Members of the groups hear the target, above the counter that the source came to; the source has forgotten them. */
export const expectGroupsMoved = async (stage: Stage): Promise<void> => {
  await expectDeleted(
    stage,
    GROUPS.map(({ id }) => id),
  )
  for (const group of GROUPS) {
    const last = Math.max(group.nFCntDown ?? 0, group.aFCntDown ?? 0)
    const antenna = antennaOf(stage.target)
    await antennaOf(stage.source).forget()
    await antenna.forget()
    await expect(send(stage, 'source', group.id)).rejects.toThrow('404')
    expect(await antennaOf(stage.source).transmissions()).toEqual([])
    await send(stage, 'target', group.id)
    const { downlinks, missed } = memberOf(group, last).hear(await antenna.transmissions())
    expect(missed, group.id).toEqual([])
    expect(downlinks).toMatchObject([{ multicast: true, fPort: 10, fCnt: last + 1 }])
  }
}

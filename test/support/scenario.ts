import { expect, it } from 'vitest'
import type { ApplyOutcome, ChangeSet, FerryEvent } from '../../src/index.ts'
import { renderText } from '../../src/report/text.ts'
import type { VirtualDeviceOptions } from '../../src/simulator/virtual/types.ts'
import {
  createVirtualDevice,
  type NetworkAnswer,
  radioOf,
  type Send,
  type VirtualDevice,
} from '../../src/simulator/virtual-device.ts'
import { type DeviceSpec, keysOf, register } from './fleet.ts'
import { type Migration, type MigrationOptions, startMigration } from './migration.ts'
import { brokenPromises } from './promises.ts'
import { call, type Store, storeOf, type TestNetwork } from './stack-api.ts'

export type Side = 'source' | 'target'
type Record_ = Record<string, unknown>
const REGISTRY = {
  is: 'identityServer',
  js: 'joinServer',
  ns: 'networkServer',
  as: 'applicationServer',
} as const

/** A migration with devices in the air: what scenarios act on, and look at. */
export interface Stage extends Migration {
  /** The virtual device of a spec of the fleet, with the counters that the source knows. */
  readonly device: (id: string) => VirtualDevice
  /** Sends to both networks, as gateways of both would hear it; more than one answer breaks the promise. */
  readonly air: Send
  /** Sends to one network alone. */
  readonly radio: (side: Side) => Send
  readonly store: (side: Side) => Promise<Store>
  /** What one registry holds of a device; undefined where it does not know it. */
  readonly held: (side: Side, registry: keyof typeof REGISTRY, id: string) => Promise<Record_ | undefined>
  /** Promises 1 and 2 for all devices of the fleet, in the simulators' stores. */
  readonly promisesHold: () => Promise<void>
}

export interface Scenario {
  readonly promise: string
  /** Name of the golden preview below `test/scenarios/golden`; none where the preview is that of another. */
  readonly golden?: string
  readonly fleet: readonly DeviceSpec[]
  /** YAML after the harness's head, from `devices:` on. */
  readonly plan: string
  /** What a device in the air has that its registration does not tell, such as another counter or what makes it join. */
  readonly virtual?: Readonly<Record<string, Virtual>>
  /** Device ids on the target, where overrides rename. */
  readonly renamed?: Readonly<Record<string, string>>
  /** The devices were on both networks before, by others. */
  readonly onBoth?: true
  /** The key of the target is that of a person, who sees all applications. */
  readonly seesAll?: true
  /** Source and target are two applications of one network. */
  readonly oneNetwork?: true
  readonly fromV2?: true
  /** The plan's source is a file that was written from the source network. */
  readonly fromFile?: MigrationOptions['fromFile'] & {}
  readonly withoutIdentity?: true
  readonly sourceRights?: MigrationOptions['sourceRights'] & {}
  readonly simulator?: MigrationOptions['simulator']
  /** The plan says that the source has no Join Server. */
  readonly joinElsewhere?: true
  /** What is there before the plan is made, besides the fleet on the source. */
  readonly before?: (stage: Stage) => Promise<void>
  /** From the first plan to the end. */
  readonly ends: (stage: Stage, planned: ChangeSet) => Promise<void>
}

export interface Virtual {
  /** Other counters and nonces than those of the registration. */
  readonly spec?: Partial<DeviceSpec>
  readonly options?: Partial<VirtualDeviceOptions>
}

const CHANNELS = [868_100_000, 868_300_000, 868_500_000]
/** Those of the second sub-band of US915. */
const CHANNELS_US = [0, 1, 2, 3, 4, 5, 6, 7].map((index) => 903_900_000 + index * 200_000)

/** What a device of a spec is as a radio; its RX1 delay is that of a derived MAC state. */
export const radioOptionsOf = (spec: DeviceSpec) => ({
  lorawanVersion: (spec.version ?? 'MAC_V1_0_3') as 'MAC_V1_0_3',
  frequencyPlan: spec.plan ?? 'EU_863_870_TTN',
  rx1Delay: Number(spec.macSettings?.['rx1_delay'] ?? 1),
  dataRate: 'SF7BW125',
  channels: spec.plan?.startsWith('US_') === true ? CHANNELS_US : CHANNELS,
  deviceClass: spec.classB === true ? ('B' as const) : spec.classC === true ? ('C' as const) : ('A' as const),
  counterBits: spec.macSettings?.['supports_32_bit_f_cnt'] === false ? (16 as const) : (32 as const),
})

/** A virtual device with the keys and counters of a spec. */
export const virtualOf = (spec: DeviceSpec, options: Partial<VirtualDeviceOptions> = {}): VirtualDevice => {
  const keys = keysOf(spec)
  const is11 = spec.version === 'MAC_V1_1'
  const hasSession = spec.mode !== 'otaa' || spec.fCntUp !== undefined
  const shared = Math.max(spec.nFCntDown ?? 0, spec.aFCntDown ?? 0)
  return createVirtualDevice({
    ...radioOptionsOf(spec),
    devEui: keys.devEui,
    joinEui: keys.joinEui,
    ...(spec.mode === 'otaa'
      ? {
          rootKeys: {
            appKey: keys.appKey,
            ...(spec.nwkKey === true || is11 ? { nwkKey: keys.nwkKey } : {}),
          },
        }
      : {}),
    ...(hasSession
      ? {
          session: {
            devAddr: keys.devAddr,
            keys,
            lastFCntUp: spec.fCntUp ?? 0,
            lastNFCntDown: is11 ? (spec.nFCntDown ?? 0) : shared,
            lastAFCntDown: spec.aFCntDown ?? 0,
          },
        }
      : {}),
    lastDevNonce: Math.max(spec.lastDevNonce ?? 0, ...(spec.usedDevNonces ?? [])),
    lastJoinNonce: spec.lastJoinNonce ?? 0,
    ...options,
  })
}

const airOf =
  (source: TestNetwork, target: TestNetwork): Send =>
  async (frame) => {
    const answers: readonly NetworkAnswer[] = [await radioOf(source)(frame), await radioOf(target)(frame)]
    const speaking = answers.filter((answer) => answer.downlinks.length > 0)
    expect(speaking.length, 'networks that answer one frame').toBeLessThanOrEqual(1)
    return (
      speaking[0] ??
      answers.find((answer) => answer.accepted) ?? { accepted: false, downlinks: [], ...answers[1] }
    )
  }

const stageOf = (migration: Migration, { fleet, renamed = {}, virtual = {} }: Scenario): Stage => {
  const devices = new Map(
    fleet.map((spec) => [
      spec.id,
      virtualOf({ ...spec, ...virtual[spec.id]?.spec }, virtual[spec.id]?.options),
    ]),
  )
  const store = (side: Side): Promise<Store> => storeOf(migration[side])
  return {
    ...migration,
    device: (id) => devices.get(id) ?? raise(`no device ${id}`),
    air:
      migration.source.url === migration.target.url
        ? radioOf(migration.source)
        : airOf(migration.source, migration.target),
    radio: (side) => radioOf(migration[side]),
    store,
    held: async (side, registry, id) =>
      (await store(side))[REGISTRY[registry]][`${migration[side].application}/${id}`],
    promisesHold: async () => {
      const [source, target, escrowed] = [
        await store('source'),
        await store('target'),
        await migration.escrowed(),
      ]
      const [from, to] = [migration.source.application, migration.target.application]
      for (const spec of fleet.filter((item) => item.without === undefined))
        expect(
          brokenPromises(
            source,
            target,
            `${from}/${spec.id}`,
            spec,
            `${to}/${renamed[spec.id] ?? spec.id}`,
            escrowed,
          ),
        ).toEqual([])
    },
  }
}

const raise = (message: string): never => {
  throw new Error(message)
}

/** The preview at 80 columns, with hosts and digests, which differ from run to run, replaced. */
const goldenText = (migration: Migration, changeSet: ChangeSet): string => {
  const hosts = { source: 'source.example', target: 'target.example' } as const
  const text = (['source', 'target'] as const).reduce(
    (all, side) => all.replaceAll(new URL(migration[side].url).host, hosts[side]),
    JSON.stringify(changeSet),
  )
  const named = JSON.parse(text.replaceAll(`${migration.folder}/`, '')) as ChangeSet
  const digest = `sha256:${'0'.repeat(64)}` as ChangeSet['digest']
  return `${renderText({ ...named, digest, plan: { ...named.plan, digest } }, { width: 80 })}\n`.replace(
    /\n+$/,
    '\n',
  )
}

/** Registers one test: fleet on the source, plan, golden preview, what follows, and the promises at its end. */
export const scenario = (given: Scenario): void => {
  const { promise, golden, fleet, plan, before, ends } = given
  it(promise, async () => {
    const migration = await startMigration({
      seesAll: given.seesAll === true,
      oneNetwork: given.oneNetwork === true,
      fromV2: given.fromV2 === true,
      ...(given.fromFile === undefined ? {} : { fromFile: given.fromFile }),
      joinElsewhere: given.joinElsewhere === true,
      withoutIdentity: given.withoutIdentity === true,
      ...(given.sourceRights === undefined ? {} : { sourceRights: given.sourceRights }),
      ...(given.simulator === undefined ? {} : { simulator: given.simulator }),
    })
    try {
      for (const spec of fleet) await register(migration.source, spec)
      const stage = stageOf(migration, given)
      await migration.writePlan(plan)
      await before?.(stage)
      const { changeSet } = await migration.plan()
      if (golden !== undefined)
        await expect(goldenText(migration, changeSet)).toMatchFileSnapshot(
          `../scenarios/golden/${golden}.txt`,
        )
      await ends(stage, changeSet)
      if (given.onBoth !== true) await stage.promisesHold()
    } finally {
      await migration.close()
    }
  })
}

/** Applies and expects these counts; all others are 0. */
export const applied = async (
  stage: Pick<Stage, 'apply'>,
  counts: Readonly<Record<string, number>>,
  options: Parameters<Migration['apply']>[0] = {},
): Promise<Extract<ApplyOutcome, { status: 'applied' }>> => {
  const outcome = await stage.apply(options)
  if (outcome.status !== 'applied') throw new Error(`the apply was ${outcome.status}`)
  const found = Object.entries(outcome.result.counts).filter(([, count]) => count > 0)
  expect(Object.fromEntries(found), JSON.stringify(outcome.result.devices)).toEqual(counts)
  return outcome
}

/** The device is served by the target alone: it answers a confirmed uplink with the next counters. */
export const expectServed = async (stage: Stage, id: string, by: Side = 'target'): Promise<void> => {
  const device = stage.device(id)
  const before = device.session
  const outcome = await device.uplink(stage.air, { confirmed: true })
  expect(outcome, `${id} sends a confirmed uplink`).toMatchObject({ accepted: true, missed: [] })
  expect(outcome.downlinks.map((downlink) => downlink.ack)).toEqual([true])
  // A last counter of 0 may be "none yet" too.
  const last = before?.lastNFCntDown ?? 0
  expect(last === 0 ? [0, 1] : [last + 1]).toContain(outcome.downlinks[0]?.fCnt)
  // A registry leaves out what is 0.
  const counted = at(await stage.held(by, 'ns', id), 'session', 'last_f_cnt_up') ?? 0
  expect(counted, `what the ${by} counts`).toBe(outcome.fCnt)
}

/** Neither a confirmed uplink nor a join is answered there. */
export const expectSilent = async (stage: Stage, id: string, side: Side = 'source'): Promise<void> => {
  const device = stage.device(id)
  if (device.session !== undefined) {
    const uplink = await device.uplink(stage.radio(side), { confirmed: true })
    expect(uplink.downlinks, `${side} answers an uplink of ${id}`).toEqual([])
  }
}

/** A join-request that the network does not answer. */
export const expectNoJoin = async (stage: Stage, id: string, side: Side = 'source'): Promise<void> => {
  const outcome = await stage.device(id).join(stage.radio(side))
  expect(outcome.joined, `${side} accepts a join of ${id}`).toBe(false)
}

/** What a person does who deletes a device by hand, on all registries that hold it or on some, by API prefix. */
export const remove = async (
  stage: Pick<Stage, Side>,
  side: Side,
  id: string,
  registries: readonly string[] = ['/as', '/ns', ...(id.startsWith('valve') ? [] : ['/js']), ''],
): Promise<void> => {
  for (const registry of registries)
    await call(stage[side], 'DELETE', `${registry}/applications/meters/devices/${id}`)
}

/** Does something when the source of a device is about to be muted for the first time, or right after it was. */
export const aroundMute = (
  when: 'before' | 'after',
  action: (deviceId: string) => Promise<void>,
): NonNullable<Parameters<Migration['applyThrough']>[0]['network']> => {
  const over = new Set<string>()
  const once = async (now: typeof when, deviceId: string): Promise<void> => {
    if (now !== when || over.has(deviceId)) return
    over.add(deviceId)
    await action(deviceId)
  }
  return (port, side) =>
    side === 'target'
      ? port
      : {
          ...port,
          write: async (write) => {
            const mutes = write.fields['mac_settings.schedule_downlinks'] === false
            if (mutes) await once('before', write.ids.deviceId)
            await port.write(write)
            if (mutes) await once('after', write.ids.deviceId)
          },
        }
}

export interface Item {
  readonly fPort: number
  readonly payload: string
  readonly confirmed?: boolean
  readonly priority?: string
  readonly class_b_c?: object
}

/** What an application does: queues downlinks, payloads in base64; or replaces all that wait. */
export const queue = async (
  stage: Pick<Stage, Side>,
  side: Side,
  id: string,
  items: readonly Item[],
  how: 'push' | 'replace' = 'push',
): Promise<void> => {
  const { application } = stage[side]
  const downlinks = items.map(({ fPort, payload, ...more }) => ({
    f_port: fPort,
    frm_payload: payload,
    ...more,
  }))
  await call(stage[side], 'POST', `/as/applications/${application}/devices/${id}/down/${how}`, { downlinks })
}

/** What waits to be sent, as `port payload`. */
export const queued = async (
  stage: Pick<Stage, Side>,
  side: Side,
  id: string,
): Promise<readonly string[]> => {
  const { application } = stage[side]
  const answer = await call(stage[side], 'GET', `/as/applications/${application}/devices/${id}/down`)
  const { downlinks = [] } = answer as { downlinks?: readonly Record_[] }
  return downlinks.map((item) => `${String(item['f_port'])} ${String(item['frm_payload'])}`)
}

/** Registers an application besides the one that the plan names. */
export const otherApplication = async (network: TestNetwork, id: string): Promise<TestNetwork> => {
  await call(network, 'POST', '/users/admin/applications', { application: { ids: { application_id: id } } })
  return { ...network, application: id }
}

export const results = (outcome: ApplyOutcome): Record<string, string> =>
  'result' in outcome
    ? Object.fromEntries(
        outcome.result.devices.map((device) => [device.device, device.error?.code ?? device.status]),
      )
    : {}

export const eventNames = (events: readonly FerryEvent[]): readonly string[] =>
  events.map((event) => event.event)

/** Nested value of a JSON tree. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (node, name) => (typeof node === 'object' && node !== null ? (node as Record_)[name] : undefined),
    value,
  )

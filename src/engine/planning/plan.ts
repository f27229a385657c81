import { byDevEui, type ChangeSet, type DeviceChange } from '../../domain/change-set.ts'
import type { DeviceRecord } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Emit } from '../../domain/events.ts'
import type { DeviceIntent, LoadedPlan, SelectableDevice, Selection } from '../../domain/migration-plan.ts'
import type { Clock, HeldElsewhere, NetworkFacts, NetworkPort, QueuedDownlink } from '../../domain/ports.ts'
import { completed } from '../device/completed.ts'
import type { TargetDefaults } from '../device/desired.ts'
import { euisOf } from '../device/euis.ts'
import type { JoinHosts } from '../device/join-server.ts'
import { profileOf } from '../device/route.ts'
import type { DeviceProgress, Progress } from '../progress/progress.ts'
import { silentAfter } from '../progress/heard.ts'
import { statusOfDevice } from '../progress/status.ts'
import { stopsBy } from '../progress/steps.ts'
import { walk } from '../run/walk.ts'
import { withDigest } from './change-set-file.ts'
import { createCompactor } from './compact.ts'
import { withMembers } from './groups.ts'
import { planFormatters } from './formatters.ts'
import { guardsOf } from './guards.ts'
import {
  type EuiHolder,
  euiHolders,
  excluded,
  nameless,
  taken,
  unreadable,
  withoutTwins,
} from './left-alone.ts'
import { type ApplicationsRead, planApplication, readApplications } from './application.ts'
import type { Carried } from './gateway-order.ts'
import { type GatewaysRead, planGateways, readGateways } from './gateways.ts'
import { listAll } from './listing.ts'
import { carriersOf } from '../device/carriers.ts'
import type { NewIdOf } from '../device/relays.ts'
import { isMuted } from '../device/scheduling.ts'
import { pinnedIntent, planDevice } from './plan-device.ts'
import { planRetiring } from './plan-retiring.ts'

export interface PlanningInput {
  readonly loaded: LoadedPlan
  readonly source: NetworkPort
  readonly target: NetworkPort
  /** Both applications are on one deployment, where a pair of EUIs exists once. */
  readonly sameDeployment: boolean
  /** Of the source. */
  readonly joinHosts: JoinHosts
  readonly select: (device: SelectableDevice) => Selection
  /** Whether the plan moves a gateway of the source. */
  readonly selectGateway: (gatewayId: string) => boolean
  /** Findings about ids that the plan names and the source does not hold. */
  readonly unknownDevices: (isKnown: (deviceId: string) => boolean) => readonly Diagnostic[]
  readonly state: { readonly lineage: string; readonly serial: number; readonly progress: Progress }
  readonly digestKey: { readonly key: string; readonly from: 'plan' | 'derived' }
  /** Paths for people, relative where they can be. */
  readonly files: ChangeSet['files']
  readonly tool: string
  readonly clock: Clock
  readonly emit: Emit
}

/** What was learnt of the networks on the way, for the apply that follows. */
export interface Planning {
  readonly changeSet: ChangeSet
  readonly gateways: GatewaysRead
  readonly applications: ApplicationsRead
  /** Of a device of the change set. */
  readonly intentBy: (deviceId: string) => DeviceIntent
  /** What the plan wants of a device, for one whose description is learnt only later: from the escrow. */
  readonly intentOf: (device: SelectableDevice) => DeviceIntent
  readonly targetFacts: NetworkFacts
  /** Defaults of the target for a frequency plan and PHY version. */
  readonly defaultsFor: (frequencyPlan: string, phyVersion: string) => Promise<TargetDefaults>
}

/** So often that a reading of minutes is seen to go on, at five devices a second too. */
const TOLD_EVERY = 20

/**
 * Reads both networks and computes the change set. Writes nothing, anywhere. A device that can not be read is
 * blocked alone; a listing that can not be finished ends the run (`NetworkError`).
 */
export const planChanges = async (input: PlanningInput): Promise<Planning> => {
  const { source, target, state } = input
  const {
    changes,
    listed,
    targetDevices,
    formatters,
    intents,
    targetFacts,
    defaultsFor,
    gateways,
    applications,
    carried,
  } = await readNetworks(input)
  const devices = withMembers(withoutTwins([...changes].sort(byDevEui)))
  const { plan, file, digest } = input.loaded
  const moved =
    plan.gateways === undefined
      ? undefined
      : planGateways(plan.gateways, gateways, settled(carried, devices), input.digestKey.key)
  const guards = guardsOf({
    changes: devices,
    progress: state.progress,
    sourceDevices: listed,
    targetDevices,
    limits: [plan.limits ?? {}, input.loaded.organisation?.limits ?? {}],
    ...(moved === undefined ? {} : { gateways: moved }),
  })
  const changeSet = withDigest({
    formatVersion: 1,
    tool: input.tool,
    plan: { name: plan.name, file, digest },
    source: source.identity,
    target: target.identity,
    base: { lineage: state.lineage, serial: state.serial },
    complete: true,
    findings: [
      ...input.unknownDevices((id) => listed.has(id) || state.progress.has(id)),
      ...recipientFindings(plan, devices),
      ...formatters.findings,
      ...gateways.findings,
    ],
    ...(formatters.change === undefined ? {} : { formatters: formatters.change }),
    ...(plan.application === undefined ? {} : { application: planApplication(applications) }),
    ...(moved === undefined ? {} : { gateways: moved }),
    guards,
    policy: plan.policy,
    coverage: plan.coverage,
    rollout: plan.rollout,
    files: input.files,
    digestKey: input.digestKey.from,
    devices,
  })
  const intentOf = (device: SelectableDevice): DeviceIntent => input.select(device).intent
  return { changeSet, intentBy: intents.of, intentOf, targetFacts, defaultsFor, gateways, applications }
}

/** Devices that do not move under this plan stay where they are, as far as the source serves them at all. */
const settled = (carried: readonly Carried[], changes: readonly DeviceChange[]): readonly Carried[] => {
  const staying = new Set(
    changes.filter(({ action }) => action === 'excluded' || action === 'blocked').map(({ device }) => device),
  )
  return carried.map((device) => ({ ...device, stays: staying.has(device.device) && device.stays }))
}

/** What of the networks is still needed once every device was compared: of a large fleet the listings are not kept. */
interface NetworksRead extends Pick<Planning, 'targetFacts' | 'defaultsFor'> {
  readonly changes: readonly DeviceChange[]
  /** Device ids of the source. */
  readonly listed: ReadonlySet<string>
  /** So many are on the target. */
  readonly targetDevices: number
  readonly formatters: Awaited<ReturnType<typeof planFormatters>>
  readonly intents: Intents
  readonly gateways: GatewaysRead
  readonly applications: ApplicationsRead
  /** Empty where the plan moves no gateways. */
  readonly carried: readonly Carried[]
}

const readNetworks = async (input: PlanningInput): Promise<NetworksRead> => {
  const { source, target, emit, state } = input
  const [sourceDevices, targetDevices, targetFacts, formatters, gateways, applications] = await Promise.all([
    listToEnd(source, 'source', emit),
    listToEnd(target, 'target', emit),
    target.facts(),
    planFormatters(input.loaded.plan, source, target),
    readGateways(input.loaded.plan, source, target, input.selectGateway),
    readApplications(input.loaded.plan, source, target),
  ])
  const carried: Carried[] = []
  const keepCarriers =
    gateways.moving.size === 0
      ? undefined
      : (record: DeviceRecord): void => {
          const by = carriersOf(record).map(({ id }) => id)
          carried.push({ device: record.ids.deviceId, stays: !isMuted(record), by })
        }
  const ids = newIds(input, sourceDevices)
  const defaultsFor = targetDefaults(target, targetFacts, ids.of)
  const intents = createIntents()
  const changes: DeviceChange[] = []
  // Asked only where somebody may be in the way: with every device on its way there already, nobody is.
  const mayCreate = sourceDevices.some(({ deviceId }) => !state.progress.has(deviceId))
  const elsewhere = mayCreate ? await target.elsewhere() : []
  const holders = euiHolders(targetDevices, elsewhere.filter(isNotSource(input)))
  const compact = createCompactor()
  let done = 0
  const read = async (device: SelectableDevice): Promise<void> => {
    const progress = state.progress.get(device.deviceId)
    const selection = input.select(device)
    const intent = pinnedIntent(selection.intent, progress)
    intents.add(device.deviceId, intent)
    // Whoever stays may be heard by a gateway that leaves.
    if (!selection.selected && keepCarriers !== undefined) keepCarriers(await source.read(device.deviceId))
    const change = !selection.selected
      ? excluded(device, selection, progress)
      : selection.lacks !== undefined && intent.set.deviceId === undefined
        ? nameless(device, selection.lacks)
        : await planOne(input, device, intent, {
            targetFacts,
            defaultsFor,
            newIdOf: ids.of,
            holders,
            isTargetEmpty: targetDevices.length === 0 && sourceDevices.length > MANY,
            covering: gateways.covering,
            ...(keepCarriers === undefined ? {} : { keepCarriers }),
          })
    changes.push(compact(withStatus(input, withWave(change, selection)), device))
    done += 1
    if (done % TOLD_EVERY === 0) emit({ event: 'reading.devices', devices: done, of: sourceDevices.length })
  }
  await walk(sourceDevices, input.loaded.plan.rollout.maxConcurrency, read)
  const listed = new Set(sourceDevices.map((device) => device.deviceId))
  const gone = [...state.progress.values()].filter((device) => !listed.has(device.device))
  await walk(gone, input.loaded.plan.rollout.maxConcurrency, async (progress) => {
    const selection = input.select(knownOf(progress))
    const { intent } = selection
    intents.add(progress.device, intent)
    const change = await planGone(input, progress, intent)
    changes.push(withStatus(input, withWave(change, selection)))
  })
  ids.settle(changes)
  return {
    changes,
    listed,
    targetDevices: targetDevices.length,
    formatters,
    intents,
    targetFacts,
    defaultsFor,
    gateways,
    applications,
    carried,
  }
}

/** In a scope of its own: an apply asks later, when nothing else of the reading is needed any more. */
const targetDefaults =
  (target: NetworkPort, { serverAddresses }: NetworkFacts, newIdOf: NewIdOf): Planning['defaultsFor'] =>
  async (frequencyPlan, phyVersion) => ({
    serverAddresses,
    newIdOf,
    macSettings: await target.defaultMacSettings(frequencyPlan, phyVersion),
  })

interface Intents {
  add(deviceId: string, intent: DeviceIntent): void
  readonly of: Planning['intentBy']
}

/** A plan wants the same of most devices: of a large fleet the others alone are kept. */
const createIntents = (): Intents => {
  let usual: DeviceIntent | undefined
  const others = new Map<string, DeviceIntent>()
  return {
    add: (deviceId, intent) => {
      usual ??= intent
      if (intent !== usual) others.set(deviceId, intent)
    },
    of: (deviceId) => {
      const intent = others.get(deviceId) ?? usual
      if (intent === undefined) throw new Error(`no intent for ${deviceId}`)
      return intent
    },
  }
}

/** What devices are called on the target. Few name another one, as relays do: they are looked up once one does. */
interface NewIds {
  readonly of: NewIdOf
  /** From now on the changes tell. */
  settle(changes: readonly DeviceChange[]): void
}

const newIds = ({ select, state }: PlanningInput, devices: readonly SelectableDevice[]): NewIds => {
  const planned = (listed: readonly SelectableDevice[]): NewIdOf => {
    let byId: ReadonlyMap<string, SelectableDevice> | undefined
    return (deviceId) => {
      byId ??= new Map(listed.map((device) => [device.deviceId, device]))
      const device = byId.get(deviceId)
      if (device === undefined) return deviceId
      return pinnedIntent(select(device).intent, state.progress.get(deviceId)).set.deviceId ?? deviceId
    }
  }
  const changed = (changes: readonly DeviceChange[]): NewIdOf => {
    let byId: ReadonlyMap<string, string> | undefined
    return (deviceId) => {
      byId ??= new Map(changes.map(({ device, target }) => [device, target]))
      return byId.get(deviceId) ?? deviceId
    }
  }
  let of = planned(devices)
  return {
    of: (deviceId) => of(deviceId),
    settle: (changes) => {
      of = changed(changes)
    },
  }
}

/** What the state knows of a device that the source does not list any more. */
const knownOf = (progress: DeviceProgress): SelectableDevice =>
  ({ deviceId: progress.device, ...euisOf(progress) }) as SelectableDevice

/** Within one deployment the source's own devices hold the EUIs that will be free when they are deleted there. */
const isNotSource =
  ({ sameDeployment, source }: PlanningInput) =>
  ({ application }: HeldElsewhere): boolean =>
    !sameDeployment || application !== source.identity.application

/** Told in the preview, for an apply would only then refuse. */
const recipientFindings = (
  plan: LoadedPlan['plan'],
  devices: readonly DeviceChange[],
): readonly Diagnostic[] =>
  plan.escrow.recipients.length > 0 || !devices.some((change) => change.steps.includes('escrow'))
    ? []
    : [
        {
          code: 'NoRecipient',
          severity: 'warning',
          message:
            'the plan names no escrow recipient: an apply needs a terminal, or an identity in FERRY_AGE_IDENTITY',
          hint: 'write the public key of ferry escrow keygen into escrow.recipients',
        },
      ]

const listToEnd: typeof listAll = async (network, side, emit) => {
  const devices = await listAll(network, side, emit)
  emit({ event: 'reading.done', side, devices: devices.length })
  return devices
}

interface Reading {
  readonly targetFacts: NetworkFacts
  readonly defaultsFor: Planning['defaultsFor']
  readonly newIdOf: NewIdOf
  readonly holders: ReadonlyMap<string, EuiHolder>
  /** The target's application lists no device at all, and is taken at its word. */
  readonly isTargetEmpty: boolean
  /** Gateways that will be on the target. */
  readonly covering: GatewaysRead['covering']
  readonly keepCarriers?: (source: DeviceRecord) => void
}

/** Above so many devices an empty application is not asked for each of them: four reads a device would take an hour. */
const MANY = 10_000

/**
 * What the target holds under an id. What a registry of an empty application may hold in part all the same, after a
 * delete that failed, an apply finds before it writes there.
 */
const readTarget = (
  { target, state }: PlanningInput,
  device: string,
  targetId: string,
  { isTargetEmpty }: Reading,
): Promise<DeviceRecord> =>
  isTargetEmpty && !state.progress.has(device)
    ? Promise.resolve({ ids: { deviceId: targetId }, registries: {} })
    : target.read(targetId)

const planOne = async (
  input: PlanningInput,
  device: SelectableDevice,
  intent: DeviceIntent,
  reading: Reading,
): Promise<DeviceChange> => {
  const targetId = intent.set.deviceId ?? device.deviceId
  try {
    const [sourceRecord, targetRecord] = await Promise.all([
      input.source.read(device.deviceId),
      readTarget(input, device.deviceId, targetId, reading),
    ])
    reading.keepCarriers?.(sourceRecord)
    const profile = profileOf(completed(sourceRecord, intent))
    const frequencyPlan = intent.set.frequencyPlan ?? profile.frequencyPlan
    const phyVersion = intent.set.lorawanPhyVersion ?? profile.lorawanPhyVersion
    const isKnownPlan =
      reading.targetFacts.frequencyPlans.length === 0 ||
      reading.targetFacts.frequencyPlans.some((plan) => plan.id === frequencyPlan)
    const defaults =
      isKnownPlan && phyVersion !== 'PHY_UNKNOWN'
        ? await reading.defaultsFor(frequencyPlan, phyVersion)
        : { serverAddresses: reading.targetFacts.serverAddresses, newIdOf: reading.newIdOf, macSettings: {} }
    const progress = input.state.progress.get(device.deviceId)
    const change = planDevice({
      source: sourceRecord,
      target: targetRecord,
      progress,
      intent,
      coverage: coverageOf(input, sourceRecord, reading.covering),
      retireAfter: input.loaded.plan.verify.retireAfter,
      joinHosts: input.joinHosts,
      stopsBy: stopsBy(input.source),
      sameDeployment: input.sameDeployment,
      targetFacts: reading.targetFacts,
      defaults,
      queue: await queueOf(input, sourceRecord),
      digestKey: input.digestKey.key,
      now: input.clock(),
    })
    return taken(change, reading.holders) ?? change
  } catch (error) {
    return unreadable(device, targetId, error)
  }
}

/** A device whose gateways go with it is heard by them on the target, whatever the plan says of the others. */
const coverageOf = (
  { loaded }: PlanningInput,
  source: DeviceRecord,
  covering: GatewaysRead['covering'],
): LoadedPlan['plan']['coverage']['gateways'] => {
  const { gateways } = loaded.plan.coverage
  if (covering.size === 0 || gateways === 'on-target') return gateways
  return carriersOf(source).some(({ id }) => covering.has(id)) ? 'moving-now' : gateways
}

/** Only a device with a session can have downlinks in its queue. */
const queueOf = async (
  input: PlanningInput,
  source: DeviceRecord,
): Promise<readonly QueuedDownlink[] | undefined> =>
  source.registries['application-server'] === undefined
    ? undefined
    : await input.source.downlinkQueue(source.ids.deviceId)

/** A device that the state knows and the source does not hold (any more). */
const planGone = async (
  input: PlanningInput,
  progress: DeviceProgress,
  intent: DeviceIntent,
): Promise<DeviceChange> => {
  try {
    const target = await input.target.read(progress.target)
    const { retireAfter } = input.loaded.plan.verify
    return planRetiring({
      progress,
      target,
      policy: intent.policy,
      retireAfter,
      now: input.clock(),
      stopsBy: stopsBy(input.source),
    })
  } catch (error) {
    return unreadable({ deviceId: progress.device }, progress.target, error)
  }
}

const withWave = (change: DeviceChange, { wave }: Selection): DeviceChange =>
  wave === undefined ? change : { ...change, wave }

/** Where the state says that the device is; one that waits longer than the plan allows is told. */
const withStatus = ({ state, loaded, clock }: PlanningInput, change: DeviceChange): DeviceChange => {
  const known = state.progress.get(change.device)
  if (known === undefined) return change
  const { verify } = loaded.plan
  const status = statusOfDevice(known, { ...verify, now: clock() })
  // The state may not know yet that it was heard; the reading of the target does.
  if (status !== 'silent' || change.action !== 'wait' || !change.later.includes('hear'))
    return { ...change, status }
  const message = `the target has not heard it within ${Math.round(silentAfter(known, verify) / 3_600_000)} h of being let go`
  const hint = 'look whether a gateway of the target covers it, or power-cycle it'
  const finding = {
    code: 'NotHeardInTime',
    severity: 'warning',
    message,
    hint,
    subject: { device: change.device },
  } as const
  return { ...change, status, findings: [...change.findings, finding] }
}

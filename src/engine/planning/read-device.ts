import type { DeviceChange } from '../../domain/change-set.ts'
import type { DeviceRecord } from '../../domain/device.ts'
import type { DeviceIntent, LoadedPlan, SelectableDevice, Selection } from '../../domain/migration-plan.ts'
import type { NetworkFacts, QueuedDownlink } from '../../domain/ports.ts'
import { carriersOf } from '../device/carriers.ts'
import { completed } from '../device/completed.ts'
import type { NewIdOf } from '../device/relays.ts'
import { profileOf } from '../device/route.ts'
import { silentAfter } from '../progress/heard.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { statusOfDevice } from '../progress/status.ts'
import { stopsBy } from '../progress/steps.ts'
import type { GatewaysRead } from './gateways.ts'
import { type EuiHolders, taken, unreadable } from './left-alone.ts'
import type { Planning, PlanningInput } from './plan.ts'
import { planDevice } from './plan-device.ts'
import { planRetiring } from './plan-retiring.ts'

interface Reading {
  readonly targetFacts: NetworkFacts
  readonly defaultsFor: Planning['defaultsFor']
  readonly newIdOf: NewIdOf
  readonly holders: readonly EuiHolders[]
  /** The target's application lists no device at all, and is taken at its word. */
  readonly isTargetEmpty: boolean
  /** Gateways that will be on the target. */
  readonly covering: GatewaysRead['covering']
  readonly keepCarriers?: (source: DeviceRecord) => void
}

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

/** Reads one device on both networks, and compares. One that can not be read is blocked alone. */
export const planOne = async (
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
export const planGone = async (
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

export const withWave = (change: DeviceChange, { wave }: Selection): DeviceChange =>
  wave === undefined ? change : { ...change, wave }

/** Where the state says that the device is; one that waits longer than the plan allows is told. */
export const withStatus = ({ state, loaded, clock }: PlanningInput, change: DeviceChange): DeviceChange => {
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

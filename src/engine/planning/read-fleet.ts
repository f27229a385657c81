import type { DeviceChange } from '../../domain/change-set.ts'
import type { DeviceRecord } from '../../domain/device.ts'
import type { DeviceIntent, SelectableDevice } from '../../domain/migration-plan.ts'
import type { HeldElsewhere, NetworkFacts, NetworkPort } from '../../domain/ports.ts'
import { carriersOf } from '../device/carriers.ts'
import { euisOf } from '../device/euis.ts'
import type { NewIdOf } from '../device/relays.ts'
import { isMuted } from '../device/scheduling.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { walk } from '../run/walk.ts'
import { createCompactor } from './compact.ts'
import type { Carried } from './gateway-order.ts'
import { excluded, nameless, strangers } from './left-alone.ts'
import { newIds } from './new-ids.ts'
import type { Planning, PlanningInput } from './plan.ts'
import { pinnedIntent } from './plan-device.ts'
import { planGone, planOne, withStatus, withWave } from './read-device.ts'

/** So often that a reading of minutes is seen to go on, at five devices a second too. */
const TOLD_EVERY = 20

/** Above so many devices an empty application is not asked for each of them: four reads a device would take an hour. */
const MANY = 10_000

/** What of the devices is still needed once each was compared: of a large fleet what was read is not kept. */
export interface FleetRead extends Pick<Planning, 'defaultsFor'> {
  readonly changes: readonly DeviceChange[]
  /** Device ids of the source. */
  readonly listed: ReadonlySet<string>
  readonly intents: Intents
  /** Empty where the plan moves no gateways. */
  readonly carried: readonly Carried[]
}

/** Reads each selected device on both networks, and compares. */
export const readFleet = async (input: PlanningInput): Promise<FleetRead> => {
  const { source, target, emit, state } = input
  const { sourceDevices, targetDevices, targetFacts, gateways } = input.survey
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
  const holders = [targetDevices.holders, strangers(elsewhere.filter(isNotSource(input)))]
  const compact = createCompactor()
  let done = 0
  const read = async (device: SelectableDevice): Promise<void> => {
    const progress = state.progress.get(device.deviceId)
    const selection = input.select(device)
    const intent = pinnedIntent(selection.intent, progress)
    intents.add(device.deviceId, intent)
    // Whoever stays may be heard by a gateway that leaves. Of one that can not be read it is not known.
    if (!selection.selected && keepCarriers !== undefined)
      await source.read(device.deviceId).then(keepCarriers, () => undefined)
    const change = !selection.selected
      ? excluded(device, selection, progress)
      : selection.lacks !== undefined && intent.set.deviceId === undefined
        ? nameless(device, selection.lacks)
        : await planOne(input, device, intent, {
            targetFacts,
            defaultsFor,
            newIdOf: ids.of,
            holders,
            isTargetEmpty: targetDevices.count === 0 && sourceDevices.length > MANY,
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
  return { changes, listed, intents, defaultsFor, carried }
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

/** What the state knows of a device that the source does not list any more. */
const knownOf = (progress: DeviceProgress): SelectableDevice =>
  ({ deviceId: progress.device, ...euisOf(progress) }) as SelectableDevice

/** Within one deployment the source's own devices hold the EUIs that will be free when they are deleted there. */
const isNotSource =
  ({ sameDeployment, source }: PlanningInput) =>
  ({ application }: HeldElsewhere): boolean =>
    !sameDeployment || application !== source.identity.application

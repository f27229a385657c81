import type { DeviceChange } from '../../domain/change-set.ts'
import type { NewCredentials } from '../../domain/credentials.ts'
import type { DeviceIds, DeviceRecord } from '../../domain/device.ts'
import type { DeviceResultStatus } from '../../domain/events.ts'
import type { ErrorRecord, Route, StepName } from '../../domain/journal.ts'
import type { DeviceIntent, SelectableDevice } from '../../domain/migration-plan.ts'
import type { EscrowPort, NetworkPort } from '../../domain/ports.ts'
import { completed } from '../device/completed.ts'
import { type Desired, desiredRecord, type TargetDefaults } from '../device/desired.ts'
import { euisOf } from '../device/euis.ts'
import { profileOf } from '../device/route.ts'
import { isLetGo, stepDone } from '../progress/standing.ts'
import { crossingSteps, stopsBy } from '../progress/steps.ts'
import type { DeviceJournal } from './device-journal.ts'
import type { Ensuring } from './ensure.ts'

/** How far a device came. */
export interface DeviceResult {
  readonly status: DeviceResultStatus
  readonly error?: ErrorRecord
}

/** Everything that the crossing of one device works with. */
export interface CrossingContext {
  readonly change: DeviceChange
  /** In which it begins to cross, where the plan has waves. */
  readonly wave?: string
  readonly intent: DeviceIntent
  readonly intentOf: (device: SelectableDevice) => DeviceIntent
  readonly source: NetworkPort
  readonly target: NetworkPort
  readonly journal: DeviceJournal
  readonly escrow: EscrowPort
  readonly defaultsFor: (frequencyPlan: string, phyVersion: string) => Promise<TargetDefaults>
  readonly retireAfter: number
  /** HMAC key of digests. Another plan may have another: then a crossing that was begun begins again. */
  readonly digestKey: string
  readonly pause: (milliseconds: number) => Promise<void>
  /** A person has said that the device is stopped where it was served (`stoppedByHand`). */
  readonly isConfirmed: () => boolean
  /** The run was asked to end: what has not stopped its source yet ends, the rest goes on until the target speaks. */
  readonly draining: () => boolean
}

/** What single steps need: also those of a rollback, which has no plan of its own for the device. */
export type StepContext = Pick<
  CrossingContext,
  'change' | 'source' | 'target' | 'journal' | 'escrow' | 'pause'
>

export const onTarget = ({ journal, target, pause }: StepContext): Ensuring => ({
  journal,
  network: target,
  side: 'target',
  pause,
})
export const onSource = ({ journal, source, pause }: StepContext): Ensuring => ({
  journal,
  network: source,
  side: 'source',
  pause,
})

/** What the target is to hold, computed from a reading of the source, or from what the escrow holds of it. */
export const desiredFrom = async (
  context: CrossingContext,
  record: DeviceRecord,
  credentials?: NewCredentials,
): Promise<Desired> => {
  const { intent, change, journal } = context
  if (change.route === undefined) throw new Error(`no route for ${change.device}`)
  const source = completed(record, intent)
  const profile = profileOf(source)
  const defaults = await context.defaultsFor(
    intent.set.frequencyPlan ?? profile.frequencyPlan,
    intent.set.lorawanPhyVersion ?? profile.lorawanPhyVersion,
  )
  const progress = journal.progress()
  const livedOnTarget = progress?.livedOnTarget === true || (change.action === 'create' && isLetGo(progress))
  const resetEnded = stepDone(progress, 'end-reset')
  return desiredRecord(source, change.route, intent, defaults, { livedOnTarget, credentials, resetEnded })
}

export const targetIds = ({ change }: Pick<CrossingContext, 'change'>): DeviceIds =>
  ids(change.target, { ...euisOf(change), ...change.becomes })
export const sourceIds = ({ change }: Pick<CrossingContext, 'change'>): DeviceIds =>
  ids(change.device, euisOf(change))

const ids = (deviceId: string, euis: Pick<DeviceChange, 'devEui' | 'joinEui'>): DeviceIds =>
  ({ deviceId, ...euis }) as DeviceIds

/** A step that is no write: done once what it stands for is on the disk. */
export const markDone = ({ journal }: Pick<CrossingContext, 'journal'>, step: StepName): Promise<void> =>
  journal.append({ t: 'outcome', device: journal.device, step, at: journal.now(), status: 'done' })

/** A write that would change nothing. */
export const markAlready = ({ journal }: Pick<CrossingContext, 'journal'>, step: StepName): Promise<void> =>
  journal.append({ t: 'outcome', device: journal.device, step, at: journal.now(), status: 'already' })

/** Whether a registration on the target carries the EUIs that the device has there. */
export const hasIdsOf = (change: DeviceChange, held: DeviceRecord): boolean => {
  const { devEui, joinEui } = targetIds({ change })
  return held.ids.devEui === devEui && held.ids.joinEui === joinEui
}

export const stepsOf = (
  { change, intent, source }: CrossingContext,
  desired: DeviceRecord,
): readonly StepName[] =>
  crossingSteps({
    route: change.route as Route,
    stopsBy: stopsBy(source),
    handover: change.handover,
    hasJoinServer: desired.registries['join-server'] !== undefined,
    policy: intent.policy,
  })

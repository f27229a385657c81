import type { ChangeSet, DeviceChange, FieldChange } from '../../domain/change-set.ts'
import type { Fields } from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import type { Clock, JournalPort, NetworkPort } from '../../domain/ports.ts'
import { deviceJournal } from '../crossing/device-journal.ts'
import { hearing, isOverdue, type Patience } from '../progress/heard.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { type CarrierThere, silenceReasons, silenceWords } from '../progress/silence.ts'
import { isGroupMoved, isHeldByEscrow, isLetGo } from '../progress/standing.ts'
import { walk } from './walk.ts'

/**
 * equal: as planned, nothing to hear (adopted). heard: as planned, and the target heard it. waiting: as planned, not
 * heard yet. silent: not heard within `verify.heardWithin`. joining: a join was accepted, no uplink yet. differs: a setting on the target is not as planned.
 * missing: gone from the target. unfinished: its crossing has not ended. held-by-escrow: the same, and no network serves it.
 */
export type VerifyStatus =
  | 'equal'
  | 'heard'
  | 'waiting'
  | 'silent'
  | 'joining'
  | 'differs'
  | 'missing'
  | 'unfinished'
  | 'held-by-escrow'

export interface VerifyRow {
  readonly device: string
  readonly target: string
  readonly status: VerifyStatus
  /** Time from being let go, in milliseconds; for devices that were not heard. */
  readonly silentFor?: number
  readonly differences: readonly FieldChange[]
  /** What likely keeps the target from hearing it, in words; of silent devices. */
  readonly reasons?: readonly string[]
}

export interface VerifyInput {
  readonly changeSet: ChangeSet
  readonly target: NetworkPort
  readonly progress: Map<string, DeviceProgress>
  /** Undefined: look only, record nothing. */
  readonly journal: JournalPort | undefined
  readonly clock: Clock
  readonly concurrency: number
  /** Of the plan (`verify`). */
  readonly patience: Patience
  readonly isOwnDevAddr: (devAddr: string) => boolean
  /** How a gateway of the source is on the target. */
  readonly lookFor: (carrier: Carrier) => Promise<CarrierThere>
  /** What a look before this one told of devices that nobody has seen since: they are not asked for again. */
  readonly unseen?: ReadonlyMap<string, VerifyRow>
}

/** Compares the target with what was planned, for all devices that the state knows, and records those it hears. */
export const verifyDevices = async (input: VerifyInput): Promise<readonly VerifyRow[]> => {
  const known = input.changeSet.devices.filter((change) => input.progress.has(change.device))
  const rows: VerifyRow[] = []
  await walk(known, input.concurrency, async (change) => {
    rows.push(await verifyOne(input, change))
  })
  const order = new Map(known.map((change, index) => [change.device, index]))
  return rows.sort((a, b) => (order.get(a.device) ?? 0) - (order.get(b.device) ?? 0))
}

const verifyOne = async (input: VerifyInput, change: DeviceChange): Promise<VerifyRow> => {
  const progress = input.progress.get(change.device)
  const row = (status: VerifyStatus, differences: readonly FieldChange[] = []): VerifyRow => ({
    device: change.device,
    target: change.target,
    status,
    ...(progress?.unmutedAt !== undefined && isAwaited(status)
      ? { silentFor: input.clock().getTime() - Date.parse(progress.unmutedAt) }
      : {}),
    differences,
  })
  if (!isHeldByEscrow(progress) && change.findings.some((finding) => finding.code === 'VanishedFromTarget'))
    return row('missing')
  if (change.action === 'blocked' && isLetGo(progress)) return row('differs')
  const writes = change.fields.filter((field) => field.verdict === 'write')
  if (change.action === 'update' && writes.length > 0) return row('differs', writes)
  if (isHeldByEscrow(progress)) return row('held-by-escrow')
  if (progress?.undone === true) return row('unfinished')
  if (progress?.route === undefined || isGroupMoved(progress)) return row('equal')
  if (progress.unmutedAt === undefined) return row('unfinished')
  if (progress.heard !== undefined) return row('heard')
  const isLate = isOverdue(progress, input.patience, input.clock())
  const before = input.unseen?.get(change.device)
  // What became late since is looked into.
  if (before !== undefined && isAwaited(before.status) && !(isLate && before.status === 'waiting'))
    return { ...before, ...row(before.status) }
  const network = await input.target.readSession(change.target)
  const heard = hearing(progress, network)
  if (heard.status === 'joining') return row('joining')
  if (heard.status === 'silent') {
    if (!isLate) return row('waiting')
    return { ...row('silent'), reasons: await lookInto(input, change, progress, network) }
  }
  await recordHeard(input, change.device, heard)
  return row('heard')
}

/** Why a device is silent, for this report and for the next `ferry status`. */
const lookInto = async (
  input: VerifyInput,
  change: DeviceChange,
  progress: DeviceProgress,
  network: Fields | undefined,
): Promise<readonly string[]> => {
  const carriers = await Promise.all((progress.baseline?.heardBy ?? []).map(input.lookFor))
  const reasons = silenceReasons({
    progress,
    network,
    frequencyPlan: change.profile?.frequencyPlan,
    isOwnDevAddr: input.isOwnDevAddr,
    carriers,
  })
  const isNew = reasons.join() !== (progress.silence ?? []).join()
  if (isNew && input.journal !== undefined) {
    const journal = deviceJournal(change.device, input.journal, input.progress, input.clock)
    await journal.fact({ name: 'silent', at: journal.now(), reasons })
  }
  return reasons.map((reason) => silenceWords(reason, progress))
}

/** Nothing is wrong with it on the target; it has to send. */
export const isAwaited = (status: VerifyStatus): boolean =>
  status === 'waiting' || status === 'silent' || status === 'joining'

const recordHeard = async (
  input: VerifyInput,
  device: string,
  heard: { readonly devAddr: string; readonly lastFCntUp: number },
): Promise<void> => {
  if (input.journal === undefined) return
  const journal = deviceJournal(device, input.journal, input.progress, input.clock)
  await journal.append(
    {
      t: 'fact',
      device,
      fact: { name: 'heard', at: journal.now(), devAddr: heard.devAddr, lastFCntUp: heard.lastFCntUp },
    },
    { t: 'outcome', device, step: 'hear', at: journal.now(), status: 'done' },
  )
}

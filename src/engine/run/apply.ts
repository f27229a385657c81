import type { DeviceChange } from '../../domain/change-set.ts'
import { isOpen, opensAt } from '../../domain/change-window.ts'
import type { ApplyCounts, DeviceResultStatus, Emit } from '../../domain/events.ts'
import { countOf } from '../../domain/house-rules.ts'
import type { Digest } from '../../domain/identifiers.ts'
import type { ErrorRecord } from '../../domain/journal.ts'
import type { LoadedPlan } from '../../domain/migration-plan.ts'
import type { Clock, EscrowPort, JournalPort, NetworkPort } from '../../domain/ports.ts'
import { awaitsConfirmation, notConfirmed } from '../crossing/confirmation.ts'
import type { CrossingContext, DeviceResult } from '../crossing/context.ts'
import { cross, staleResult } from '../crossing/crossing.ts'
import { deviceJournal, errorRecord } from '../crossing/device-journal.ts'
import { failureOf } from '../crossing/failure.ts'
import { ensureSourceIsOurs, startSource } from '../crossing/source.ts'
import { adopt, updateSettings } from '../crossing/update.ts'
import { speaks } from '../device/scheduling.ts'
import { awaitedMembers, isGroup } from '../planning/groups.ts'
import type { Planning } from '../planning/plan.ts'
import { HEARD_ON_BOTH } from '../progress/heard.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { isHeldByEscrow } from '../progress/standing.ts'
import { recordedRun } from './recorded-run.ts'
import { walk } from './walk.ts'
import { EVERYBODY, type Gate, nextWave } from './waves.ts'

export interface ApplyInput {
  readonly planning: Planning
  readonly loaded: LoadedPlan
  readonly source: NetworkPort
  readonly target: NetworkPort
  readonly journal: JournalPort
  /** The fold of the state so far; goes on with every record. */
  readonly progress: Map<string, DeviceProgress>
  readonly escrow: EscrowPort
  readonly digestKey: string
  /** Devices that are not what the approved change set shows: left alone. */
  readonly stale: ReadonlySet<string>
  /** Digest of the change set that is carried out: the approved one where there is one. */
  readonly approved: Digest
  readonly run: string
  readonly tool: string
  readonly clock: Clock
  readonly emit: Emit
  /** Whether a person has said that the device is stopped where it was served. */
  readonly isConfirmed: (device: string) => boolean
  /** Devices that are under way at once. */
  readonly concurrency: number
  readonly pause: (milliseconds: number) => Promise<void>
  /** Turns true when the run was asked to end. */
  readonly draining: () => boolean
}

export interface AppliedDevice {
  readonly device: string
  readonly target: string
  readonly status: DeviceResultStatus
  readonly error?: ErrorRecord
}

/**
 * gate: enough of a wave have to be heard before others begin. window: what is left may begin only when it opens (ISO 8601, UTC).
 */
export type Stopped =
  | { readonly by: 'gate'; readonly gate: Gate }
  | { readonly by: 'window'; readonly opensAt: string }
  | { readonly by: 'failures' | 'interrupted' }

export interface ApplyResult {
  readonly counts: ApplyCounts
  /** Every device of the change set apart from excluded ones, in its order. */
  readonly devices: readonly AppliedDevice[]
  /** Why the run ended before all that could be done was done. */
  readonly stopped?: Stopped
}

/** Actions that an apply works on, in the order in which it does: what was begun first, new devices last. */
const ORDER = ['resume', 'retire', 'update', 'adopt', 'create'] as const

/** Whether an apply would write or record anything, given what a person has confirmed. */
export const hasWork = (
  changes: readonly DeviceChange[],
  isConfirmed: ApplyInput['isConfirmed'] = () => false,
): boolean => changes.some((change) => isWorkedOn(change, isConfirmed) || isStranded(change))

const isWorkedOn = (change: DeviceChange, isConfirmed: ApplyInput['isConfirmed']): boolean =>
  ORDER.some((action) => action === change.action) || goesOn(change, isConfirmed)

/** It waited for a word that has come. */
const goesOn = (change: DeviceChange, isConfirmed: ApplyInput['isConfirmed']): boolean =>
  awaitsConfirmation(change) && isConfirmed(change.device)

/** A device that can not go on, and whose source we stopped: it is started again. */
const isStranded = ({ action, steps }: DeviceChange): boolean =>
  action === 'blocked' && steps.includes('start-source')

/**
 * Carries out a change set. One bad device does not stop a fleet: it is reported and the others go on, up to
 * `rollout.maxFailures`. Resumable at every instant; a run that finds nothing to do writes nothing.
 * @throws FerryError `credentials` when a network stops accepting the key, `state-not-written` when the state
 * can't be kept: both at once, with all that was begun left to be resumed.
 */
export const applyChanges = async (input: ApplyInput): Promise<ApplyResult> => {
  const { planning, journal, emit, clock, run } = input
  const { changeSet } = planning
  const results = new Map<string, DeviceResult>()
  if (!hasWork(changeSet.devices, input.isConfirmed)) return summarise(changeSet.devices, results, undefined)
  const opened = { run, command: 'apply', plan: changeSet.plan.digest, changeSet: input.approved } as const
  const result = await recordedRun(
    { journal, clock, again: 'the same command' },
    { ...opened, tool: input.tool },
    async () => {
      emit({
        event: 'apply.started',
        devices: changeSet.devices.filter((change) => isWorkedOn(change, input.isConfirmed)).length,
        run,
      })
      const stopped = await workThrough(input, results)
      const value = summarise(changeSet.devices, results, stopped)
      return { value, isWhole: stopped === undefined && value.counts.failed === 0 }
    },
  )
  emit({ event: 'apply.done', result: result.counts })
  return result
}

const workThrough = async (
  input: ApplyInput,
  results: Map<string, DeviceResult>,
): Promise<Stopped | undefined> => {
  const { planning, loaded, emit } = input
  const { rollout } = loaded.plan
  const due = ORDER.map((action) => planning.changeSet.devices.filter((change) => change.action === action))
  const confirmed = planning.changeSet.devices.filter((change) => goesOn(change, input.isConfirmed))
  const [resumed = [], ...others] = due.slice(0, -1)
  const begun = [...confirmed, ...resumed]
  const changed = others.flat()
  const created = due.at(-1) ?? []
  const failures = countOf(rollout.maxFailures, begun.length + changed.length + created.length)
  // Counted as they come: it is asked for before each device, and of a large fleet a count takes long.
  let failed = 0
  const stop = (): boolean => input.draining() || failed > failures
  const isShut = (): boolean => rollout.window !== undefined && !isOpen(rollout.window, input.clock())
  const stopOrShut = (): boolean => stop() || isShut()
  const work = async (change: DeviceChange, wave?: string): Promise<void> => {
    const result = input.stale.has(change.device)
      ? staleResult('it joined anew on the source after the preview')
      : await workOn(input, change, wave)
    results.set(change.device, result)
    if (result.status === 'failed') failed += 1
    emit({
      event: 'device.done',
      device: change.device,
      status: result.status,
      ...(result.error === undefined ? {} : { error: result.error }),
    })
  }
  // Devices whose source is silent come first, and whatever else fails: no network serves them meanwhile.
  const isSilent = ({ device }: DeviceChange): boolean => isLeftSilent(input.progress.get(device))
  const workAlone = (change: DeviceChange): Promise<void> => work(change)
  await walk(due.flat().filter(isSilent), input.concurrency, workAlone, input.draining)
  await walk(planning.changeSet.devices.filter(isStranded), input.concurrency, workAlone, input.draining)
  // A group that was begun goes on: its source can not send to it any more.
  await walk(begun.filter(isLeft(results)), input.concurrency, workAlone, stop)
  // Nothing else is begun outside of the change window.
  await walk(changed.filter(isLeft(results)), input.concurrency, workAlone, stopOrShut)
  const gate = await workNew(input, created, results, work, stopOrShut)
  // Groups come after the last of their members.
  await walk(
    created.filter(isGroup).filter(isLeft(results)),
    input.concurrency,
    (group) => workGroup(input, group, results, work),
    stopOrShut,
  )
  if (input.draining()) return { by: 'interrupted' }
  if (failed > failures) return { by: 'failures' }
  if (rollout.window !== undefined && isShut() && [...changed, ...created].some(isLeft(results)))
    return { by: 'window', opensAt: opensAt(rollout.window, input.clock()).toISOString() }
  return gate === undefined ? undefined : { by: 'gate', gate }
}

const isLeft =
  (results: ReadonlyMap<string, DeviceResult>) =>
  ({ device }: DeviceChange): boolean =>
    !results.has(device)

/** New devices, in waves; answers what those wait for that did not begin. */
const workNew = async (
  input: ApplyInput,
  all: readonly DeviceChange[],
  results: ReadonlyMap<string, DeviceResult>,
  work: (change: DeviceChange, wave?: string) => Promise<void>,
  stop: () => boolean,
): Promise<Gate | undefined> => {
  const { planning, loaded, emit } = input
  while (!stop()) {
    const wave = nextWave(planning.changeSet.devices, input.progress, loaded.plan.rollout)
    const devices = wave.devices.filter(isLeft(results))
    if (devices.length === 0) {
      const waiting = all.filter(isLeft(results)).some((change) => !isGroup(change))
      return waiting ? wave.gate : undefined
    }
    emit({ event: 'wave.started', wave: wave.name, devices: devices.length })
    const named = wave.name === EVERYBODY ? undefined : wave.name
    await walk(devices, input.concurrency, (change) => work(change, named), stop)
  }
  return undefined
}

/** A group waits while devices that may listen to it have not crossed: it would fall silent for them. */
const workGroup = async (
  input: ApplyInput,
  group: DeviceChange,
  results: Map<string, DeviceResult>,
  work: (change: DeviceChange) => Promise<void>,
): Promise<void> => {
  const awaited = awaitedMembers(group, input.planning.changeSet.devices, input.progress)
  if (awaited.length === 0) return work(group)
  const message = `${awaited.length} of class B or C on its frequency plan have not crossed yet, such as ${awaited[0]?.device}`
  const result: DeviceResult = {
    status: 'deferred',
    error: {
      code: 'MembersFirst',
      message,
      hint: 'run again once they have, or exclude those that do not listen to it',
    },
  }
  results.set(group.device, result)
  input.emit({ event: 'device.done', device: group.device, ...result })
}

/** We stopped or deleted its source, and its target does not speak yet. */
const isLeftSilent = (progress: DeviceProgress | undefined): boolean =>
  isHeldByEscrow(progress) || (progress?.sourceScheduling !== undefined && progress.unmutedAt === undefined)

const workOn = async (
  input: ApplyInput,
  change: DeviceChange,
  wave: string | undefined,
): Promise<DeviceResult> => {
  const context = contextOf(input, change, wave)
  if (isStranded(change)) return orFailed(startAgain(context))
  if (change.action === 'update' || change.action === 'adopt') {
    const result = await orFailed(settings(context))
    const hasMore = change.steps.some((step) => !step.startsWith('update-'))
    return result.error === undefined && hasMore ? cross(context) : result
  }
  return cross(context)
}

/** A failure of one device is its result; one that ends the run is thrown. */
const orFailed = async (work: Promise<DeviceResult>): Promise<DeviceResult> => {
  try {
    return await work
  } catch (error) {
    const failure = failureOf(error)
    if (failure === undefined) throw error
    return { status: 'failed', error: failure }
  }
}

const settings = async (context: CrossingContext): Promise<DeviceResult> => {
  const done = await (context.change.action === 'adopt' ? adopt(context) : updateSettings(context))
  if (done === 'stale') return staleResult('its settings changed on the source after the preview')
  return { status: context.change.action === 'adopt' ? 'adopted' : 'updated' }
}

const startAgain = async (context: CrossingContext): Promise<DeviceResult> => {
  await ensureSourceIsOurs(context, 'start-source')
  if (!speaks(await context.target.read(context.change.target))) await startSource(context)
  const blocked = untouched(context.change)?.error
  if (blocked === undefined) return { status: 'blocked' }
  const message = `${blocked.message}; its source was started again and serves it`
  return { status: 'blocked', error: { ...blocked, message } }
}

const contextOf = (input: ApplyInput, change: DeviceChange, wave: string | undefined): CrossingContext => {
  return {
    change,
    ...(wave === undefined ? {} : { wave }),
    intent: input.planning.intentBy(change.device),
    intentOf: input.planning.intentOf,
    source: input.source,
    target: input.target,
    journal: deviceJournal(change.device, input.journal, input.progress, input.clock, input.emit),
    escrow: input.escrow,
    defaultsFor: input.planning.defaultsFor,
    retireAfter: input.loaded.plan.verify.retireAfter,
    digestKey: input.digestKey,
    isConfirmed: () => input.isConfirmed(change.device),
    pause: input.pause,
    draining: input.draining,
  }
}

const NO_COUNTS: ApplyCounts = {
  migrated: 0,
  waiting: 0,
  updated: 0,
  adopted: 0,
  failed: 0,
  deferred: 0,
  stale: 0,
  blocked: 0,
  skipped: 0,
}

const summarise = (
  changes: readonly DeviceChange[],
  results: ReadonlyMap<string, DeviceResult>,
  stopped: Stopped | undefined,
): ApplyResult => {
  const counts: Record<DeviceResultStatus, number> = { ...NO_COUNTS }
  const devices: AppliedDevice[] = []
  for (const change of changes) {
    const result = results.get(change.device) ?? untouched(change)
    if (result === undefined) continue
    counts[result.status] += 1
    devices.push({ device: change.device, target: change.target, ...result })
  }
  return { counts, devices, ...(stopped === undefined ? {} : { stopped }) }
}

/** What a device that was not worked on counts as; excluded and gone ones are not counted. */
const untouched = (change: DeviceChange): DeviceResult | undefined => {
  switch (change.action) {
    case 'excluded':
    case 'gone':
      return undefined
    case 'done':
      return { status: 'migrated' }
    case 'wait':
      if (change.findings.some(({ code }) => code === HEARD_ON_BOTH.code))
        return { status: 'deferred', error: HEARD_ON_BOTH }
      return awaitsConfirmation(change) ? notConfirmed : { status: 'waiting' }
    case 'blocked': {
      const finding = change.findings.find((item) => item.severity === 'error')
      return finding === undefined
        ? { status: 'blocked' }
        : { status: 'blocked', error: errorRecord(finding) }
    }
    case 'create':
    case 'resume':
    case 'update':
    case 'adopt':
    case 'retire':
      return { status: 'skipped' }
  }
}

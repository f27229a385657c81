import type { DeviceChange } from '../../domain/change-set.ts'
import type { Registry } from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import {
  type ErrorRecord,
  type JournalRecord,
  RETIRE_STEPS,
  type Route,
  type SilenceReason,
  type StepName,
  type TargetEuis,
} from '../../domain/journal.ts'
import type { EscrowPlace, EscrowStage } from '../../domain/ports.ts'
import { remembered } from '../../domain/remembered.ts'
import { euisOf } from '../device/euis.ts'

/** What a step came to, as far as the journal tells; an intent without outcome is `unknown`. */
type StepStatus = 'done' | 'failed' | 'unknown'

/** What the state knows of one device: the fold of its records. */
export interface DeviceProgress {
  /** Device id on the source. */
  readonly device: string
  readonly target: string
  readonly devEui?: string
  readonly joinEui?: string
  /** Undefined for a device that was adopted or only updated. */
  readonly route?: Route
  readonly handover?: 'delete-first'
  /** In which it crossed, where the plan has waves. */
  readonly wave?: string
  readonly becomes?: TargetEuis
  /** Registries of the target that held the device before it crossed, by others. */
  readonly adopts: readonly Registry[]
  readonly steps: { readonly [S in StepName]?: StepStatus }
  /** Registered on the target by an attempt before this one, and not taken back. */
  readonly registeredBefore: boolean
  /** The target was let go in a crossing before this one: what it counted then is lost with its registration. */
  readonly livedOnTarget: boolean
  readonly escrow: { readonly A?: EscrowPlace; readonly B?: EscrowPlace; readonly T?: EscrowPlace }
  /** `schedule_downlinks` of the source before we muted it; undefined: we did not touch it. */
  readonly sourceScheduling?: boolean | null
  readonly sourceKeys?: { readonly session: string | null; readonly rootKeys: string | null }
  readonly baseline?: {
    readonly lastFCntUp: number
    readonly devAddr: string | null
    readonly sourceDevAddr: string | null
    readonly startedAt?: string
    readonly interval?: number
    readonly heardBy?: readonly Carrier[]
  }
  /** What is likely the cause that it was not heard in time, when that was last looked into. */
  readonly silence?: readonly SilenceReason[]
  readonly credentials?: EscrowPlace & { readonly rootKeys: string | null; readonly session: string | null }
  readonly sourceCounters?: { readonly lastAFCntDown: number; readonly lastNFCntDown: number }
  readonly copiedDownlinks?: number
  /** The target refused the import for good after the source was deleted: the source gets the device back. */
  readonly importRefused?: ErrorRecord
  /** When a rollback began that has not ended. */
  readonly rollbackAt?: string
  readonly unmutedAt?: string
  readonly resetHeard?: string
  readonly heard?: { readonly at: string; readonly devAddr: string; readonly lastFCntUp: number }
  readonly applied?: Readonly<Record<string, string>>
  /** It was taken back: the source is as it was, and serves it. */
  readonly undone?: true
  readonly deferred?: { readonly at: string; readonly code: string; readonly message: string }
  readonly lastError?: ErrorRecord
  /** When the last record of the device was written. */
  readonly at?: string
}

export type Progress = ReadonlyMap<string, DeviceProgress>

const NOTHING: readonly Registry[] = []

const fresh = (device: string): DeviceProgress => ({
  device,
  target: device,
  steps: {},
  registeredBefore: false,
  livedOnTarget: false,
  adopts: NOTHING,
  escrow: {},
})

/** Steps after which the target knows something of the device that we wrote. */
const TARGET_WRITES: readonly StepName[] = ['create-identity', 'set-join', 'set-application', 'set-network']

/** Built anew and not deleted from: V8 gives an object that something was deleted from a shape of its own, larger than itself. */
const omit = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  if (!keys.some((key) => key in value)) return value
  const kept: Partial<T> = {}
  for (const key of Object.keys(value) as (keyof T)[]) if (!keys.includes(key as K)) kept[key] = value[key]
  return kept as Omit<T, K>
}

/** Devices of a fleet come to the same steps, and have much else in common: what is equal is kept once. */
const sameSteps = remembered((text: string) => JSON.parse(text) as DeviceProgress['steps'])
const shared = (steps: DeviceProgress['steps']): DeviceProgress['steps'] => sameSteps(JSON.stringify(steps))
const sameText = remembered((text: string) => text)

/** One record applied to what is known of its device. Pure; records that name no device change nothing. */
export const advance = (
  progress: DeviceProgress | undefined,
  record: JournalRecord,
): DeviceProgress | undefined => {
  if (record.t === 'open' || record.t === 'close') return progress
  const known = progress ?? fresh(record.device)
  switch (record.t) {
    case 'begin':
      // What was done to the source, and whose the target's records are, outlives a new beginning.
      return {
        ...omit(known, ...VOID_AT_BEGIN),
        target: record.target === known.device ? known.device : record.target,
        ...euisOf(record),
        route: record.route,
        ...(record.handover === undefined ? {} : { handover: record.handover }),
        ...(record.becomes === undefined ? {} : { becomes: record.becomes }),
        ...(record.wave === undefined ? {} : { wave: record.wave }),
        adopts:
          record.adopts === undefined ? known.adopts : [...new Set([...known.adopts, ...record.adopts])],
        registeredBefore: isOurs(known),
        livedOnTarget: known.livedOnTarget || isLetGo(known),
        steps: {},
        escrow: {},
        at: record.at,
      }
    case 'intent':
      return {
        ...known,
        // Written a second time: a refusal of this one says nothing of the one before.
        registeredBefore: known.registeredBefore || isWrittenAgain(known, record.step),
        steps: shared({ ...begun(known, record.step), [record.step]: 'unknown' }),
      }
    case 'outcome': {
      const status: StepStatus = record.status === 'already' ? 'done' : record.status
      return {
        ...omit(known, 'lastError'),
        steps: shared({
          ...(status === 'done' ? taken(known.steps, record.step) : known.steps),
          [record.step]: status,
        }),
        at: record.at,
        ...(record.step === 'unmute-target' && status === 'done' ? { unmutedAt: record.at } : {}),
        ...(record.error === undefined ? {} : { lastError: record.error }),
      }
    }
    case 'undone':
      return {
        ...fresh(record.device),
        target: known.target,
        livedOnTarget: record.returned !== true && (known.livedOnTarget || isLetGo(known)),
        // Whoever programs devices may have them already: another attempt uses the same.
        ...(known.credentials === undefined ? {} : { credentials: known.credentials }),
        at: record.at,
        undone: true,
        ...(record.error === undefined ? {} : { lastError: record.error }),
      }
    case 'fact':
      return withFact(known, record.fact)
  }
}

/** What a crossing that begins again does not know any more. */
const VOID_AT_BEGIN = [
  'handover',
  'becomes',
  'baseline',
  'sourceCounters',
  'copiedDownlinks',
  'importRefused',
  'unmutedAt',
  'resetHeard',
  'heard',
  'deferred',
  'silence',
  'lastError',
  'sourceKeys',
  'undone',
  'applied',
] as const

const HANDOVER: readonly StepName[] = [
  'read-again',
  'check-escrow',
  'final-network',
  'final-start-time',
  'final-join',
  'final-application',
  'copy-downlinks',
]

/** Steps that say nothing any more once another is tried: a source that speaks again counts on by itself. */
const VOIDS: { readonly [S in StepName]?: readonly StepName[] } = {
  'stop-source': HANDOVER,
  'start-source': ['compare', 'stop-source', ...HANDOVER],
  'undo-network': ['compare'],
  'undo-application': ['compare'],
  'undo-join': ['compare'],
  'undo-identity': ['compare'],
}

/** What an undo step takes back: not known while it is tried, and not done once it worked. */
const TAKES_BACK: { readonly [S in StepName]?: StepName } = {
  'undo-network': 'set-network',
  'undo-application': 'set-application',
  'undo-join': 'set-join',
  'undo-identity': 'create-identity',
}

const isWrittenAgain = (known: DeviceProgress, step: StepName): boolean =>
  TARGET_WRITES.includes(step) && stepDone(known, step)

const begun = (known: DeviceProgress, step: StepName): DeviceProgress['steps'] => {
  const takenBack = TAKES_BACK[step]
  // The target was let go: what was handed over stays so, whatever is done to the source.
  const left = isLetGo(known) ? known.steps : omit(known.steps, ...(VOIDS[step] ?? []))
  return takenBack === undefined ? left : { ...left, [takenBack]: 'unknown' }
}

const taken = (steps: DeviceProgress['steps'], step: StepName): DeviceProgress['steps'] => {
  const takenBack = TAKES_BACK[step]
  return takenBack === undefined ? steps : omit(steps, takenBack, step)
}

/** The registration on the target is of our making, wholly or in part. */
export const isOurs = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined &&
  (progress.registeredBefore ||
    TARGET_WRITES.some((step) => progress.steps[step] === 'done' || progress.steps[step] === 'unknown'))

/** Its crossing has changed something that it has to be carried on from: on the target, or its source, which is silent. */
export const isUnderWay = (progress: DeviceProgress | undefined): progress is DeviceProgress =>
  isOurs(progress) || progress?.sourceScheduling !== undefined || isSourceEnding(progress)

/** Its source was stopped by us and nothing more: it can be started again, and serves the device as before. */
export const isOnlyStopped = (progress: DeviceProgress | undefined): boolean =>
  progress?.sourceScheduling !== undefined &&
  progress.rollbackAt === undefined &&
  progress.importRefused === undefined &&
  !isLetGo(progress) &&
  !isSourceEnding(progress)

/** What a change tells of a device whose source is no measure of it: as its crossing began. */
export const changeBegun = (
  progress: DeviceProgress,
): Pick<DeviceChange, 'device' | 'target' | 'devEui' | 'joinEui' | 'route' | 'handover' | 'becomes'> => {
  const { device, target, route, handover, becomes } = progress
  return {
    device,
    target,
    ...euisOf(progress),
    ...(route === undefined ? {} : { route }),
    ...(handover === undefined ? {} : { handover }),
    ...(becomes === undefined ? {} : { becomes }),
  }
}

/** The target held something of the device that we wrote, confirmed. */
export const wasOnTarget = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined &&
  (progress.registeredBefore || TARGET_WRITES.some((step) => progress.steps[step] === 'done'))

const STAGES: readonly EscrowStage[] = ['A', 'B', 'T']

/** Built anew in one order: spread and extended, each device's object would have a shape of its own. */
const withPlace = (
  escrow: DeviceProgress['escrow'],
  { stage, file, line }: EscrowPlace & { readonly stage: EscrowStage },
): DeviceProgress['escrow'] => {
  const places: { -readonly [S in EscrowStage]?: EscrowPlace } = {}
  for (const each of STAGES) {
    const place = each === stage ? { file: sameText(file), line } : escrow[each]
    if (place !== undefined) places[each] = place
  }
  return places
}

const withFact = (
  known: DeviceProgress,
  fact: Extract<JournalRecord, { t: 'fact' }>['fact'],
): DeviceProgress => {
  switch (fact.name) {
    case 'escrow':
      return { ...known, escrow: withPlace(known.escrow, fact) }
    case 'source-scheduling':
      return { ...known, sourceScheduling: fact.value }
    case 'source-started':
      return omit(known, 'sourceScheduling')
    case 'restored':
      // The source holds the device again, as before it was retired or its keys were replaced.
      return { ...known, steps: omit(known.steps, 'prevent-rejoin', ...RETIRE_STEPS) }
    case 'source-keys':
      return { ...known, sourceKeys: { session: fact.session, rootKeys: fact.rootKeys } }
    case 'baseline':
      return {
        ...known,
        baseline: {
          lastFCntUp: fact.lastFCntUp,
          devAddr: fact.devAddr,
          sourceDevAddr: fact.sourceDevAddr,
          ...(fact.startedAt === undefined ? {} : { startedAt: fact.startedAt }),
          ...(fact.interval === undefined ? {} : { interval: fact.interval }),
          ...(fact.heardBy === undefined ? {} : { heardBy: fact.heardBy }),
        },
      }
    case 'silent':
      return { ...known, silence: fact.reasons }
    case 'heard':
      return {
        ...omit(known, 'silence'),
        heard: { at: fact.at, devAddr: fact.devAddr, lastFCntUp: fact.lastFCntUp },
      }
    case 'applied':
      return {
        ...known,
        applied: Object.fromEntries(
          Object.entries(fact.settings).map(([field, digest]) => [sameText(field), sameText(digest)]),
        ),
      }
    case 'credentials': {
      const { file, line, rootKeys, session } = fact
      return { ...known, credentials: { file, line, rootKeys, session } }
    }
    case 'source-counters':
      return {
        ...known,
        sourceCounters: { lastAFCntDown: fact.lastAFCntDown, lastNFCntDown: fact.lastNFCntDown },
      }
    case 'copied-downlinks':
      return { ...known, copiedDownlinks: fact.count }
    case 'import-refused':
      return { ...known, importRefused: fact.error }
    case 'rollback-begun':
      return { ...known, rollbackAt: fact.at }
    case 'reset-heard':
      return { ...known, resetHeard: fact.at }
    case 'deferred':
      return { ...known, deferred: { at: fact.at, code: fact.code, message: fact.message } }
  }
}

/** What a whole state file says of every device, by device id on the source. */
export const foldState = (records: Iterable<JournalRecord>): Map<string, DeviceProgress> => {
  const progress = new Map<string, DeviceProgress>()
  for (const record of records) foldRecord(progress, record)
  return progress
}

/** One record more. */
export const foldRecord = (progress: Map<string, DeviceProgress>, record: JournalRecord): void => {
  if (record.t === 'open' || record.t === 'close') return
  const next = advance(progress.get(record.device), record)
  if (next !== undefined) progress.set(record.device, next)
}

export const stepDone = (progress: DeviceProgress | undefined, step: StepName): boolean =>
  progress?.steps[step] === 'done'

/** The target was, or may have been, let go: from here on nobody writes its session, counters or MAC state. */
export const isLetGo = (progress: DeviceProgress | undefined): boolean => {
  const unmute = progress?.steps['unmute-target']
  return unmute === 'done' || unmute === 'unknown'
}

/** A group that is on the target alone: it is never heard. */
export const isGroupMoved = (progress: DeviceProgress | undefined): boolean =>
  progress?.route === 'multicast' && stepDone(progress, 'delete-identity')

/** The source's root keys were, or may have been, replaced: they say nothing about the device any more. */
export const rootKeysReplaced = (progress: DeviceProgress | undefined): boolean =>
  progress?.steps['prevent-rejoin'] !== undefined

/** Steps after which the source does not tell any more what the device is. */
const ENDS_SOURCE: readonly StepName[] = ['clear-source', ...RETIRE_STEPS]

/** The source is being deleted or cleared of its keys, or is: what it holds is no measure of the device any more. */
export const isSourceEnding = (progress: DeviceProgress | undefined): boolean =>
  progress !== undefined &&
  ENDS_SOURCE.some((step) => progress.steps[step] === 'done' || progress.steps[step] === 'unknown')

/** The source was, or is being, deleted before the target holds the device: the escrow alone has all of it. */
export const isHeldByEscrow = (progress: DeviceProgress | undefined): boolean =>
  progress?.handover === 'delete-first' && isSourceEnding(progress) && !stepDone(progress, 'compare')

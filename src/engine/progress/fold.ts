import type { Registry } from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import type { JournalRecord, StepName } from '../../domain/journal.ts'
import type { EscrowPlace, EscrowStage } from '../../domain/ports.ts'
import { remembered } from '../../domain/remembered.ts'
import { euisOf } from '../device/euis.ts'
import { AFTER, afterIntent, afterRestore, NO_STEPS } from './after-step.ts'
import { omit } from './omit.ts'
import type { DeviceProgress, StepStatus } from './progress.ts'
import { isLetGo, isOurs, stepDone, TARGET_WRITES } from './standing.ts'

/** Devices of a fleet have much in common: what is equal is kept once. */
const NOTHING: readonly Registry[] = []
const sameText = remembered((text: string) => text)
const sameGateways = remembered((text: string) => JSON.parse(text) as readonly Carrier[])

const fresh = (device: string): DeviceProgress => ({
  device,
  target: device,
  steps: NO_STEPS,
  registeredBefore: false,
  livedOnTarget: false,
  adopts: NOTHING,
  escrow: {},
})

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
        steps: NO_STEPS,
        escrow: {},
        at: record.at,
      }
    case 'intent':
      return {
        ...known,
        // Written a second time: a refusal of this one says nothing of the one before.
        registeredBefore: known.registeredBefore || isWrittenAgain(known, record.step),
        steps: afterIntent(known.steps)(record.step),
      }
    case 'outcome': {
      const status: StepStatus = record.status === 'already' ? 'done' : record.status
      return {
        ...omit(known, 'lastError'),
        steps: AFTER[status](known.steps)(record.step),
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

const isWrittenAgain = (known: DeviceProgress, step: StepName): boolean =>
  TARGET_WRITES.includes(step) && stepDone(known, step)

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
      return { ...known, steps: afterRestore(known.steps) }
    case 'source-keys':
      return { ...known, sourceKeys: { session: fact.session, rootKeys: fact.rootKeys } }
    case 'baseline':
      return {
        ...known,
        baseline: {
          lastFCntUp: fact.lastFCntUp,
          devAddr: fact.devAddr,
          sourceDevAddr: fact.sourceDevAddr === fact.devAddr ? fact.devAddr : fact.sourceDevAddr,
          ...(fact.startedAt === undefined ? {} : { startedAt: fact.startedAt }),
          ...(fact.interval === undefined ? {} : { interval: fact.interval }),
          ...(fact.heardBy === undefined ? {} : { heardBy: sameGateways(JSON.stringify(fact.heardBy)) }),
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

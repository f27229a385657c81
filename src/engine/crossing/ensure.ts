import type { DeviceIds, DeviceRecord, Registry } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { ErrorRecord, Side, StepName } from '../../domain/journal.ts'
import type { NetworkPort, RegistryWrite } from '../../domain/ports.ts'
import { sameValue } from '../device/records.ts'
import { type DeviceJournal, errorRecord } from './device-journal.ts'

/** A step that did not come about, for this device. What to do about it is decided by where in the crossing it is. */
export class StepFailure extends Error {
  readonly step: StepName
  readonly error: ErrorRecord
  /** The network said no, or what it holds does: trying again as it is would come to the same. */
  readonly isDefinite: boolean

  constructor(step: StepName, error: ErrorRecord, { isDefinite = true } = {}) {
    super(error.message)
    this.name = 'StepFailure'
    this.step = step
    this.error = error
    this.isDefinite = isDefinite
  }
}

/** How often a write whose outcome is unknown is looked into and tried again. */
const ATTEMPTS = 3
/** Milliseconds before looking, doubled each time: a server that fell over needs a moment. */
const FIRST_PAUSE = 500

export interface Ensuring {
  readonly journal: DeviceJournal
  readonly network: NetworkPort
  readonly side: Side
  readonly pause: (milliseconds: number) => Promise<void>
}

/** Whether a registry holds what a write asked for: each field the same, each cleared path absent. */
export const isApplied = (record: DeviceRecord, write: RegistryWrite): boolean => {
  const held = record.registries[write.registry]
  if (held === undefined) return false
  return (
    Object.entries(write.fields).every(([path, value]) => sameValue(path, held[path], value)) &&
    (write.clear ?? []).every((path) => sameValue(path, held[path], undefined))
  )
}

/**
 * Carries out one write: intent on the disk, call, outcome on the disk. When it is not known whether a write had
 * its effect (no answer, or an earlier run ended in between), the registry is read before anything is sent again.
 * `applied` tells from a reading whether it had; the default compares every field.
 * @throws StepFailure when the network refuses; NetworkError when credentials are refused.
 */
export const ensureWrite = async (
  { journal, network, side, pause }: Ensuring,
  step: StepName,
  write: RegistryWrite,
  applied: (record: DeviceRecord) => boolean = (record) => isApplied(record, write),
): Promise<void> => {
  const verb = write.create === true ? 'create' : 'set'
  const paths = [...Object.keys(write.fields), ...(write.clear ?? [])]
  const look = async (): Promise<boolean> => applied(await network.read(write.ids.deviceId))
  await ensure(
    { journal, side, pause },
    { step, registry: write.registry, verb, paths, look, send: () => network.write(write) },
  )
}

/** Deletes a device on one registry; not found is done. */
export const ensureRemoved = async (
  { journal, network, side, pause }: Ensuring,
  step: StepName,
  registry: Registry,
  ids: DeviceIds,
): Promise<void> => {
  // A delete can be sent again without reading: a second one finds nothing.
  const send = async (): Promise<void> => void (await network.remove(registry, ids))
  await ensure(
    { journal, side, pause },
    { step, registry, verb: 'delete', paths: [], look: async () => false, send },
  )
}

/** One call that changes something, and how to tell whether it already has. */
export interface Call {
  readonly step: StepName
  readonly registry: Registry
  readonly verb: 'create' | 'set' | 'delete'
  readonly paths: readonly string[]
  readonly look: () => Promise<boolean>
  readonly send: () => Promise<void>
}

/** As `ensureWrite`, for any call. */
export const ensure = async (
  { journal, side, pause }: Omit<Ensuring, 'network'>,
  call: Call,
): Promise<void> => {
  const { device } = journal
  const { step } = call
  const outcome = (status: 'done' | 'already' | 'failed' | 'unknown', error?: ErrorRecord): Promise<void> =>
    journal.append({
      t: 'outcome',
      device,
      step,
      at: journal.now(),
      status,
      ...(error === undefined ? {} : { error }),
    })
  let maybeApplied = journal.progress()?.steps[step] === 'unknown'
  if (maybeApplied && (await call.look())) return outcome('already')
  for (let attempt = 1; ; attempt++) {
    await journal.append({
      t: 'intent',
      device,
      step,
      side,
      registry: call.registry,
      verb: call.verb,
      paths: call.paths,
    })
    try {
      await call.send()
      return await outcome('done')
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      const record = errorRecord({
        ...error,
        message: error.message,
        correlationId: error.fault.correlationId,
      })
      // "Already there" after an attempt that may have worked is our own work, seen late.
      const isLate = error.fault.status === 409 && maybeApplied && (await call.look())
      if (isLate) return await outcome('already')
      // A refusal says nothing about an attempt before it that may have worked.
      const isDefinite = error.fault.effect === 'none' && !maybeApplied
      await outcome(isDefinite ? 'failed' : 'unknown', record)
      if (error.refusesCredentials) throw error
      if (error.fault.effect === 'none' || attempt === ATTEMPTS) {
        throw new StepFailure(step, record, { isDefinite: error.fault.effect === 'none' })
      }
      maybeApplied = true
      await pause(FIRST_PAUSE * 2 ** (attempt - 1))
      if (await call.look()) return outcome('already')
    }
  }
}

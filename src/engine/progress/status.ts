import type { ErrorRecord } from '../../domain/journal.ts'
import { isOverdue } from './heard.ts'
import { type DeviceProgress, deletesBegun, isLetGo, isOurs, type Progress, stepDone } from './progress.ts'

/**
 * Where a device is, from the state alone: crossing (begun, its target muted), waiting (the target serves it, not
 * heard yet), silent (not heard within `verify.heardWithin`), heard, retired (deleted on the source), adopted (the
 * target held it before), failed (taken back, or its last step failed), deferred (left for a later run).
 */
export type DeviceStatus =
  | 'crossing'
  | 'waiting'
  | 'silent'
  | 'heard'
  | 'retired'
  | 'adopted'
  | 'failed'
  | 'deferred'

/** When a device that waits counts as silent. */
export interface Deadline {
  /** Milliseconds from being let go. */
  readonly heardWithin: number
  readonly now: Date
}

export interface StatusRow {
  readonly device: string
  readonly target: string
  readonly devEui?: string
  readonly status: DeviceStatus
  /** What comes next, in words. */
  readonly next: string
  readonly since?: string
  readonly error?: ErrorRecord
}

/** One row a device, in the order in which they were first touched. */
export const statusRows = (progress: Progress, deadline: Deadline): readonly StatusRow[] =>
  [...progress.values()].map((device) => rowOf(device, deadline))

const rowOf = (device: DeviceProgress, deadline: Deadline): StatusRow => {
  const status = statusOfDevice(device, deadline)
  return {
    device: device.device,
    target: device.target,
    ...(device.devEui === undefined ? {} : { devEui: device.devEui }),
    status,
    next: nextWords(device, status),
    ...(device.at === undefined ? {} : { since: device.at }),
    ...(device.lastError === undefined ? deferral(device) : { error: device.lastError }),
  }
}

const deferral = ({ deferred }: DeviceProgress): { readonly error?: ErrorRecord } =>
  deferred === undefined ? {} : { error: { code: deferred.code, message: deferred.message } }

/** Where one device is; see `DeviceStatus`. */
export const statusOfDevice = (device: DeviceProgress, { heardWithin, now }: Deadline): DeviceStatus => {
  if (device.heard !== undefined) return stepDone(device, 'delete-identity') ? 'retired' : 'heard'
  if (device.unmutedAt !== undefined) return isOverdue(device, heardWithin, now) ? 'silent' : 'waiting'
  if (stepDone(device, 'delete-identity')) return 'crossing'
  if (device.lastError !== undefined) return 'failed'
  if (device.deferred !== undefined) return 'deferred'
  return device.route === undefined ? 'adopted' : 'crossing'
}

const nextWords = (device: DeviceProgress, status: DeviceStatus): string => {
  switch (status) {
    case 'crossing':
      return device.sourceScheduling === undefined
        ? 'ferry apply goes on; as far as the state knows, its source still serves it'
        : 'its source is silent: run ferry apply again to go on'
    case 'waiting':
      return 'wait until the target hears it: ferry verify --wait'
    case 'silent':
      return 'look at its gateways, or power-cycle it; then: ferry verify --wait'
    case 'heard':
      return deletesBegun(device)
        ? 'ferry apply finishes its retirement'
        : 'nothing, or its retirement when it is due'
    case 'retired':
    case 'adopted':
      return 'nothing'
    case 'failed':
      return isOurs(device) || isLetGo(device)
        ? 'run ferry apply again to go on'
        : 'its source still serves it; run ferry apply again when the cause is mended'
    case 'deferred':
      return 'run ferry apply again later'
  }
}

import { type ErrorRecord, NOT_CONFIRMED } from '../../domain/journal.ts'
import { isStoppedRoute } from '../device/route.ts'
import { isOverdue, type Patience } from './heard.ts'
import type { DeviceProgress, Progress } from './progress.ts'
import { silenceWords } from './silence.ts'
import { isGroupMoved, isHeldByEscrow, isLetGo, isOurs, isSourceEnding, stepDone } from './standing.ts'

/**
 * Where a device is, from the state alone: held-by-escrow (deleted on the source, not on the target yet: no network
 * serves it), rolling-back (a rollback has begun), crossing (begun, its target muted), waiting (the target serves it, not
 * heard yet), silent (not heard within `verify.heardWithin`), heard, retired (served by the target, deleted on the
 * source), adopted (the target held it before), undone (taken back: the source serves it as before), failed (taken back, or its last step failed), deferred (left for a later run).
 */
export type DeviceStatus =
  | 'held-by-escrow'
  | 'rolling-back'
  | 'crossing'
  | 'waiting'
  | 'silent'
  | 'heard'
  | 'retired'
  | 'adopted'
  | 'undone'
  | 'failed'
  | 'deferred'

/** When a device that waits counts as silent. */
export interface Deadline extends Patience {
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
    ...(status === 'silent'
      ? silence(device)
      : device.lastError === undefined
        ? deferral(device)
        : { error: device.lastError }),
  }
}

/** As far as `ferry verify` has looked into it. */
const silence = (device: DeviceProgress): { readonly error?: ErrorRecord } =>
  device.silence === undefined || device.silence.length === 0
    ? {}
    : {
        error: {
          code: 'NotHeardInTime',
          message: device.silence.map((reason) => silenceWords(reason, device)).join('; '),
        },
      }

const deferral = ({ deferred }: DeviceProgress): { readonly error?: ErrorRecord } =>
  deferred === undefined ? {} : { error: { code: deferred.code, message: deferred.message } }

/** Where one device is; see `DeviceStatus`. */
export const statusOfDevice = (device: DeviceProgress, { now, ...patience }: Deadline): DeviceStatus => {
  if (device.rollbackAt !== undefined) return 'rolling-back'
  if (isHeldByEscrow(device)) return 'held-by-escrow'
  if (isGroupMoved(device)) return 'retired'
  if (device.heard !== undefined) return isRetired(device) ? 'retired' : 'heard'
  if (device.unmutedAt !== undefined) return isOverdue(device, patience, now) ? 'silent' : 'waiting'
  if (isSourceEnding(device)) return 'crossing'
  if (device.lastError !== undefined) return 'failed'
  if (device.deferred !== undefined) return 'deferred'
  if (device.undone === true) return 'undone'
  return device.route === undefined ? 'adopted' : 'crossing'
}

/** Deleted on the source once it was heard; what is deleted first has nothing left to retire. */
const isRetired = (device: DeviceProgress): boolean => stepDone(device, 'delete-identity')

const nextWords = (device: DeviceProgress, status: DeviceStatus): string => {
  switch (status) {
    case 'held-by-escrow':
      return 'no network serves it: run ferry apply again at once, with the identity at hand'
    case 'rolling-back':
      return 'run ferry rollback again to finish it'
    case 'crossing':
      return device.sourceScheduling === undefined && device.steps['clear-source'] === undefined
        ? 'ferry apply goes on; as far as the state knows, its source still serves it'
        : 'its source is silent: run ferry apply again to go on'
    case 'waiting':
      return waitingWords(device)
    case 'silent':
      return device.route !== undefined && isStoppedRoute(device.route)
        ? 'look at its gateways, or power-cycle it; then: ferry verify --wait'
        : `the source still serves it: ${waitingWords(device)}`
    case 'heard':
      return isSourceEnding(device)
        ? 'ferry apply finishes its retirement'
        : 'nothing, or its retirement when it is due'
    case 'retired':
    case 'adopted':
      return 'nothing'
    case 'undone':
      return 'the source serves it; ferry apply would move it again'
    case 'failed':
      return isOurs(device) || isLetGo(device) || device.sourceScheduling !== undefined
        ? 'run ferry apply again to go on'
        : 'its source still serves it; run ferry apply again when the cause is mended'
    case 'deferred':
      return device.deferred?.code === NOT_CONFIRMED
        ? 'stop it where it is served; then: ferry apply with --confirm-handover'
        : 'run ferry apply again later'
  }
}

/** What has to happen before the target can hear it. */
const waitingWords = (device: DeviceProgress): string => {
  switch (device.route) {
    case 'otaa-reprogrammed':
    case 'abp-reprogrammed':
      return 'program it with its new credentials (ferry escrow credentials); then: ferry verify --wait'
    case 'joining-triggered':
      return stepDone(device, 'trigger-sent')
        ? 'the source has told it to join; wait until the target hears it: ferry verify --wait'
        : 'ferry apply looks whether the source has sent the downlink that makes it join'
    case 'abp-reset':
      return 'reset it; then wait until the target hears it: ferry verify --wait'
    default:
      return 'wait until the target hears it: ferry verify --wait'
  }
}

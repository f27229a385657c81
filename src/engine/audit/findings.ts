import type { AuditFinding, AuditKind, Registration } from '../../domain/audit.ts'
import type { Side } from '../../domain/journal.ts'
import { euiKey } from '../device/euis.ts'
import { isLetGo, isSourceEnding, wasOnTarget } from '../progress/standing.ts'
import { targetEuis } from './euis.ts'
import type { KnownDevice } from './known-ids.ts'
import {
  type Claim,
  goesOn,
  type Place,
  type Repair,
  repairHalfOnSource,
  repairOrphanOnSource,
  repairPartOnTarget,
  repairSession,
  sourceStage,
} from './repairs.ts'
import { lostWith, shortNames } from './words.ts'

const finding = (
  kind: AuditKind,
  code: string,
  side: Side,
  { deviceId, devEui }: Pick<Registration, 'deviceId' | 'devEui'>,
  message: string,
  repair: Repair,
): AuditFinding => ({
  kind,
  code,
  side,
  device: deviceId,
  ...(devEui === undefined ? {} : { devEui }),
  message,
  ...repair,
})

/** What is wrong with a device id on the source. */
export const findingsOnSource = (
  held: Registration,
  device: KnownDevice,
  place: Place,
): readonly AuditFinding[] => [
  ...part(held, 'source', () =>
    held.status === 'orphan'
      ? repairOrphanOnSource(held, device, place)
      : repairHalfOnSource(held, device, place),
  ),
  ...contradictory(held, 'source'),
  // The target has the session by then, and the source goes its own way.
  ...(['let-go', 'retiring'].includes(sourceStage(device)) ? [] : session(held, 'source', device)),
]

/** What is wrong with a device id on the target; `device` is the one of the plan that gets it, if any does. */
export const findingsOnTarget = (
  held: Registration,
  device: KnownDevice | undefined,
  source: Registration | undefined,
  place: Place,
): readonly AuditFinding[] => {
  const claim: Claim | undefined =
    device === undefined
      ? undefined
      : { device, sameEuis: euiKey(targetEuis(device, source)) === euiKey(held) }
  return [
    ...part(held, 'target', () => repairPartOnTarget(held, claim, place)),
    ...contradictory(held, 'target'),
    ...session(held, 'target', device),
  ]
}

const part = (held: Registration, side: Side, repair: () => Repair): readonly AuditFinding[] => {
  switch (held.status) {
    case 'half-registered':
      return [
        finding(
          'half-registered',
          'HalfRegistered',
          side,
          held,
          `${held.deviceId} is on the ${side}'s ${shortNames(held.held)}, not on its ${shortNames(held.missing)}: ${lostWith(held.missing)} are missing`,
          repair(),
        ),
      ]
    case 'orphan':
      return [
        finding(
          'orphan',
          'OrphanedRecord',
          side,
          held,
          `${held.deviceId} is on the ${side}'s ${shortNames(held.held)}, not on its ${shortNames(held.missing)}: nothing lists it`,
          repair(),
        ),
      ]
    case 'complete':
    case 'absent':
    case 'ids-differ':
    case 'unreadable':
      return []
  }
}

const contradictory = (held: Registration, side: Side): readonly AuditFinding[] => {
  const { error } = held
  if (error === undefined) return []
  return held.status === 'ids-differ'
    ? [
        finding('ids-differ', error.code, side, held, error.message, {
          means: 'it can not be told which device it is, so it is left alone',
          fix: error.hint ?? 'delete the record that is wrong and register it again',
        }),
      ]
    : [
        finding('unreadable', error.code, side, held, error.message, {
          means: 'nothing can be said of it',
          fix: error.hint ?? 'run again',
        }),
      ]
}

const session = (held: Registration, side: Side, device: KnownDevice | undefined): readonly AuditFinding[] =>
  held.sessionFault === undefined
    ? []
    : [
        finding(
          'session',
          held.sessionFault,
          side,
          held,
          sessionWords(held, side),
          repairSession(held, device, side),
        ),
      ]

const sessionWords = ({ deviceId, sessionFault }: Registration, side: Side): string => {
  switch (sessionFault) {
    case 'SessionsDiffer':
      return `the ${side}'s Network Server and Application Server hold different sessions of ${deviceId}`
    case 'SessionKeysCleared':
      return `a session key of ${deviceId} is all zeros on the ${side}: it was handed over or cleared before`
    case 'NetworkKeysDiffer':
      return `the network session keys of ${deviceId} differ on the ${side}, which they may from LoRaWAN 1.1 on only`
    default:
      return `a part of the session of ${deviceId} is missing on the ${side}`
  }
}

/** A device that the plan or the state names and that no registry of either network holds. */
export const absentFindings = (
  device: KnownDevice,
  source: Registration,
  target: Registration,
  place: Place,
): readonly AuditFinding[] => {
  if (source.status !== 'absent' || target.status !== 'absent') return []
  const { progress } = device
  if (isSourceEnding(progress) && !isLetGo(progress))
    return [
      finding('absent', 'CrossingNotEnded', 'target', target, `${device.target} is in no registry yet`, {
        means: 'its source was deleted first, and it is not created yet: the escrow alone holds it',
        fix: goesOn(device.selected, place),
      }),
    ]
  if (wasOnTarget(progress))
    return [
      finding(
        'absent',
        'VanishedFromTarget',
        'target',
        target,
        `${device.target} is in no registry any more`,
        {
          means: 'it had crossed, and was deleted on both networks since: the escrow alone holds it',
          fix: `deleted on purpose: nothing; else ferry escrow restore ${place.plan} --device ID (ID on the source)`,
        },
      ),
    ]
  if (progress?.escrow.A !== undefined)
    return [
      finding('absent', 'SourceGone', 'source', source, `${device.deviceId} is in no registry any more`, {
        means: 'it was begun, and was deleted on the source since: the escrow alone holds it',
        fix: `deleted on purpose: nothing; else ferry escrow restore ${place.plan} --device ID`,
      }),
    ]
  return device.named
    ? [
        finding(
          'absent',
          'UnknownDevice',
          'source',
          source,
          `the plan names ${device.deviceId}, and no registry of either network holds it`,
          {
            means: 'nothing moves under this id',
            fix: 'correct the id in the plan, or remove it',
          },
        ),
      ]
    : []
}

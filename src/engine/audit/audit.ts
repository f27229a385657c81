import {
  AUDIT_KINDS,
  type Audit,
  type AuditedDevice,
  type AuditFinding,
  type Registration,
} from '../../domain/audit.ts'
import type { Emit } from '../../domain/events.ts'
import type { Side } from '../../domain/journal.ts'
import type { LoadedPlan, SelectableDevice, Selection } from '../../domain/migration-plan.ts'
import type { HeldElsewhere, NetworkPort } from '../../domain/ports.ts'
import type { JoinHosts } from '../device/join-server.ts'
import { listAll } from '../planning/listing.ts'
import type { Progress } from '../progress/progress.ts'
import { walk } from '../run/walk.ts'
import { classify, unreadableAs } from './classify.ts'
import { euisTaken, euiTwins } from './euis.ts'
import { absentFindings, findingsOnSource, findingsOnTarget } from './findings.ts'
import { type Known, type KnownDevice, knownIds } from './known-ids.ts'

export interface AuditInput {
  readonly loaded: LoadedPlan
  readonly source: NetworkPort
  readonly target: NetworkPort
  /** Of each network. */
  readonly joinHosts: Readonly<Record<Side, JoinHosts>>
  readonly select: (device: SelectableDevice) => Selection
  readonly progress: Progress
  readonly emit: Emit
}

type Registrations = ReadonlyMap<string, Registration>

/**
 * Reads every device id that either listing, the plan or the state names, in all registries of both networks, and
 * tells what is registered in part, twice or in contradiction. Writes nothing. A device that can not be read is a
 * finding; refused credentials and a listing that can not be finished end the run (`NetworkError`).
 */
export const auditNetworks = async (input: AuditInput): Promise<Audit> => {
  const { loaded, source, target, emit, joinHosts } = input
  const { plan, file } = loaded
  const [onSource, onTarget] = await both(listAll(source, 'source', emit), listAll(target, 'target', emit))
  const known = knownIds({ ...input, plan, source: onSource, target: onTarget })
  const sourceIds = known.devices.map(({ deviceId }) => deviceId)
  const reading = { concurrency: plan.rollout.maxConcurrency, emit }
  const [sources, targets] = await both(
    readAll(source, sourceIds, { ...reading, side: 'source', joinHosts: joinHosts.source }),
    readAll(target, known.targetIds, { ...reading, side: 'target', joinHosts: joinHosts.target }),
  )
  const elsewhere = known.devices.some(({ selected }) => selected) ? await strangers(input) : []
  return {
    plan: { name: plan.name, file },
    source: source.identity,
    target: target.identity,
    devices: rowsOf(known, sources, targets),
    findings: sortFindings(findingsOf(input, known, sources, targets, elsewhere)),
  }
}

/** Both end before the first failure is thrown, so that nothing is asked after it. */
const both = async <A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> => {
  const [first, second] = await Promise.allSettled([a, b])
  if (first.status === 'rejected') throw first.reason
  if (second.status === 'rejected') throw second.reason
  return [first.value, second.value]
}

/** Devices between two events of progress. */
const TOLD_EVERY = 100

const readAll = async (
  network: NetworkPort,
  deviceIds: readonly string[],
  options: {
    readonly side: Side
    readonly joinHosts: JoinHosts
    readonly concurrency: number
    readonly emit: Emit
  },
): Promise<Registrations> => {
  const { side, emit } = options
  const read = new Map<string, Registration>()
  await walk(deviceIds, options.concurrency, async (deviceId) => {
    const registration = await network.read(deviceId).then(
      (record) => classify(record, options.joinHosts),
      (error: unknown) => unreadableAs(deviceId, error),
    )
    read.set(deviceId, registration)
    if (read.size % TOLD_EVERY === 0) emit({ event: 'reading.progress', side, devices: read.size })
  })
  emit({ event: 'reading.done', side, devices: read.size })
  return read
}

/** Within one deployment the target sees the source's application: its devices are those that move. */
const strangers = async ({ source, target }: AuditInput): Promise<readonly HeldElsewhere[]> => {
  const held = await target.elsewhere()
  return source.identity.host === target.identity.host
    ? held.filter(({ application }) => application !== source.identity.application)
    : held
}

const ABSENT = { status: 'absent', held: [], missing: [], hasSession: false } as const

const at = (registrations: Registrations, deviceId: string): Registration =>
  registrations.get(deviceId) ?? { deviceId, ...ABSENT }

/** The device of the plan that gets each id on the target: one that is selected before one that is not. */
const claimsOf = (known: Known): ReadonlyMap<string, KnownDevice> => {
  const claims = new Map<string, KnownDevice>()
  for (const device of known.devices) {
    if (claims.get(device.target)?.selected !== true) claims.set(device.target, device)
  }
  return claims
}

const rowsOf = (known: Known, sources: Registrations, targets: Registrations): readonly AuditedDevice[] => {
  const claims = claimsOf(known)
  return [
    ...known.devices.map(
      (device): AuditedDevice => ({
        device: device.deviceId,
        target: device.target,
        selected: device.selected,
        source: at(sources, device.deviceId),
        onTarget: at(targets, device.target),
      }),
    ),
    ...known.targetIds
      .map((deviceId) => at(targets, deviceId))
      .filter(({ deviceId, status }) => !claims.has(deviceId) && status !== 'absent')
      .map((onTarget): AuditedDevice => ({ target: onTarget.deviceId, selected: false, onTarget })),
  ]
}

const findingsOf = (
  { source, target, loaded }: AuditInput,
  known: Known,
  sources: Registrations,
  targets: Registrations,
  elsewhere: readonly HeldElsewhere[],
): readonly AuditFinding[] => {
  const claims = claimsOf(known)
  const placeOf = (network: NetworkPort) => ({
    application: network.identity.application,
    plan: loaded.file,
  })
  const [onSource, onTarget] = [placeOf(source), placeOf(target)]
  return [
    ...known.devices.flatMap((device) => {
      const held = at(sources, device.deviceId)
      return [
        // What is kept in one piece is not held in part.
        ...(source.clearing === undefined ? findingsOnSource(held, device, onSource) : []),
        ...absentFindings(device, held, at(targets, device.target), onSource),
      ]
    }),
    ...known.targetIds.flatMap((deviceId) => {
      const device = claims.get(deviceId)
      const moved = device === undefined ? undefined : at(sources, device.deviceId)
      return findingsOnTarget(at(targets, deviceId), device, moved, onTarget)
    }),
    ...euiTwins(sources.values(), 'source', onSource.application),
    ...euiTwins(targets.values(), 'target', onTarget.application),
    ...euisTaken({
      devices: known.devices.map((device) => ({ device, source: sources.get(device.deviceId) })),
      target: targets,
      elsewhere,
      application: onTarget.application,
    }),
  ]
}

const sortFindings = (findings: readonly AuditFinding[]): readonly AuditFinding[] => {
  const key = ({ kind, side, device }: AuditFinding): string =>
    `${AUDIT_KINDS.indexOf(kind)} ${side} ${device}`
  return [...findings].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

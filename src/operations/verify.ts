import { NetworkError } from '../domain/errors.ts'
import { insidePrefixes } from '../domain/identifiers.ts'
import type { Carrier, GatewayRow, GatewaysPort } from '../domain/gateway.ts'
import type { CarrierThere } from '../engine/progress/silence.ts'
import type { NetworkPort } from '../domain/ports.ts'
import { isAwaited, type VerifyRow, verifyDevices } from '../engine/run/verify.ts'
import type { Host } from './host.ts'
import { type Planned, planMigration } from './plan.ts'
import type { Workspace } from './workspace.ts'

export interface VerifyOptions {
  /** Milliseconds to wait until all devices were heard; 0 looks once. */
  readonly wait: number
  readonly onRound: (rows: readonly VerifyRow[]) => void | Promise<void>
}

export interface Verified {
  readonly planned: Planned
  readonly rows: readonly VerifyRow[]
  /** Empty where the plan moves none. */
  readonly gateways: readonly GatewayRow[]
}

/** Milliseconds between two looks while waiting. */
const ROUND = 10_000

/**
 * Compares the target with what was planned and records in the state which devices it hears; waits for silent ones
 * as long as asked. Changes nothing on either network.
 */
export const verifyMigration = async (
  workspace: Workspace,
  host: Host,
  options: VerifyOptions,
): Promise<Verified> => {
  const lock = await workspace.stores.state.lock('ferry verify', host.owner, host.clock)
  try {
    const planned = await planMigration(workspace, host, false)
    const { loaded, stores, target } = workspace
    const journal = planned.state.progress.size === 0 ? undefined : await stores.state.openJournal()
    try {
      const unseen = unseenFinder(target)
      const look = async (before: readonly VerifyRow[] = []): Promise<readonly VerifyRow[]> =>
        verifyDevices({
          unseen: await unseen(before),
          changeSet: planned.changeSet,
          target,
          progress: planned.state.progress,
          journal,
          clock: host.clock,
          concurrency: loaded.plan.rollout.maxConcurrency,
          patience: loaded.plan.verify,
          isOwnDevAddr: (devAddr) => insidePrefixes(devAddr, planned.targetFacts.devAddrPrefixes),
          lookFor: carrierFinder(target.gateways),
        })
      let rows = await look()
      let gateways = await lookAtGateways(workspace, planned)
      const until = host.clock().getTime() + options.wait
      while (
        (rows.some((row) => isAwaited(row.status)) || gateways.some(isAwaitedGateway)) &&
        host.clock().getTime() < until &&
        !host.draining()
      ) {
        await options.onRound(rows)
        await host.pause(Math.min(ROUND, Math.max(0, until - host.clock().getTime())))
        rows = await look(rows)
        gateways = await lookAtGateways(workspace, planned)
      }
      return { planned, rows, gateways }
    } finally {
      await journal?.close()
    }
  } finally {
    await lock.release()
  }
}

/** It is registered, and somebody has to point it to the target. */
const isAwaitedGateway = ({ status }: GatewayRow): boolean => status === 'never' || status === 'gone'

const lookAtGateways = ({ target }: Workspace, { changeSet }: Planned): Promise<readonly GatewayRow[]> => {
  const { gateways: port } = target
  if (port === undefined) return Promise.resolve([])
  const moved = (changeSet.gateways ?? []).filter(({ action }) => action !== 'blocked')
  return Promise.all(
    moved.map(async ({ gateway, target: id, action }): Promise<GatewayRow> => {
      if (action === 'create') return { gateway, target: id, status: 'absent' }
      const connection = await port.connection(id)
      if (connection?.connectedAt === undefined) return { gateway, target: id, status: 'never' }
      const { lastUplinkAt, disconnectedAt } = connection
      const status = disconnectedAt === undefined ? 'connected' : 'gone'
      return { gateway, target: id, status, ...(lastUplinkAt === undefined ? {} : { lastUplinkAt }) }
    }),
  )
}

/** Each gateway is looked for once a look, however many devices it has heard. */
const carrierFinder = (port: GatewaysPort | undefined): ((carrier: Carrier) => Promise<CarrierThere>) => {
  const known = new Map<string, Promise<CarrierThere>>()
  return (carrier) => {
    const found = known.get(carrier.id) ?? lookFor(port, carrier)
    known.set(carrier.id, found)
    return found
  }
}

const lookFor = async (port: GatewaysPort | undefined, { id, eui }: Carrier): Promise<CarrierThere> => {
  if (port === undefined) return 'unknown'
  const there = await port.find(id)
  if (there === undefined || (eui !== undefined && there.eui !== undefined && there.eui !== eui))
    return 'absent'
  try {
    const connection = await port.connection(id)
    return connection?.connectedAt === undefined || connection.disconnectedAt !== undefined
      ? 'away'
      : 'connected'
  } catch (error) {
    // A key of an application may know that a gateway is there, and not whether it is connected.
    if (error instanceof NetworkError) return 'unknown'
    throw error
  }
}

/** So often all devices are asked for one by one, whatever the Identity Server says of when they were seen. */
const ALL_EVERY = 6

/**
 * Rows of a look before that still hold, for nobody has seen the device since. Ten thousand devices take ten requests so, and not
 * ten thousand; a server that does not tell when it saw devices is found out by the looks at all of them.
 */
const unseenFinder = (
  target: NetworkPort,
): ((before: readonly VerifyRow[]) => Promise<ReadonlyMap<string, VerifyRow>>) => {
  let last: ReadonlyMap<string, string> | undefined
  let looks = 0
  return async (before) => {
    const seen = await target.lastSeen?.()
    const known = last
    last = seen
    looks += 1
    if (seen === undefined || known === undefined || looks % ALL_EVERY === 0) return new Map()
    const still = before.filter(
      (row) => known.has(row.target) && known.get(row.target) === seen.get(row.target),
    )
    return new Map(still.map((row) => [row.device, row]))
  }
}

import type { GatewayRow } from '../domain/gateway.ts'
import { isAwaited, type VerifyRow, verifyDevices } from '../engine/run/verify.ts'
import type { Host } from './host.ts'
import { type Planned, planMigration } from './plan.ts'
import type { Workspace } from './workspace.ts'

export interface VerifyOptions {
  /** Milliseconds to wait until all devices were heard; 0 looks once. */
  readonly wait: number
  readonly onRound: (rows: readonly VerifyRow[]) => void
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
      const look = (): Promise<readonly VerifyRow[]> =>
        verifyDevices({
          changeSet: planned.changeSet,
          target,
          progress: planned.state.progress,
          journal,
          clock: host.clock,
          concurrency: loaded.plan.rollout.maxConcurrency,
          patience: loaded.plan.verify,
        })
      let rows = await look()
      let gateways = await lookAtGateways(workspace, planned)
      const until = host.clock().getTime() + options.wait
      while (
        (rows.some((row) => isAwaited(row.status)) || gateways.some(isAwaitedGateway)) &&
        host.clock().getTime() < until &&
        !host.draining()
      ) {
        options.onRound(rows)
        await host.pause(Math.min(ROUND, Math.max(0, until - host.clock().getTime())))
        rows = await look()
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

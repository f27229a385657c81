import type { GatewayRow } from '../domain/gateway.ts'
import { insidePrefixes } from '../domain/identifiers.ts'
import { isAwaited, type VerifyRow, verifyDevices } from '../engine/run/verify.ts'
import { carrierFinder, isAwaitedGateway, lookAtGateways } from './gateways-there.ts'
import type { Host } from './host.ts'
import { type Planned, planMigration } from './plan.ts'
import { unseenFinder } from './unseen.ts'
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
      const unseen = unseenFinder(options.wait > 0 ? target : {})
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

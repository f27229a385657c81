import type { DeviceRecord } from '../../domain/device.ts'
import { type DevAddrPrefix, insidePrefixes } from '../../domain/identifiers.ts'
import type { Route } from '../../domain/journal.ts'
import type { MigrationPlan, Rx1DelayPolicy } from '../../domain/migration-plan.ts'
import { parameters } from './mac-state.ts'
import { macState, textField } from './records.ts'
import { keepsKeys } from './route.ts'

/**
 * How the target hears a device, and answers it. gateways: through its own. packet-broker: through those of others. late: the same,
 * and its answers come after the device has stopped listening. unreachable: a DevAddr is routed to the network that owns its block,
 * and no gateway of the target hears it.
 */
export type Reach = 'gateways' | 'packet-broker' | 'late' | 'unreachable'

/** Seconds of RX1 delay that an answer needs on its way through Packet Broker (the vendor's guides, A7). */
export const PACKET_BROKER_DELAY = 5

export interface ReachInput {
  readonly source: DeviceRecord
  readonly route: Route
  /** Where its gateways are: as the plan says, or as it moves them. */
  readonly coverage: MigrationPlan['coverage']['gateways']
  readonly prefixes: readonly DevAddrPrefix[]
  readonly rx1Delay: Rx1DelayPolicy
}

/** Seconds after which the device listens, where its keys are kept; undefined where the source does not tell. */
const delayOf = ({ source, route, rx1Delay }: ReachInput): number | undefined => {
  if (!keepsKeys(route)) return typeof rx1Delay === 'number' ? rx1Delay : undefined
  const current = parameters(macState(source), 'current_parameters')?.['rx1_delay']
  return typeof current === 'number' ? current : undefined
}

/** Cells A7 of the guides, for one device. A device that joins anew gets a DevAddr of the target, which is routed there. */
export const reachOf = (input: ReachInput): Reach => {
  const { source, route, coverage, prefixes } = input
  if (coverage === 'on-target' || coverage === 'moving-now') return 'gateways'
  const devAddr = keepsKeys(route) ? textField(source, 'network-server', 'session.dev_addr') : undefined
  if (devAddr !== undefined && !insidePrefixes(devAddr, prefixes)) return 'unreachable'
  if (coverage !== 'packet-broker') return 'gateways'
  return (delayOf(input) ?? PACKET_BROKER_DELAY) < PACKET_BROKER_DELAY ? 'late' : 'packet-broker'
}

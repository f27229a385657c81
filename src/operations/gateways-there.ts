import { NetworkError } from '../domain/errors.ts'
import type { Carrier, GatewayConnection, GatewayRow, GatewaysPort } from '../domain/gateway.ts'
import type { CarrierThere } from '../engine/progress/silence.ts'
import type { Planned } from './plan.ts'
import type { Workspace } from './workspace.ts'

/** It is registered, and somebody has to point it to the target. */
export const isAwaitedGateway = ({ status }: GatewayRow): boolean => status === 'never' || status === 'gone'

const connectionStatus = (connection: GatewayConnection | undefined): 'connected' | 'gone' | 'never' => {
  if (connection?.connectedAt === undefined) return 'never'
  return connection.disconnectedAt === undefined ? 'connected' : 'gone'
}

/** How the gateways that the plan moves are connected to the target. */
export const lookAtGateways = (
  { target }: Workspace,
  { changeSet }: Planned,
): Promise<readonly GatewayRow[]> => {
  const { gateways: port } = target
  if (port === undefined) return Promise.resolve([])
  const moved = (changeSet.gateways ?? []).filter(({ action }) => action !== 'blocked')
  return Promise.all(
    moved.map(async ({ gateway, target: id, action }): Promise<GatewayRow> => {
      if (action === 'create') return { gateway, target: id, status: 'absent' }
      const connection = await port.connection(id)
      const status = connectionStatus(connection)
      const lastUplinkAt = status === 'never' ? undefined : connection?.lastUplinkAt
      return { gateway, target: id, status, ...(lastUplinkAt === undefined ? {} : { lastUplinkAt }) }
    }),
  )
}

/** Each gateway is looked for once a look, however many devices it has heard. */
export const carrierFinder = (
  port: GatewaysPort | undefined,
): ((carrier: Carrier) => Promise<CarrierThere>) => {
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
    return connectionStatus(await port.connection(id)) === 'connected' ? 'connected' : 'away'
  } catch (error) {
    // A key of an application may know that a gateway is there, and not whether it is connected.
    if (error instanceof NetworkError) return 'unknown'
    throw error
  }
}

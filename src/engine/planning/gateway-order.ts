import type { Some } from '../../domain/gateway.ts'

/** What heard a device last, and whether the device stays on the source. */
export interface Carried {
  readonly device: string
  readonly stays: boolean
  /** Gateway ids on the source. */
  readonly by: readonly string[]
}

export interface Leaving {
  readonly gateway: string
  readonly carries: number
  readonly loses: Some
  readonly orphans: Some
}

/** Examples that are named of many devices. */
const EXAMPLES = 20

const some = (devices: readonly string[]): Some => ({
  count: devices.length,
  examples: [...devices].sort().slice(0, EXAMPLES),
})

/**
 * The order in which gateways leave that keeps the source's coverage as long as it can: always the one next that takes it from
 * the fewest devices, by what is left. A device loses its coverage with the last gateway that heard it; gateways that stay, and
 * Packet Broker, keep it.
 */
export const leavingOrder = (
  gateways: readonly string[],
  carried: readonly Carried[],
): readonly Leaving[] => {
  const left = new Map(gateways.map((gateway) => [gateway, new Set<Carried>()]))
  const by = new Map<Carried, Set<string>>()
  for (const device of carried) {
    by.set(device, new Set(device.by))
    for (const gateway of device.by) left.get(gateway)?.add(device)
  }
  const carries = new Map([...left].map(([gateway, devices]) => [gateway, devices.size]))
  const lastOf = (devices: ReadonlySet<Carried>): readonly Carried[] =>
    [...devices].filter((device) => by.get(device)?.size === 1)
  const order: Leaving[] = []
  while (left.size > 0) {
    const [next] = [...left]
      .map(([gateway, devices]) => ({ gateway, devices, last: lastOf(devices) }))
      .sort((a, b) => a.last.length - b.last.length || (a.gateway < b.gateway ? -1 : 1))
    if (next === undefined) break
    for (const device of next.devices) by.get(device)?.delete(next.gateway)
    left.delete(next.gateway)
    order.push({
      gateway: next.gateway,
      carries: carries.get(next.gateway) ?? 0,
      loses: some(next.last.filter(({ stays }) => !stays).map(({ device }) => device)),
      orphans: some(next.last.filter(({ stays }) => stays).map(({ device }) => device)),
    })
  }
  return order
}

import type { DeviceRecord } from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import type { Json } from '../../domain/json.ts'
import { isObject, recentUplinks } from './records.ts'

/** What stands for a gateway of another network. */
export const PACKET_BROKER = 'packetbroker'

const carrierOf = (metadata: unknown): readonly Carrier[] => {
  const ids = isObject(metadata) ? metadata['gateway_ids'] : undefined
  if (!isObject(ids)) return []
  const [id, eui] = [ids['gateway_id'], ids['eui']] as readonly (Json | undefined)[]
  if (typeof id !== 'string' || id === '') return []
  return [{ id, ...(typeof eui === 'string' ? { eui: eui.toUpperCase() } : {}) }]
}

/**
 * Gateways that heard the device's last uplinks, as its Network Server remembers them, those that heard most first. What came
 * over Packet Broker names that in the place of the gateway. Empty where nothing is remembered.
 */
export const carriersOf = (record: DeviceRecord): readonly Carrier[] => {
  const heard = new Map<string, { readonly carrier: Carrier; times: number }>()
  for (const uplink of recentUplinks(record)) {
    const metadata = uplink['rx_metadata']
    for (const carrier of (Array.isArray(metadata) ? metadata : []).flatMap(carrierOf)) {
      const known = heard.get(carrier.id)
      if (known === undefined) heard.set(carrier.id, { carrier, times: 1 })
      else known.times += 1
    }
  }
  return [...heard.values()].sort((a, b) => b.times - a.times).map(({ carrier }) => carrier)
}

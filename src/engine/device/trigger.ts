import type { DeviceRecord, Fields } from '../../domain/device.ts'
import type { Rejoin } from '../../domain/migration-plan.ts'
import type { QueuedDownlink } from '../../domain/ports.ts'
import { isObject, type JsonObject } from './records.ts'

/** Networks keep the ids that a client gives: by this one the tool knows its own downlink, queued or sent. */
const CORRELATION_ID = 'ferry:rejoin'

type Triggering = Extract<Rejoin, { trigger: 'source-downlink' }>

/** The downlink that makes a device join, as it is queued. */
export const triggerDownlink = ({ fPort, payload, confirmed }: Triggering): QueuedDownlink => ({
  fPort,
  payload: Buffer.from(payload, 'hex').toString('base64'),
  confirmed,
  correlationIds: [CORRELATION_ID],
})

/** Whether a downlink in a queue is the one that makes the device join. */
export const isTrigger = (item: QueuedDownlink, rejoin: Rejoin): boolean =>
  rejoin.trigger === 'source-downlink' && item.correlationIds.includes(CORRELATION_ID)

/**
 * Whether the source's Network Server has sent it: its MAC state remembers the last five downlinks, and of the newest
 * its correlation ids; of the others the port tells (measured on a real server). `before` is the application's downlink
 * counter of before it was queued: what was sent with it, or with a lower one, is another downlink on the same port.
 */
export const wasTriggerSent = (source: DeviceRecord, rejoin: Rejoin, before: number): boolean => {
  if (rejoin.trigger !== 'source-downlink') return false
  const network: Fields = source.registries['network-server'] ?? {}
  const state = network['mac_state']
  const recent = isObject(state) ? state['recent_downlinks'] : undefined
  return (
    Array.isArray(recent) &&
    recent.some((downlink) => isObject(downlink) && isSent(downlink, rejoin.fPort, before))
  )
}

const isSent = (downlink: JsonObject, fPort: number, before: number): boolean => {
  const ids = downlink['correlation_ids']
  const payload = isObject(downlink['payload']) ? downlink['payload'] : {}
  const frame = isObject(payload['mac_payload']) ? payload['mac_payload'] : {}
  const isOurs = Array.isArray(ids) && ids.includes(CORRELATION_ID)
  return isOurs || (frame['f_port'] === fPort && Number(frame['full_f_cnt'] ?? 0) > before)
}

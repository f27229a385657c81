import type { Rejoin } from '../../domain/migration-plan.ts'
import type { QueuedDownlink } from '../../domain/ports.ts'

/** Whether a downlink in a queue is the one that makes the device join. */
export const isTrigger = (item: QueuedDownlink, rejoin: Rejoin): boolean =>
  rejoin.trigger === 'source-downlink' &&
  item.fPort === rejoin.fPort &&
  Buffer.from(item.payload, 'base64').toString('hex').toUpperCase() === rejoin.payload

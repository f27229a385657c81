import type { DeviceRecord } from '../../domain/device.ts'
import { isObject, macState } from './records.ts'

/**
 * How long the device was silent at most between two of the uplinks that its Network Server remembers (20 at most), in
 * milliseconds: the longest, for a device that sends when something happens has no interval. Undefined for fewer than two.
 */
export const sendInterval = (record: DeviceRecord): number | undefined => {
  const recent = macState(record)?.['recent_uplinks']
  const times = (Array.isArray(recent) ? recent : [])
    .map((uplink) => Date.parse(isObject(uplink) ? String(uplink['received_at']) : ''))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b)
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time))
  return gaps.length === 0 ? undefined : Math.max(...gaps)
}

import type { DeviceRecord } from '../../domain/device.ts'
import { recentUplinks } from './records.ts'

/** Milliseconds between the uplinks that the Network Server remembers, the shortest first. Empty for fewer than two. */
const gapsOf = (record: DeviceRecord): readonly number[] => {
  const times = recentUplinks(record)
    .map((uplink) => Date.parse(String(uplink['received_at'])))
    .filter((time) => !Number.isNaN(time))
    .sort((a, b) => a - b)
  return times
    .slice(1)
    .map((time, index) => time - (times[index] ?? time))
    .sort((a, b) => a - b)
}

/**
 * How long the device was silent at most between two of the uplinks that its Network Server remembers, in milliseconds: the
 * longest, for a device that sends when something happens has no interval. Undefined for fewer than two.
 */
export const sendInterval = (record: DeviceRecord): number | undefined => gapsOf(record).at(-1)

/** Milliseconds between uplinks as a rule: the middle one of those remembered. Undefined for fewer than two. */
export const usualInterval = (record: DeviceRecord): number | undefined => {
  const gaps = gapsOf(record)
  return gaps[Math.floor(gaps.length / 2)]
}

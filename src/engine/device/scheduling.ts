import type { DeviceRecord } from '../../domain/device.ts'
import { field } from './records.ts'

/** The handover's own switch: false mutes a device (no downlink, no join accept), absent is the network's default. */
export const MUTE = 'mac_settings.schedule_downlinks'

/** The Network Server counts the device's uplinks and sends it nothing. */
export const isMuted = (record: DeviceRecord): boolean => field(record, 'network-server', MUTE) === false

/** The Network Server knows the device and sends it downlinks. */
export const speaks = (record: DeviceRecord): boolean =>
  record.registries['network-server'] !== undefined && !isMuted(record)

/**
 * Only this tool mutes a registration of its own, and only this tool lets it go. One that speaks though the state
 * does not know that it was let go (it was repaired, or somebody unmuted it) may live: nothing is written to it.
 */
export const TARGET_SPEAKS = {
  code: 'TargetSpeaks',
  message: 'the target serves it already, though the state does not say that it was let go',
  hint: 'mute it on the target by hand (mac_settings.schedule_downlinks: false) if its source is to be carried over once more; else exclude it',
} as const

/** The source had lost its keys, and has them again, by others: one network may serve it. */
export const SOURCE_REFILLED = {
  code: 'SourceReturned',
  message: 'somebody gave the source its keys again after they were cleared there, and the source serves it',
  hint: 'clear its keys on the source by hand to have it go on to the target, or take it back: ferry rollback',
} as const

/** It was deleted on the source, and is registered there again, by others: one network may serve it. */
export const SOURCE_RETURNED = {
  code: 'SourceReturned',
  message: 'somebody registered it on the source again after it was deleted there, and the source serves it',
  hint: 'delete it on the source by hand to have it go on to the target, with what the escrow holds',
} as const

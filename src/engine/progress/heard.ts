import type { Fields } from '../../domain/device.ts'
import { MUTE } from '../device/scheduling.ts'
import type { DeviceProgress } from './progress.ts'
import { stepDone } from './standing.ts'

export type Hearing =
  | { readonly status: 'heard'; readonly devAddr: string; readonly lastFCntUp: number }
  /** A join was accepted; the device has not shown by an uplink that it got the accept. */
  | { readonly status: 'joining' }
  | { readonly status: 'silent' }

/**
 * Whether the target's Network Server has heard a device, from its session there and from what we left there.
 * A join alone is no proof, and `last_seen_at` moves at a join request already, so neither counts:
 * - joining anew: a session that was promoted by a data uplink, with a DevAddr that is not the source's;
 * - session kept: an uplink counter above ours, or a newer session;
 * - ABP that was reset, or may reset itself: any other counter than ours (it starts again from 0).
 */
export const hearing = (progress: DeviceProgress, network: Fields | undefined): Hearing => {
  const devAddr = network?.['session.dev_addr']
  const counter = network?.['session.last_f_cnt_up']
  const lastFCntUp = typeof counter === 'number' ? counter : 0
  const baseline = progress.baseline
  const mayRestart = progress.route === 'abp-reset' || network?.['mac_settings.resets_f_cnt'] === true
  if (typeof devAddr === 'string' && baseline !== undefined) {
    const joinedAnew = devAddr !== baseline.devAddr && devAddr !== baseline.sourceDevAddr
    const counted =
      devAddr === baseline.devAddr &&
      (mayRestart
        ? lastFCntUp !== baseline.lastFCntUp || beganAnew(baseline, network)
        : lastFCntUp > baseline.lastFCntUp)
    if (joinedAnew || counted) return { status: 'heard', devAddr, lastFCntUp }
  }
  return network?.['pending_session.dev_addr'] === undefined ? { status: 'silent' } : { status: 'joining' }
}

/** A Network Server that takes counters from 0 again lets the session begin at that uplink (measured on a real server). */
const beganAnew = (baseline: NonNullable<DeviceProgress['baseline']>, network: Fields | undefined): boolean =>
  baseline.startedAt !== undefined && network?.['session.started_at'] !== baseline.startedAt

/**
 * Whether an ABP device that was let go was reset since: its session began anew, or its counter is below what we left.
 * Where we left 0 there was nothing to reset, and any uplink will do.
 */
export const isResetHeard = (progress: DeviceProgress, network: Fields | undefined): boolean => {
  if (progress.resetHeard !== undefined) return true
  const { baseline } = progress
  if (baseline === undefined || hearing(progress, network).status !== 'heard') return false
  const counter = network?.['session.last_f_cnt_up']
  if (beganAnew(baseline, network)) return true
  return baseline.lastFCntUp === 0 || (typeof counter === 'number' ? counter : 0) < baseline.lastFCntUp
}

/** Heard before, as the state says, or by what the target's Network Server holds now. */
export const isHeard = (progress: DeviceProgress, network: Fields | undefined): boolean =>
  progress.heard !== undefined || hearing(progress, network).status === 'heard'

/**
 * Whether the source serves a device that the target has heard: it speaks, and the device has joined there anew since its
 * crossing began, or has gone on with its session although we had stopped it. A source that is muted counts uplinks too, where
 * gateways of both networks hear them, and serves nobody.
 */
export const isServedBySource = (progress: DeviceProgress, source: Fields | undefined): boolean => {
  const devAddr = source?.['session.dev_addr']
  if (typeof devAddr !== 'string' || source?.[MUTE] === false || progress.baseline === undefined) return false
  const { sourceDevAddr, lastFCntUp } = progress.baseline
  if (devAddr !== sourceDevAddr) return true
  // A source that we are about to stop serves the device until then; and only what was carried can be counted on from.
  if (!stepDone(progress, 'stop-source') || devAddr !== progress.baseline.devAddr) return false
  const counter = source?.['session.last_f_cnt_up']
  return (typeof counter === 'number' ? counter : 0) > lastFCntUp
}

/** Why nothing more is done to the source of such a device. */
export const HEARD_ON_BOTH = {
  code: 'HeardOnBoth',
  message: 'the target has heard it, and the source serves it too: its source is not retired',
  hint: 'find out whether two devices have its keys, or somebody unmuted it on the source; mute it there again (mac_settings.schedule_downlinks: false), then run again',
} as const

/** When a device that waits counts as silent; milliseconds. */
export interface Patience {
  /** From being let go. */
  readonly heardWithin: number
  /** How often devices send, where the plan says it. */
  readonly expectedInterval?: number
}

/** One uplink may be lost on its way. */
const INTERVALS = 2

/**
 * From being let go to being called silent, in milliseconds: `heardWithin`, and longer for a device that sends less often: twice
 * what the plan says, or its longest silence on the source.
 */
export const silentAfter = (
  { baseline }: DeviceProgress,
  { heardWithin, expectedInterval }: Patience,
): number => Math.max(heardWithin, INTERVALS * (expectedInterval ?? baseline?.interval ?? 0))

/** Let go longer ago than that, and not heard since. */
export const isOverdue = (progress: DeviceProgress, patience: Patience, now: Date): boolean =>
  progress.unmutedAt !== undefined &&
  progress.heard === undefined &&
  now.getTime() - Date.parse(progress.unmutedAt) > silentAfter(progress, patience)

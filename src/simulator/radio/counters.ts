import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { ReceivedDataFrame } from './frames.ts'

/** A device whose address and integrity code fit. */
export interface Match {
  readonly key: string
  readonly device: Message
  readonly pending: boolean
  readonly fCnt: number
}

const maximumGap = 16_384

/** The whole counter of a frame that carries its low half (API notes, section 6.6). */
export const fullCounter = (low: number, last: number, bits: 16 | 32): number => {
  if ((low === 0 && last === 0) || bits === 16) return low
  const high = Math.floor(last / 65_536) * 65_536
  if (low >= last % 65_536) return high + low
  return last < 0xffff_0000 ? high + 65_536 + low : low
}

/** How many bits of the counter the device keeps. */
export const counterBits = (device: Message): 16 | 32 =>
  child(device, 'mac_settings')?.['supports_32_bit_f_cnt'] === false ? 16 : 32

/** Whether the device may start again at a lower counter. */
export const resetsCounter = (device: Message): boolean =>
  child(device, 'mac_settings')?.['resets_f_cnt'] === true

/** Why a counter is refused, or how it is taken (API notes, section 6.6). */
export const judgeCounter = (
  { device, fCnt, pending }: Match,
  data: ReceivedDataFrame,
): { readonly reason?: string; readonly reset: boolean } => {
  if (pending) return { reset: false }
  const last = numberAt(device, 'session.last_f_cnt_up')
  if (fCnt < last) {
    return resetsCounter(device) && !data.ack
      ? { reset: true }
      : { reset: false, reason: `counter ${fCnt} is lower than the last one, ${last}` }
  }
  const recent = listAt(device, 'mac_state.recent_uplinks').length
  const first = last === 0 && (device['supports_join'] === true ? recent === 1 : recent === 0)
  if (fCnt === last && !first) return { reset: false, reason: `counter ${fCnt} has already been used` }
  const version = textAt(device, 'mac_state.lorawan_version')
  const gapMatters = version !== 'MAC_V1_0_4' && version !== 'MAC_V1_1'
  return gapMatters && fCnt - last > maximumGap
    ? { reset: false, reason: `counter ${fCnt} is more than ${maximumGap} above the last one, ${last}` }
    : { reset: false }
}

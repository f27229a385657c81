import { child, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { counterBits, fullCounter, type Match, resetsCounter } from './counters.ts'
import { dataMic } from './crypto.ts'
import type { ReceivedDataFrame } from './frames.ts'

/** Whether a MAC state is of LoRaWAN 1.1. */
export const is11 = (device: Message, state: string): boolean =>
  textAt(device, `${state}.lorawan_version`) === 'MAC_V1_1'

/** Whether the code that the forwarding key makes is right: all of it below LoRaWAN 1.1, the second half from there on. */
const forwardingMatches = (
  device: Message,
  session: 'session' | 'pending_session',
  data: ReceivedDataFrame,
  fCnt: number,
): boolean => {
  const key = textAt(device, `${session}.keys.f_nwk_s_int_key.key`)
  if (key === undefined) return false
  const code = dataMic(key, { direction: 0, devAddr: data.devAddr, fCnt, message: data.message })
  const state = session === 'session' ? 'mac_state' : 'pending_mac_state'
  return is11(device, state) ? code.subarray(0, 2).equals(data.mic.subarray(2)) : code.equals(data.mic)
}

const matchCurrent = (key: string, device: Message, data: ReceivedDataFrame): Match | undefined => {
  const whole = fullCounter(data.fCnt, numberAt(device, 'session.last_f_cnt_up'), counterBits(device))
  if (forwardingMatches(device, 'session', data, whole)) return { key, device, pending: false, fCnt: whole }
  const mayReset = resetsCounter(device) && !data.ack && whole !== data.fCnt
  return mayReset && forwardingMatches(device, 'session', data, data.fCnt)
    ? { key, device, pending: false, fCnt: data.fCnt }
    : undefined
}

/** The devices whose address and forwarding code fit a frame; `known` says that some have the address. */
export const findMatches = (
  network: Network,
  data: ReceivedDataFrame,
): { readonly known: boolean; readonly matches: readonly Match[] } => {
  const records = network.networkServer
    .withDevAddr(data.devAddr)
    .filter(([, device]) => device['multicast'] !== true)
  const current = records.filter(
    ([, device]) =>
      textAt(device, 'session.dev_addr') === data.devAddr && child(device, 'mac_state') !== undefined,
  )
  const pending = records.filter(([, device]) => textAt(device, 'pending_session.dev_addr') === data.devAddr)
  const first = current.flatMap(([key, device]) => matchCurrent(key, device, data) ?? [])
  const second = data.ack
    ? []
    : pending.flatMap(([key, device]): Match[] =>
        forwardingMatches(device, 'pending_session', data, data.fCnt)
          ? [{ key, device, pending: true, fCnt: data.fCnt }]
          : [],
      )
  return { known: current.length + pending.length > 0, matches: [...first, ...second] }
}

import { instant } from '../clock.ts'
import { decode } from '../json/decode.ts'
import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { errors, fail } from '../things-stack/errors.ts'

/** How far ahead the absolute time of an item has to be. */
const leadMs = 2500

/** Longest payload in bytes that the fastest data rate of any band takes. */
const longest = 242

/** Whether network and application share one downlink counter: below LoRaWAN 1.1. */
export const sharesCounter = (state: Message | undefined): boolean =>
  textAt(state, 'lorawan_version') !== 'MAC_V1_1'

/** The queue of a session. */
export const queueOf = (session: Message | undefined): Message[] =>
  listAt(session, 'queued_application_downlinks')

const lowestSplit = (state: Message | undefined): number => {
  for (const downlink of listAt(state, 'recent_downlinks').reverse()) {
    const type = textAt(downlink, 'payload.m_hdr.m_type')
    if (type === 'JOIN_ACCEPT') return 0
    if (numberAt(downlink, 'payload.mac_payload.f_port') > 0)
      return numberAt(downlink, 'payload.mac_payload.full_f_cnt') + 1
  }
  return 0
}

/** The lowest counter that the Network Server takes for the next application downlink of a session. */
export const lowestCounter = (session: Message | undefined, state: Message | undefined): number => {
  if (session === undefined || state === undefined) return 0
  const last = numberAt(session, 'last_n_f_cnt_down')
  const sent = last > 0 || listAt(state, 'recent_downlinks').length > 0
  const lowest = sharesCounter(state) ? (sent ? last + 1 : 0) : lowestSplit(state)
  const queued = queueOf(session).at(-1)
  return queued === undefined ? lowest : Math.max(lowest, numberAt(queued, 'f_cnt') + 1)
}

const checkItem = (device: Message, item: Message, now: Date): void => {
  if (device['multicast'] === true) {
    if (item['confirmed'] === true) throw fail(errors.nsConfirmedMulticast)
    if (listAt(item, 'class_b_c.gateways').length === 0) throw fail(errors.nsNoPath)
  }
  const at = instant(textAt(item, 'class_b_c.absolute_time'))
  if (at !== undefined && at < BigInt(now.getTime() + leadMs) * 1_000_000n)
    throw fail(errors.nsExpiredDownlink)
}

/** The items of a session's key id go into its queue; false when a counter is too low. */
const take = (
  device: Message,
  names: readonly [session: string, state: string],
  items: readonly Message[],
  now: Date,
): boolean => {
  const session = child(device, names[0])
  if (session === undefined || items.length === 0) return true
  const state = child(device, names[1])
  if (state === undefined) throw fail(errors.nsUnknownMacState)
  let lowest = lowestCounter(session, state)
  for (const item of items) {
    const { length } = Buffer.from(textAt(item, 'frm_payload') ?? '', 'base64')
    if (length > longest) throw fail(errors.nsDownlinkTooLong, { length, max: String(longest) })
    if (numberAt(item, 'f_cnt') < lowest) return false
    checkItem(device, item, now)
    lowest = numberAt(item, 'f_cnt') + 1
    session['queued_application_downlinks'] = [...queueOf(session), item]
  }
  return true
}

/** What the Network Server says of its sessions when it refuses a queue. */
export interface Misfit {
  readonly device: Message
}

/**
 * Offers encrypted items to the Network Server, which sorts them to its session and pending session by session key id.
 * @param replace empties both queues first
 * @returns undefined when all were taken; else nothing was, and the answer is its record with the lowest counters
 * @throws StackError for items that no session takes, such as confirmed ones of a multicast group
 */
export const offerItems = (
  network: Network,
  key: string,
  items: readonly Message[],
  replace: boolean,
): Misfit | undefined => {
  if (items.length === 0 && !replace) return undefined
  const device = network.networkServer.get(key)
  if (device === undefined) throw fail(errors.nsDeviceNotFound)
  const names = [
    ['session', 'mac_state'],
    ['pending_session', 'pending_mac_state'],
  ] as const
  if (replace) for (const [name] of names) delete child(device, name)?.['queued_application_downlinks']
  const before = structuredClone(device)
  let left = [...items]
  for (const pair of names) {
    const session = child(device, pair[0])
    if (session === undefined) continue
    const id = textAt(session, 'keys.session_key_id')
    const own = left.filter((item) => textAt(item, 'session_key_id') === id)
    left = left.filter((item) => textAt(item, 'session_key_id') !== id)
    if (!take(device, pair, own, network.clock.now())) return { device: before }
  }
  if (left.length > 0) return { device: before }
  network.networkServer.set(key, decode('EndDevice', { ...device, updated_at: network.clock.nanos() }))
  return undefined
}

import { instant } from '../clock.ts'
import { child, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { requeue } from './application-queue.ts'
import { queueOf, sharesCounter } from './network-queue.ts'

/** Items that the Application Server has to number anew, and the counter that it goes on from. */
export interface Returned {
  readonly items: readonly Message[]
  readonly lastCounter: number
}

/** What a downlink takes from the queue: an item, or none; the queue that is left; items that go back. */
export interface Picked {
  readonly item: Message | undefined
  readonly rest: readonly Message[]
  readonly returned: readonly Returned[]
}

/**
 * Chooses the application downlink for the next frame: the first of the queue, unless its counter was used up
 * meanwhile (below LoRaWAN 1.1 it then goes back with all that follow), it is for class B or C and the frame is an
 * answer, or its time has passed. Items of a session that is gone, and confirmed ones of a group, are dropped.
 */
export const pickItem = (device: Message, deviceClass: 'A' | 'B' | 'C', now: bigint): Picked => {
  const session = child(device, 'session')
  const queue = queueOf(session)
  const lastCounter = numberAt(session, 'last_n_f_cnt_down')
  const shared = sharesCounter(child(device, 'mac_state'))
  const current = textAt(session, 'keys.session_key_id')
  const pending = child(device, 'pending_session')
  const rest: Message[] = []
  for (const [index, item] of queue.entries()) {
    const id = textAt(item, 'session_key_id')
    const at = instant(textAt(item, 'class_b_c.absolute_time'))
    if (id !== current) {
      if (pending !== undefined && id === textAt(pending, 'keys.session_key_id')) rest.push(item)
      continue
    }
    if (shared && numberAt(item, 'f_cnt') <= lastCounter)
      return { item: undefined, rest, returned: [{ items: queue.slice(index), lastCounter }] }
    if (item['confirmed'] === true && device['multicast'] === true) continue
    if (at !== undefined && at < now - expiryNanos) continue
    if (deviceClass === 'A' && child(item, 'class_b_c') !== undefined)
      return { item: undefined, rest: [...rest, ...queue.slice(index)], returned: [] }
    return { item, rest: [...rest, ...queue.slice(index + 1)], returned: [] }
  }
  return { item: undefined, rest, returned: [] }
}

/** An item with a time of its own is sent when somebody looks, up to an hour after it. */
const expiryNanos = 3_600_000_000_000n

/** What remains in the queue after a frame, and what goes back: below 1.1 a frame without an item empties the queue. */
export const afterFrame = (device: Message, { item, rest, returned }: Picked, fCnt: number): Picked =>
  item === undefined && sharesCounter(child(device, 'mac_state'))
    ? { item, rest: [], returned: [...returned, { items: rest, lastCounter: fCnt }] }
    : { item, rest, returned }

/** Gives items back to the Application Server, in order. */
export const giveBack = (network: Network, key: string, returned: readonly Returned[]): void => {
  for (const { items, lastCounter } of returned) requeue(network, key, items, lastCounter)
}

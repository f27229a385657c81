import { decode } from '../json/decode.ts'
import { child, copy, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { downlinkDataRate } from './data-rates.ts'
import {
  buildDownlink,
  type DownlinkPlan,
  nextCounter,
  optionsLimit,
  rememberDownlink,
} from './downlink-frame.ts'
import type { ReceivedDataFrame } from './frames.ts'
import type { Downlink } from './hear.ts'
import { encodeCommand, wantedRequests } from './mac-commands.ts'
import { queueOf } from './network-queue.ts'
import { afterFrame, giveBack, type Picked, pickItem } from './pick.ts'
import { transmit } from './transmissions.ts'
import type { HeardBy } from './uplink.ts'

/** What the slowest data rate carries beside header and port. */
const commandsLimit = 51
const statusPeriodMs = 24 * 60 * 60 * 1000
const statusCount = 200

/** Requests that are worth a downlink of their own; a status request rides on others. */
const setUps = new Set(['CID_NEW_CHANNEL', 'CID_RX_PARAM_SETUP', 'CID_RX_TIMING_SETUP'])

const statusDue = (device: Message, now: Date): boolean => {
  const settings = child(device, 'mac_settings') ?? {}
  const off = settings['status_time_periodicity'] === '0s' && settings['status_count_periodicity'] === 0
  if (off) return false
  const last = textAt(device, 'last_dev_status_received_at')
  if (last === undefined) return true
  const count = Number(settings['status_count_periodicity'] ?? statusCount)
  const heard =
    numberAt(device, 'session.last_f_cnt_up') - numberAt(device, 'mac_state.last_dev_status_f_cnt_up')
  return now.getTime() - Date.parse(last) >= statusPeriodMs || (count > 0 && heard >= count)
}

const packCommands = (
  commands: readonly Message[],
): { readonly taken: Message[]; readonly bytes: Buffer } => {
  const taken: Message[] = []
  const parts: Buffer[] = []
  let length = 0
  for (const command of commands) {
    const bytes = encodeCommand(command)
    if (bytes.length === 0 || length + bytes.length > commandsLimit) continue
    taken.push(command)
    parts.push(bytes)
    length += bytes.length
  }
  return { taken, bytes: Buffer.concat(parts) }
}

interface Answer {
  readonly plan: DownlinkPlan
  readonly after: Picked
}

/** The first item that has a way to the device asks for an answer when it may be one. */
const wantsAnswer = (device: Message): boolean => {
  const classA = (textAt(device, 'mac_state.device_class') ?? 'CLASS_A') === 'CLASS_A'
  const [head] = queueOf(child(device, 'session')).filter(
    (item) => !classA || child(item, 'class_b_c') === undefined,
  )
  return head !== undefined && child(head, 'class_b_c') === undefined
}

/** Answers that a device repeats until it hears something are answered. */
const hasSticky = (device: Message): boolean => {
  const identifiers = child(device, 'mac_state')?.['recent_mac_command_identifiers']
  return Array.isArray(identifiers) && identifiers.length > 0
}

const planDownlink = (device: Message, data: ReceivedDataFrame, now: Date): Answer | undefined => {
  const responses = listAt(device, 'mac_state.queued_responses')
  const requests = wantedRequests(device, statusDue(device, now))
  const owed =
    data.confirmed ||
    data.adrAckReq ||
    responses.length > 0 ||
    hasSticky(device) ||
    requests.some((request) => setUps.has(String(request['cid'])))
  if (!owed && !wantsAnswer(device)) return undefined
  const { taken, bytes } = packCommands([...responses, ...requests])
  const queue = queueOf(child(device, 'session'))
  const picked: Picked =
    bytes.length > optionsLimit
      ? { item: undefined, rest: queue, returned: [] }
      : pickItem(device, 'A', BigInt(now.getTime()) * 1_000_000n)
  if (!owed && picked.item === undefined && picked.returned.length === 0 && bytes.length === 0)
    return undefined
  const fCnt = picked.item === undefined ? nextCounter(device) : numberAt(picked.item, 'f_cnt')
  const after = afterFrame(device, picked, fCnt)
  return {
    after,
    plan: {
      class: 'A',
      fCnt,
      item: picked.item,
      rest: after.rest,
      requests: taken.filter((command) => requests.includes(command)),
      options: bytes,
      ack: data.confirmed,
    },
  }
}

/** Nothing is due, so the receive windows pass unused. */
const closeWindows = (network: Network, key: string, device: Message): void => {
  const state = child(device, 'mac_state')
  if (state === undefined) return
  delete state['rx_windows_available']
  network.networkServer.set(key, device)
}

/**
 * What the Network Server sends after an uplink: acknowledgement, MAC requests and answers, the first queued
 * application downlink; in the first receive window, after the RX1 delay that the device uses now. Nothing for a muted
 * device (`mac_settings.schedule_downlinks: false`).
 */
export const answerUplink = (
  network: Network,
  key: string,
  frame: HeardBy,
  data: ReceivedDataFrame,
): readonly Downlink[] => {
  const stored = network.networkServer.get(key)
  if (stored === undefined || child(stored, 'mac_settings')?.['schedule_downlinks'] === false) return []
  const device = copy(stored)
  const answer = planDownlink(device, data, network.clock.now())
  if (answer === undefined) {
    closeWindows(network, key, device)
    return []
  }
  const parameters = child(child(device, 'mac_state'), 'current_parameters')
  const channel = listAt(parameters, 'channels').find(
    (candidate) => Number(candidate['uplink_frequency']) === frame.frequency,
  )
  const downlink: Downlink = {
    phyPayload: buildDownlink(device, answer.plan),
    frequency: Number(channel?.['downlink_frequency'] ?? frame.frequency),
    dataRate: downlinkDataRate(
      textAt(device, 'frequency_plan_id') ?? '',
      numberAt(parameters, 'adr_data_rate_index'),
      numberAt(parameters, 'rx1_data_rate_offset'),
    ),
    delay: Math.max(1, numberAt(parameters, 'rx1_delay')),
  }
  const now = network.clock.nanos()
  const { delay: _, ...sent } = downlink
  transmit(network, { gatewayId: frame.gatewayId, class: 'A', ...sent, time: now })
  rememberDownlink(device, answer.plan, now)
  network.networkServer.set(key, decode('EndDevice', { ...device, updated_at: now }))
  giveBack(network, key, answer.after.returned)
  return [downlink]
}

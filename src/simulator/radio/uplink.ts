import { decode } from '../json/decode.ts'
import { child, copy, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { StackError } from '../things-stack/errors.ts'
import { deriveMacState } from '../things-stack/mac-state.ts'
import { forwardToApplication } from './application.ts'
import { retryItem } from './application-queue.ts'
import { counterBits, fullCounter, judgeCounter, type Match, resetsCounter } from './counters.ts'
import { cryptPayload, dataMic, uplinkMic11 } from './crypto.ts'
import { dataRateIndex, loraOf } from './data-rates.ts'
import { answerUplink } from './downlink.ts'
import type { ReceivedDataFrame } from './frames.ts'
import { type Frame, type HeardFrame, refused } from './hear.ts'
import {
  applyAnswer,
  type Command,
  initiatedByDevice,
  parseUplinkCommands,
  stickyIdentifiers,
} from './mac-commands.ts'
import { sendDue } from './network-initiated.ts'
import { promotePending } from './pending.ts'
import { uplinkToken } from './transmissions.ts'

/** A frame with the gateway that heard it. */
export interface HeardBy extends Frame {
  readonly gatewayId: string
}

const recentLimit = 20

const is11 = (device: Message, state: string): boolean =>
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

const findMatches = (
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

const readCommands = (
  device: Message,
  data: ReceivedDataFrame,
  fCnt: number,
  session: string,
): readonly Command[] => {
  const key = textAt(device, `${session}.keys.nwk_s_enc_key.key`)
  const inPayload = data.fPort === 0 && data.frmPayload.length > 0
  const raw = inPayload ? data.frmPayload : data.fOpts
  if (raw.length === 0) return []
  const encrypted = inPayload || is11(device, 'mac_state')
  if (!encrypted) return parseUplinkCommands(raw)
  return key === undefined
    ? []
    : parseUplinkCommands(cryptPayload(key, 0, data.devAddr, fCnt, raw, inPayload ? 0 : 1))
}

/** DeviceModeInd of LoRaWAN 1.1: the device says that it listens as class C, or no more; the answer says what counts. */
const indicateMode = (device: Message, state: Message, mode: number): Message => {
  if (mode === 2 && device['supports_class_c'] === true) state['device_class'] = 'CLASS_C'
  if (mode === 0) delete state['device_class']
  const { device_class } = state
  return {
    cid: 'CID_DEVICE_MODE',
    device_mode_conf: device_class === undefined ? {} : { class: device_class },
  }
}

/** The class B bit of an uplink switches the class, as far as ping slots are known; without it class B ends. */
const followClassBit = (device: Message, classB: boolean): void => {
  const state = child(device, 'mac_state') ?? {}
  const is = state['device_class'] === 'CLASS_B'
  if (!classB && is) {
    const toC = device['supports_class_c'] === true && !is11(device, 'mac_state')
    if (toC) state['device_class'] = 'CLASS_C'
    else delete state['device_class']
  }
  const parameters = child(state, 'current_parameters')
  if (
    classB &&
    device['supports_class_b'] === true &&
    parameters?.['ping_slot_data_rate_index_value'] !== undefined &&
    state['ping_slot_periodicity'] !== undefined
  )
    state['device_class'] = 'CLASS_B'
}

const obey = (device: Message, commands: readonly Command[], received: string, fCnt: number): void => {
  const state = child(device, 'mac_state') ?? {}
  const parameters = child(state, 'current_parameters') ?? {}
  const pending = listAt(state, 'pending_requests').map((request) => ({ ...request }))
  const responses: Message[] = []
  for (const command of commands) {
    if (command.id === 11 && device['supports_join'] === true)
      responses.push({ cid: 'CID_REKEY', rekey_conf: { minor_version: 'MINOR_1' } })
    if (command.id === 2)
      responses.push({ cid: 'CID_LINK_CHECK', link_check_ans: { margin: 20, gateway_count: 1 } })
    if (command.id === 6 && pending.some((request) => request['cid'] === 'CID_DEV_STATUS')) {
      const [battery = 255, margin = 0] = command.body
      if (battery > 0 && battery < 255) device['battery_percentage'] = Math.fround((battery - 1) / 253)
      device['power_state'] =
        battery === 0 ? 'POWER_EXTERNAL' : battery === 255 ? 'POWER_UNKNOWN' : 'POWER_BATTERY'
      device['downlink_margin'] = margin > 31 ? margin - 64 : margin
      device['last_dev_status_received_at'] = received
      state['last_dev_status_f_cnt_up'] = fCnt
    }
    if (command.id === 32) responses.push(indicateMode(device, state, command.body[0] ?? 0))
    applyAnswer(command, parameters, pending)
  }
  delete state['pending_requests']
  state['queued_responses'] = responses
  state['recent_mac_command_identifiers'] = stickyIdentifiers(commands)
}

const recentUplink = (
  frame: HeardBy,
  data: ReceivedDataFrame,
  received: string,
  channel: number,
): Message => ({
  payload: {
    m_hdr: { m_type: data.confirmed ? 'CONFIRMED_UP' : 'UNCONFIRMED_UP' },
    mic: data.mic.toString('base64'),
    mac_payload: {
      f_hdr: {
        dev_addr: data.devAddr,
        f_ctrl: { adr: data.adr, adr_ack_req: data.adrAckReq, ack: data.ack },
        f_cnt: data.fCnt,
        f_opts: data.fOpts.toString('base64'),
      },
      f_port: data.fPort ?? 0,
      frm_payload: data.frmPayload.toString('base64'),
    },
  },
  settings: { data_rate: { lora: { ...loraOf(frame.dataRate) } } },
  rx_metadata: [
    {
      gateway_ids: { gateway_id: frame.gatewayId, eui: frame.gatewayEui },
      channel_rssi: -60,
      snr: 9,
      uplink_token: uplinkToken(frame.gatewayId),
    },
  ],
  received_at: received,
  device_channel_index: channel,
})

const resetState = (device: Message): string | undefined => {
  try {
    device['mac_state'] = deriveMacState(device)
    return undefined
  } catch (error) {
    if (error instanceof StackError) return error.message
    throw error
  }
}

/** Takes a matched frame into the device, or says why not. Nothing is stored yet. */
const take = (frame: HeardBy, data: ReceivedDataFrame, match: Match, received: string): Message | string => {
  const verdict = judgeCounter(match, data)
  if (verdict.reason !== undefined) return verdict.reason
  const device = copy(match.device)
  const plan = textAt(device, 'frequency_plan_id') ?? ''
  const rate = dataRateIndex(plan, frame.dataRate)
  if (rate === undefined) return `data rate ${frame.dataRate} is unknown on ${plan}`
  const session = match.pending ? 'pending_session' : 'session'
  if (match.pending) {
    const refusal = promotePending(device)
    if (refusal !== undefined) return refusal
  } else if (verdict.reset) {
    const refusal = resetState(device)
    if (refusal !== undefined) return refusal
  }
  const commands = readCommands(device, data, match.fCnt, session)
  if ((match.pending || verdict.reset) && commands.some(({ id }) => !initiatedByDevice.has(id)))
    return 'a first uplink may not answer a request of the network'
  if (match.pending && is11(device, 'mac_state') && !commands.some(({ id }) => id === 11))
    return 'the first uplink of a LoRaWAN 1.1 device lacks RekeyInd'
  followClassBit(device, data.bit4)
  obey(device, commands, received, match.fCnt)
  delete child(device, 'mac_state')?.['pending_application_downlink']
  if (match.pending) {
    device['session'] = { ...child(device, 'pending_session'), started_at: received }
    device['ids'] = { ...child(device, 'ids'), dev_addr: data.devAddr }
  }
  delete device['pending_session']
  delete device['pending_mac_state']
  const channels = listAt(device, 'mac_state.current_parameters.channels')
  const index = channels.findIndex((channel) => Number(channel['uplink_frequency']) === frame.frequency)
  if (index < 0) return `${frame.frequency} Hz is none of the device's channels`
  if (is11(device, 'mac_state')) {
    const sNwkSIntKey = textAt(device, 'session.keys.s_nwk_s_int_key.key') ?? ''
    const fNwkSIntKey = textAt(device, 'session.keys.f_nwk_s_int_key.key') ?? ''
    const confirmed = data.ack ? numberAt(device, 'session.last_conf_f_cnt_down') : 0
    const code = uplinkMic11(
      { sNwkSIntKey, fNwkSIntKey },
      {
        devAddr: data.devAddr,
        fCnt: match.fCnt,
        message: data.message,
        confirmed,
        dataRate: rate,
        channel: index,
      },
    )
    if (!code.equals(data.mic)) return 'the integrity code does not match'
  }
  const own = child(device, 'session') ?? {}
  own['last_f_cnt_up'] = match.fCnt
  if (verdict.reset) own['started_at'] = received
  const state = child(device, 'mac_state') ?? {}
  const current = child(state, 'current_parameters') ?? {}
  const desired = child(state, 'desired_parameters') ?? {}
  current['adr_data_rate_index'] = rate
  if (child(child(device, 'mac_settings'), 'adr')?.['static'] === undefined)
    desired['adr_data_rate_index'] = rate
  state['rx_windows_available'] = true
  state['recent_uplinks'] = [
    ...listAt(state, 'recent_uplinks'),
    recentUplink(frame, data, received, index),
  ].slice(-recentLimit)
  return device
}

/**
 * Hears a data uplink. Devices that share a DevAddr are told apart by integrity code; the frame is then checked by
 * counter and channel, its MAC answers are applied, and what is due is sent (API notes, sections 6.5, 6.6 and 14.1).
 */
export const hearDataFrame = (network: Network, frame: HeardBy, data: ReceivedDataFrame): HeardFrame => {
  const { known, matches } = findMatches(network, data)
  if (matches.length === 0) {
    return refused(
      known ? 'the integrity code does not match' : `no device has a session with DevAddr ${data.devAddr}`,
    )
  }
  let reason = ''
  for (const match of matches) {
    const received = network.clock.nanos()
    const taken = take(frame, data, match, received)
    if (typeof taken === 'string') {
      reason = taken
      continue
    }
    const device = decode('EndDevice', { ...taken, updated_at: received })
    network.networkServer.set(match.key, device)
    const unanswered = child(child(match.device, 'mac_state'), 'pending_application_downlink')
    const uplink = forwardToApplication(network, match.key, data, match.fCnt)
    if (unanswered !== undefined && !data.ack && !match.pending) retryItem(network, match.key, unanswered)
    const downlinks = answerUplink(network, match.key, frame, data)
    sendDue(network, match.key)
    return { accepted: true, downlinks, ...(uplink === undefined ? {} : { uplink }) }
  }
  return refused(reason)
}

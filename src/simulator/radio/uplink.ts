import { decode } from '../json/decode.ts'
import { child, copy, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { StackError } from '../things-stack/errors.ts'
import { deriveMacState } from '../things-stack/mac-state.ts'
import { forwardToApplication } from './application.ts'
import { retryItem } from './application-queue.ts'
import { judgeCounter, type Match } from './counters.ts'
import { uplinkMic11 } from './crypto.ts'
import { dataRateIndex, loraOf } from './data-rates.ts'
import { answerUplink } from './downlink.ts'
import type { ReceivedDataFrame } from './frames.ts'
import { type Frame, type HeardFrame, refused } from './hear.ts'
import { initiatedByDevice } from './mac-commands.ts'
import { findMatches, is11 } from './match.ts'
import { sendDue } from './network-initiated.ts'
import { followClassBit, obey, readCommands } from './obey.ts'
import { promotePending } from './pending.ts'
import { uplinkToken } from './transmissions.ts'

/** A frame with the gateway that heard it. */
export interface HeardBy extends Frame {
  readonly gatewayId: string
}

const recentLimit = 20

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
        f_ctrl: { adr: data.adr, adr_ack_req: data.adrAckReq, ack: data.ack, class_b: data.bit4 },
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

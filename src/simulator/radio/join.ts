import { decode } from '../json/decode.ts'
import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { bandOf, deriveParameters, usesChannelMasks } from '../things-stack/bands.ts'
import { randomDevAddr } from '../things-stack/configuration.ts'
import { StackError } from '../things-stack/errors.ts'
import { deriveMacState } from '../things-stack/mac-state.ts'
import { followJoin } from './application-queue.ts'
import { dataRateIndex, downlinkDataRate, loraOf } from './data-rates.ts'
import type { JoinAccept, JoinRequest } from './frames.ts'
import { type Downlink, type Frame, type HeardFrame, refused } from './hear.ts'
import { byEuis, type Joined, joinServer } from './join-server.ts'
import { queueOf } from './network-queue.ts'
import { transmit } from './transmissions.ts'
import type { HeardBy } from './uplink.ts'

const acceptDelay = 5

/**
 * Frequencies that a device learns with its accept: up to five of the plan that the band has not. Factory presets do
 * not count, so that a device with presets gets them twice (measured).
 */
const channelList = (record: Message, plan: string): number[] => {
  if (usesChannelMasks(bandOf(plan))) return []
  const { current, desired } = deriveParameters(plan, textAt(record, 'lorawan_phy_version') ?? '')
  const known = new Set(listAt(current, 'channels').map((channel) => channel['uplink_frequency']))
  return listAt(desired, 'channels')
    .filter((channel) => channel['enable_uplink'] === true && !known.has(channel['uplink_frequency']))
    .slice(0, 5)
    .map((channel) => Number(channel['uplink_frequency']))
}

const storePending = (
  network: Network,
  key: string,
  record: Message,
  state: Message,
  joined: Joined,
  offer: JoinAccept,
  muted: boolean,
): void => {
  const request: Message = {
    downlink_settings: { rx1_dr_offset: offer.rx1DrOffset, rx2_dr: offer.rx2DataRate, opt_neg: offer.optNeg },
    rx_delay: offer.rxDelay,
    ...(offer.frequencies.length === 0
      ? {}
      : { cf_list: { freq: offer.frequencies.map((frequency) => frequency / 100) } }),
  }
  const keys: Message = {
    session_key_id: joined.sessionKeyId,
    f_nwk_s_int_key: { key: joined.keys.fNwkSIntKey },
    s_nwk_s_int_key: { key: joined.keys.sNwkSIntKey },
    nwk_s_enc_key: { key: joined.keys.nwkSEncKey },
  }
  const { pending_session: _, ...rest } = record
  // What is not sent stays queued: the pending session comes about when the accept goes out (recordings/things-stack-radio.json).
  const pending = muted
    ? {
        pending_mac_state: {
          ...state,
          rx_windows_available: true,
          queued_join_accept: {
            payload: joined.accept.toString('base64'),
            request,
            keys,
            dev_addr: offer.devAddr,
            net_id: offer.netId,
          },
        },
      }
    : {
        pending_mac_state: {
          ...state,
          pending_join_request: request,
          recent_downlinks: [{ payload: { m_hdr: { m_type: 'JOIN_ACCEPT' } } }],
        },
        pending_session: { dev_addr: offer.devAddr, keys },
      }
  network.networkServer.set(
    key,
    decode('EndDevice', { ...rest, ...pending, updated_at: network.clock.nanos() }),
  )
  if (muted) return
  const application = network.applicationServer.get(key)
  if (application !== undefined) {
    const session = {
      dev_addr: offer.devAddr,
      keys: { session_key_id: joined.sessionKeyId, app_s_key: { key: joined.keys.appSKey } },
    }
    network.applicationServer.set(
      key,
      decode('EndDevice', { ...application, pending_session: session, updated_at: network.clock.nanos() }),
    )
    const waiting = child(record, 'session') ?? child(record, 'pending_session')
    followJoin(network, key, queueOf(waiting), child(application, 'pending_session'))
    const identity = network.identityServer.get(key)
    if (identity !== undefined)
      network.identityServer.set(
        key,
        decode('EndDevice', { ...identity, last_seen_at: network.clock.micros() }),
      )
  }
}

const recentJoin = (network: Network, frame: Frame, request: JoinRequest, channel: number): Message => {
  const nonce = request.devNonce.toString(16).toUpperCase().padStart(4, '0')
  return {
    payload: {
      m_hdr: {},
      mic: request.mic.toString('base64'),
      join_request_payload: { join_eui: request.joinEui, dev_eui: request.devEui, dev_nonce: nonce },
    },
    settings: { data_rate: { lora: { ...loraOf(frame.dataRate) } } },
    received_at: network.clock.nanos(),
    device_channel_index: channel,
  }
}

const stateOf = (record: Message): Message | string => {
  try {
    return deriveMacState(record)
  } catch (error) {
    if (error instanceof StackError) return error.message
    throw error
  }
}

/** Hears a join-request: checked by channel, nonce and integrity code; a muted device is processed and not answered. */
export const hearJoinRequest = (network: Network, frame: HeardBy, request: JoinRequest): HeardFrame => {
  const found = byEuis(network.networkServer, request)
  if (found === undefined) return refused('the Network Server has no device with these EUIs')
  const [key, record] = found
  if (record['supports_join'] !== true)
    return refused('the device is activated by personalisation and may not join')
  const state = stateOf(record)
  if (typeof state === 'string') return refused(state)
  const plan = textAt(record, 'frequency_plan_id') ?? ''
  const channels = listAt(state, 'current_parameters.channels')
  const index = channels.findIndex((channel) => Number(channel['uplink_frequency']) === frame.frequency)
  if (index < 0)
    return refused(`${frame.frequency} Hz is none of the channels that a device of ${plan} may join on`)
  const rate = dataRateIndex(plan, frame.dataRate)
  if (rate === undefined) return refused(`data rate ${frame.dataRate} is unknown on ${plan}`)
  const version = textAt(record, 'lorawan_version') ?? ''
  let devAddr = randomDevAddr(network)
  while (devAddr === textAt(record, 'session.dev_addr')) devAddr = randomDevAddr(network)
  const offer: JoinAccept = {
    joinNonce: 0,
    netId: network.facts.netId,
    devAddr,
    optNeg: version === 'MAC_V1_1',
    rx1DrOffset: numberAt(state, 'desired_parameters.rx1_data_rate_offset'),
    rx2DataRate: numberAt(state, 'desired_parameters.rx2_data_rate_index'),
    rxDelay: numberAt(state, 'desired_parameters.rx1_delay'),
    frequencies: channelList(record, plan),
  }
  const joined = joinServer(network, request, version, offer)
  if (typeof joined === 'string') return refused(joined)
  const muted = child(record, 'mac_settings')?.['schedule_downlinks'] === false
  storePending(
    network,
    key,
    record,
    { ...state, recent_uplinks: [recentJoin(network, frame, request, index)] },
    joined,
    offer,
    muted,
  )
  if (muted) return { accepted: true, downlinks: [] }
  const down = Number(channels[index]?.['downlink_frequency'] ?? frame.frequency)
  const downlink: Downlink = {
    phyPayload: joined.accept,
    frequency: down,
    dataRate: downlinkDataRate(plan, rate, 0),
    delay: acceptDelay,
  }
  const { delay: _, ...sent } = downlink
  transmit(network, { gatewayId: frame.gatewayId, class: 'A', ...sent, time: network.clock.nanos() })
  return { accepted: true, downlinks: [downlink] }
}

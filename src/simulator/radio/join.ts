import { randomBytes } from 'node:crypto'
import { decode } from '../json/decode.ts'
import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import type { RecordStore } from '../store.ts'
import { usesChannelMasks, bandOf } from '../things-stack/bands.ts'
import { randomDevAddr } from '../things-stack/configuration.ts'
import { StackError } from '../things-stack/errors.ts'
import { deriveMacState } from '../things-stack/mac-state.ts'
import {
  type DerivedKeys,
  deriveKeys10,
  deriveKeys11,
  encryptJoinAccept,
  type JoinContext,
  joinIntegrityKey,
  joinMic,
  reversed,
} from './crypto.ts'
import { dataRateIndex, downlinkDataRate, loraOf } from './data-rates.ts'
import { buildJoinAccept, type JoinAccept, type JoinRequest } from './frames.ts'
import { type Frame, type HeardFrame, refused } from './hear.ts'

const acceptDelay = 5
const nonceMemory = 10

/** The record of a registry whose EUIs are these. */
const byEuis = (store: RecordStore, { joinEui, devEui }: JoinRequest): [string, Message] | undefined =>
  store.withEuis(joinEui, devEui)[0]

const countsNonces = (version: string): boolean => version === 'MAC_V1_0_4' || version === 'MAC_V1_1'

/** Which root keys network and application use (API notes, section 7; domain notes, "root_key_id"). */
const rootKeysFor = (
  record: Message,
  version: string,
): { readonly network: string; readonly application: string } | undefined => {
  const appKey = textAt(record, 'root_keys.app_key.key')
  const nwkKey = textAt(record, 'root_keys.nwk_key.key')
  const usesNwkKey =
    nwkKey !== undefined &&
    (version === 'MAC_V1_1' || textAt(record, 'root_keys.root_key_id') !== 'ttn-lw-cli-generated')
  if (version === 'MAC_V1_1')
    return nwkKey === undefined || appKey === undefined ? undefined : { network: nwkKey, application: appKey }
  const key = usesNwkKey ? nwkKey : appKey
  return key === undefined ? undefined : { network: key, application: key }
}

/** Takes the nonce into the record; a text says why it is refused. */
const useNonce = (record: Message, version: string, nonce: number): string | undefined => {
  const resets = record['resets_join_nonces'] === true
  if (countsNonces(version)) {
    const last = numberAt(record, 'last_dev_nonce')
    const first = nonce === 0 && last === 0 && numberAt(record, 'last_join_nonce') === 0
    if (!first && !resets && nonce <= last) return `DevNonce ${nonce} is too small, the last one was ${last}`
    record['last_dev_nonce'] = nonce
    return undefined
  }
  const used = record['used_dev_nonces']
  const list = Array.isArray(used) ? used.map(Number) : []
  if (list.includes(nonce)) return resets ? undefined : `DevNonce ${nonce} has already been used`
  record['used_dev_nonces'] = [...list, nonce].slice(-nonceMemory)
  return undefined
}

interface Joined {
  readonly accept: Buffer
  readonly keys: DerivedKeys
  readonly sessionKeyId: string
}

/** The Join Server's part: nonces, integrity code, the encrypted accept and the session keys. */
const joinServer = (
  network: Network,
  request: JoinRequest,
  version: string,
  offer: Omit<JoinAccept, 'joinNonce'>,
): Joined | string => {
  const found = byEuis(network.joinServer, request)
  if (found === undefined) return 'the Join Server has no device with these EUIs'
  const [key, record] = found
  const refusal = useNonce(record, version, request.devNonce)
  if (refusal !== undefined) return refusal
  const root = rootKeysFor(record, version)
  if (root === undefined) return 'the Join Server has no root key for this device'
  if (!joinMic(root.network, request.message).equals(request.mic))
    return 'the integrity code of the join-request does not match'
  const joinNonce = numberAt(record, 'last_join_nonce') + 1
  const clear = buildJoinAccept({ ...offer, joinNonce })
  const header = Buffer.from([0x20])
  const nonce = request.message.subarray(17, 19)
  const integrity = offer.optNeg
    ? joinMic(
        joinIntegrityKey(root.network, request.devEui),
        Buffer.concat([Buffer.from([0xff]), reversed(request.joinEui), nonce, header, clear]),
      )
    : joinMic(root.network, Buffer.concat([header, clear]))
  const context: JoinContext = {
    joinEui: request.joinEui,
    devEui: request.devEui,
    devNonce: request.devNonce,
    joinNonce,
    netId: offer.netId,
  }
  const keys = offer.optNeg
    ? deriveKeys11(root.network, root.application, context)
    : deriveKeys10(root.network, root.application, context)
  const sessionKeyId = randomBytes(16).toString('base64')
  const ids = { ...child(record, 'ids'), dev_addr: offer.devAddr }
  network.joinServer.set(
    key,
    decode('EndDevice', { ...record, ids, last_join_nonce: joinNonce, updated_at: network.clock.nanos() }),
  )
  network.sessionKeys.set(`${request.joinEui}/${request.devEui}/${sessionKeyId}`, keys.appSKey)
  return {
    accept: Buffer.concat([header, encryptJoinAccept(root.network, Buffer.concat([clear, integrity]))]),
    keys,
    sessionKeyId,
  }
}

/** Frequencies that a device learns with its accept: up to five of the plan that the band has not. */
const channelList = (state: Message, plan: string): number[] => {
  if (usesChannelMasks(bandOf(plan))) return []
  const known = new Set(
    listAt(state, 'current_parameters.channels').map((channel) => channel['uplink_frequency']),
  )
  return listAt(state, 'desired_parameters.channels')
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
export const hearJoinRequest = (network: Network, frame: Frame, request: JoinRequest): HeardFrame => {
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
    frequencies: channelList(state, plan),
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
  return {
    accepted: true,
    downlinks: [
      {
        phyPayload: joined.accept,
        frequency: down,
        dataRate: downlinkDataRate(plan, rate, 0),
        delay: acceptDelay,
      },
    ],
  }
}

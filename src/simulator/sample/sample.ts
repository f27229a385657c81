import { dispatch, routeRequest } from '../dispatch.ts'
import { child, copy, type Message } from '../json/types.ts'
import { deviceKey, type Network } from '../network.ts'
import { uplinkToken } from '../radio/transmissions.ts'
import { bandOf, highestAdrDataRate } from '../things-stack/bands.ts'
import { deriveMacState } from '../things-stack/mac-state.ts'
import { sampleDevices } from './devices.ts'
import { fleetDevice } from './fleet.ts'
import type { SampleDevice, SampleSession } from './types.ts'

export type { SampleDevice, SampleSession, SampleSessionKeys } from './types.ts'

/** The gateway that has heard the sample devices. */
const gateway = { id: 'gw-source', eui: 'AA555A0000000001' }

const unlimited = { check: () => undefined }

/** Writes through the API, as anybody would, so that the sample can't hold what the server would refuse. */
const writer =
  (network: Network, token: string) =>
  (method: string, target: string, body: Message): Message => {
    const request = { method, target, authorization: `Bearer ${token}`, body: JSON.stringify(body) }
    const answer = dispatch(network, unlimited, routeRequest({ part: 'all' }, method, target), request, false)
    if (answer.status !== 200) throw new Error(`the sample was refused: ${method} ${target}: ${answer.body}`)
    return JSON.parse(answer.body) as Message
  }

const idsOf = ({ id, devEui, joinEui }: SampleDevice): Message => ({
  device_id: id,
  ...(devEui === undefined ? {} : { dev_eui: devEui }),
  ...(joinEui === undefined ? {} : { join_eui: joinEui }),
})

const leaves = (value: Message): string[] => Object.keys(value)

/** A made-up session key id, different for each device: base64 of sixteen bytes. */
const sessionKeyId = ({ devAddr }: SampleSession): string =>
  Buffer.from(devAddr.padStart(32, '0'), 'hex').toString('base64')

const networkKeys = ({ keys }: SampleSession): Message => ({
  f_nwk_s_int_key: { key: keys.fNwkSIntKey },
  s_nwk_s_int_key: { key: keys.sNwkSIntKey },
  nwk_s_enc_key: { key: keys.nwkSEncKey },
})

const basics = (device: SampleDevice): Message => ({
  ids: idsOf(device),
  supports_join: device.rootKeys !== undefined,
  lorawan_version: device.lorawanVersion,
  lorawan_phy_version: device.phyVersion,
  frequency_plan_id: device.frequencyPlan,
  ...device.network,
})

const recentUplink = (device: SampleDevice, { devAddr, lastFCntUp }: SampleSession): Message => ({
  payload: {
    m_hdr: { m_type: 'UNCONFIRMED_UP' },
    mic: 'AAAAAA==',
    mac_payload: {
      f_hdr: { dev_addr: devAddr, f_ctrl: { adr: true }, f_cnt: lastFCntUp % 65536 },
      f_port: 1,
      frm_payload: 'AQ==',
    },
  },
  settings: { data_rate: { lora: { bandwidth: 125000, spreading_factor: 7, coding_rate: '4/5' } } },
  rx_metadata: [
    {
      gateway_ids: { gateway_id: gateway.id, eui: gateway.eui },
      channel_rssi: -60,
      snr: 9,
      uplink_token: uplinkToken(gateway.id),
    },
  ],
  received_at: '2026-01-05T08:00:00.000000001Z',
  device_channel_index: device.frequencyPlan.startsWith('US') ? 8 : 0,
})

/** The state of a device that has obeyed its network: everything current as desired, apart from the RX1 delay. */
const completeState = (device: SampleDevice, session: SampleSession): Message => {
  const state = deriveMacState(basics(device))
  const desired = child(state, 'desired_parameters') ?? {}
  const fastest = highestAdrDataRate(bandOf(device.frequencyPlan), device.phyVersion)
  const current: Message = { ...copy(desired), adr_data_rate_index: fastest, rx1_delay: device.rx1Delay }
  const classB = device.network?.['supports_class_b'] === true ? { device_class: 'CLASS_B' } : {}
  return {
    ...state,
    ...classB,
    current_parameters: current,
    desired_parameters: { ...desired, adr_data_rate_index: fastest },
    last_dev_status_f_cnt_up: Math.max(1, session.lastFCntUp - 20),
    recent_uplinks: [recentUplink(device, session)],
    ...(device.pendingRequests === undefined ? {} : { pending_requests: [...device.pendingRequests] }),
  }
}

const writeNetworkServer = (write: ReturnType<typeof writer>, path: string, device: SampleDevice): void => {
  const { session } = device
  const body: Message = basics(device)
  const mask = leaves(body).filter((name) => name !== 'ids')
  if (session !== undefined) {
    body['session'] = {
      dev_addr: session.devAddr,
      keys: {
        ...(device.rootKeys === undefined ? {} : { session_key_id: sessionKeyId(session) }),
        ...networkKeys(session),
      },
      ...(device.multicast ? {} : { last_f_cnt_up: session.lastFCntUp }),
      last_n_f_cnt_down: session.lastNFCntDown,
    }
    mask.push(
      'session.dev_addr',
      'session.last_n_f_cnt_down',
      ...(device.multicast ? [] : ['session.last_f_cnt_up']),
    )
    mask.push(
      ...['f_nwk_s_int_key', 's_nwk_s_int_key', 'nwk_s_enc_key'].map((name) => `session.keys.${name}.key`),
    )
    if (device.rootKeys !== undefined) mask.push('session.keys.session_key_id')
    if (device.macState === 'complete') {
      body['mac_state'] = completeState(device, session)
      mask.push('mac_state')
    }
  }
  write('PUT', `/ns${path}`, { end_device: body, field_mask: { paths: mask } })
  if (session !== undefined) {
    write('PUT', `/ns${path}`, {
      end_device: { ids: idsOf(device), session: { started_at: '2025-06-01T06:30:00.123456789Z' } },
      field_mask: { paths: ['session.started_at'] },
    })
  }
}

const writeApplicationServer = (
  write: ReturnType<typeof writer>,
  path: string,
  device: SampleDevice,
): void => {
  const { session } = device
  const body: Message = { ids: idsOf(device), ...device.application }
  const mask = leaves(body).filter((name) => name !== 'ids')
  if (session !== undefined) {
    const keyId = device.rootKeys === undefined ? {} : { session_key_id: sessionKeyId(session) }
    body['session'] = {
      dev_addr: session.devAddr,
      keys: { ...keyId, app_s_key: { key: session.keys.appSKey } },
      last_a_f_cnt_down: session.lastAFCntDown,
    }
    mask.push('session.dev_addr', 'session.keys.app_s_key.key', 'session.last_a_f_cnt_down')
    if (device.rootKeys !== undefined) mask.push('session.keys.session_key_id')
  }
  write('PUT', `/as${path}`, { end_device: body, field_mask: { paths: mask } })
}

const writeJoinServer = (write: ReturnType<typeof writer>, path: string, device: SampleDevice): void => {
  const { rootKeys } = device
  if (rootKeys === undefined) return
  const counts = device.lorawanVersion === 'MAC_V1_0_4' || device.lorawanVersion === 'MAC_V1_1'
  const nonces: Message = counts
    ? { last_dev_nonce: device.lastDevNonce, last_join_nonce: device.lastJoinNonce }
    : {
        ...(device.lastDevNonce === 0 ? {} : { used_dev_nonces: [5, device.lastDevNonce] }),
        last_join_nonce: device.lastJoinNonce,
      }
  const body: Message = {
    ids: idsOf(device),
    root_keys: {
      app_key: { key: rootKeys.appKey },
      ...(rootKeys.nwkKey === undefined ? {} : { nwk_key: { key: rootKeys.nwkKey } }),
      ...(rootKeys.rootKeyId === undefined ? {} : { root_key_id: rootKeys.rootKeyId }),
    },
    ...nonces,
  }
  const mask = ['root_keys.app_key.key', 'root_keys.nwk_key.key', 'root_keys.root_key_id', ...leaves(nonces)]
  write('PUT', `/js${path}`, { end_device: body, field_mask: { paths: mask } })
}

/** A pending session can't be written the way a join makes it; so it is put into the stores directly. */
const addPendingSession = (
  network: Network,
  key: string,
  device: SampleDevice,
  session: SampleSession,
): void => {
  const record = network.networkServer.get(key) ?? {}
  const state = deriveMacState(record)
  const join: Message = {
    downlink_settings: { rx2_dr: 3 },
    rx_delay: 5,
    cf_list: { freq: device.channels.slice(3).map((frequency) => frequency / 100) },
  }
  network.networkServer.set(key, {
    ...record,
    pending_mac_state: { ...state, pending_join_request: join },
    pending_session: {
      dev_addr: session.devAddr,
      keys: { session_key_id: sessionKeyId(session), ...networkKeys(session) },
    },
  })
  const own = network.applicationServer.get(key) ?? {}
  network.applicationServer.set(key, {
    ...own,
    pending_session: {
      dev_addr: session.devAddr,
      keys: { session_key_id: sessionKeyId(session), app_s_key: { key: session.keys.appSKey } },
    },
  })
}

/** Registers a device as it is described, through the API where the API can. */
const register = (
  network: Network,
  write: ReturnType<typeof writer>,
  application: string,
  device: SampleDevice,
): void => {
  const seen =
    device.session === undefined || device.multicast
      ? {}
      : { activated_at: '2025-06-01T06:30:01.000001Z', last_seen_at: '2026-01-05T08:00:00.000001Z' }
  write('POST', `/applications/${application}/devices`, {
    end_device: { ids: idsOf(device), ...device.identity, ...seen },
  })
  if (device.registeredOn === 'identity-server') return
  const path = `/applications/${application}/devices/${device.id}`
  writeJoinServer(write, path, device)
  writeNetworkServer(write, path, device)
  writeApplicationServer(write, path, device)
  if (device.pendingSession !== undefined)
    addPendingSession(network, deviceKey(application, device.id), device, device.pendingSession)
}

/**
 * Registers devices in an application: the sample, or so many of a large fleet.
 * @param token an API key that may write it
 */
export const buildSample = (
  network: Network,
  application: string,
  token: string,
  fleet?: number,
): readonly SampleDevice[] => {
  const write = writer(network, token)
  const devices =
    fleet === undefined ? sampleDevices : Array.from({ length: fleet }, (_, number) => fleetDevice(number))
  for (const device of devices) register(network, write, application, device)
  return devices
}

import type { DeviceIds, Fields } from '../../src/domain/device.ts'
import { parseDevEui, parseJoinEui } from '../../src/domain/identifiers.ts'
import type { RegistryWrite } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { randomEui, randomId, randomKey } from './bench.ts'

/** EUIs in range, typed; tests fail loudly on a typing mistake of their own. */
export const idsWith = (
  euis: { readonly devEui?: string; readonly joinEui?: string },
  deviceId?: string,
): DeviceIds => {
  const devEui = euis.devEui === undefined ? undefined : parseDevEui(euis.devEui)
  const joinEui = euis.joinEui === undefined ? undefined : parseJoinEui(euis.joinEui)
  return {
    deviceId: deviceId ?? randomId('dev'),
    ...(devEui === undefined ? {} : { devEui }),
    ...(joinEui === undefined ? {} : { joinEui }),
  }
}

export const newIds = (): DeviceIds => idsWith({ devEui: randomEui(), joinEui: randomEui() })
export const newKey = (): Secret => new Secret(randomKey())

const CHANNELS = ['868100000', '868300000', '868500000', '867100000'].map((frequency) => ({
  uplink_frequency: frequency,
  downlink_frequency: frequency,
  max_data_rate_index: 5,
  enable_uplink: true,
}))

const PARAMETERS = {
  max_eirp: 16,
  adr_data_rate_index: 5,
  adr_tx_power_index: 1,
  adr_nb_trans: 1,
  rx1_delay: 5,
  rx2_data_rate_index: 3,
  rx2_frequency: '869525000',
  ping_slot_frequency: '869525000',
  beacon_frequency: '869525000',
  channels: CHANNELS,
  adr_ack_limit_exponent: 'ADR_ACK_LIMIT_64',
  adr_ack_delay_exponent: 'ADR_ACK_DELAY_32',
  ping_slot_data_rate_index_value: 3,
}

const MAC_STATE = {
  current_parameters: PARAMETERS,
  desired_parameters: PARAMETERS,
  lorawan_version: 'MAC_V1_0_3',
}

const IDENTITY: Fields = {
  name: 'Zähler 17',
  description: 'cellar',
  attributes: { floor: '3', site: 'hq' },
  version_ids: { brand_id: 'acme', model_id: 'meter', firmware_version: '1.2', band_id: 'EU_863_870' },
  locations: { user: { latitude: 52.1, longitude: 4.9, altitude: 3, source: 'SOURCE_REGISTRY' } },
}

export const NETWORK_BASICS: Fields = {
  frequency_plan_id: 'EU_863_870_TTN',
  lorawan_version: 'MAC_V1_0_3',
  lorawan_phy_version: 'PHY_V1_0_3_REV_A',
}

/** A joined 1.0.3 device with a session that goes on, as four writes in the order of creation. */
export const joinedDevice = (ids: DeviceIds): readonly RegistryWrite[] => {
  const [sessionKeyId, networkKey] = ['AZMc0o1bHkqQm0h2VYk0Pw==', newKey()]
  return [
    { registry: 'identity-server', ids, fields: IDENTITY, create: true },
    {
      registry: 'join-server',
      ids,
      fields: {
        'root_keys.app_key.key': newKey(),
        used_dev_nonces: [411, 1902, 60011],
        last_join_nonce: 12,
      },
    },
    {
      registry: 'application-server',
      ids,
      fields: {
        'session.dev_addr': '26011ABC',
        'session.keys.session_key_id': sessionKeyId,
        'session.keys.app_s_key.key': newKey(),
        'session.last_a_f_cnt_down': 56,
        formatters: {
          up_formatter: 'FORMATTER_JAVASCRIPT',
          up_formatter_parameter: 'function decodeUplink(i) { return { data: {} } }',
        },
        skip_payload_crypto_override: false,
      },
    },
    {
      registry: 'network-server',
      ids,
      fields: {
        ...NETWORK_BASICS,
        supports_join: true,
        'mac_settings.rx1_delay': 5,
        'mac_settings.rx2_frequency': '869525000',
        'mac_settings.supports_32_bit_f_cnt': false,
        'mac_settings.schedule_downlinks': false,
        'mac_settings.status_count_periodicity': 0,
        'mac_settings.class_c_timeout': '300s',
        'mac_settings.factory_preset_frequencies': ['868100000', '868300000'],
        'mac_settings.adr': { static: { data_rate_index: 3, tx_power_index: 1, nb_trans: 2 } },
        mac_state: MAC_STATE,
        'session.dev_addr': '26011ABC',
        'session.keys.session_key_id': sessionKeyId,
        'session.keys.f_nwk_s_int_key.key': networkKey,
        'session.keys.s_nwk_s_int_key.key': networkKey,
        'session.keys.nwk_s_enc_key.key': networkKey,
        'session.last_f_cnt_up': 1234,
        'session.last_n_f_cnt_down': 56,
        'session.last_conf_f_cnt_down': 40,
      },
    },
  ]
}

/** Every MAC setting that a device in EU_863_870 may have, with zeros and falses where they are legal. */
export const ALL_MAC_SETTINGS: Fields = {
  'mac_settings.class_b_timeout': '60s',
  'mac_settings.class_c_timeout': '0.500s',
  'mac_settings.class_b_c_downlink_interval': '5s',
  'mac_settings.ping_slot_periodicity': 'PING_EVERY_4S',
  'mac_settings.ping_slot_data_rate_index': 0,
  'mac_settings.ping_slot_frequency': '869525000',
  'mac_settings.beacon_frequency': '869525000',
  'mac_settings.rx1_delay': 0,
  'mac_settings.rx1_data_rate_offset': 0,
  'mac_settings.rx2_data_rate_index': 0,
  'mac_settings.rx2_frequency': '869525000',
  'mac_settings.factory_preset_frequencies': ['868100000', '868300000', '868500000'],
  'mac_settings.max_duty_cycle': 'DUTY_CYCLE_1',
  'mac_settings.supports_32_bit_f_cnt': false,
  'mac_settings.resets_f_cnt': false,
  'mac_settings.schedule_downlinks': false,
  'mac_settings.status_time_periodicity': '0s',
  'mac_settings.status_count_periodicity': 0,
  'mac_settings.desired_rx1_delay': 5,
  'mac_settings.desired_rx1_data_rate_offset': 0,
  'mac_settings.desired_rx2_data_rate_index': 3,
  'mac_settings.desired_rx2_frequency': '869525000',
  'mac_settings.desired_max_duty_cycle': 'DUTY_CYCLE_4',
  'mac_settings.desired_adr_ack_limit_exponent': 'ADR_ACK_LIMIT_32',
  'mac_settings.desired_adr_ack_delay_exponent': 'ADR_ACK_DELAY_16',
  'mac_settings.desired_ping_slot_data_rate_index': 3,
  'mac_settings.desired_ping_slot_frequency': '869525000',
  'mac_settings.desired_beacon_frequency': '869525000',
  'mac_settings.desired_max_eirp': 'DEVICE_EIRP_14',
  'mac_settings.adr': {
    dynamic: {
      margin: 12,
      min_data_rate_index: 0,
      max_data_rate_index: 5,
      min_nb_trans: 1,
      max_nb_trans: 3,
      overrides: { data_rate_0: { max_nb_trans: 2 } },
    },
  },
}

import { randomBytes } from 'node:crypto'
import type { Message } from '../json/types.ts'
import type { Network } from '../network.ts'
import { deriveParameters, frequencyPlans, phyName, phyVersions } from './bands.ts'
import { type Call, param, type Registry, type Route } from './call.ts'
import { decodeError } from './errors.ts'

const open = (path: string, rpc: string, registry: Registry, body: (call: Call) => Message): Route => ({
  method: 'GET',
  path,
  rpc: `/ttn.lorawan.v3.${rpc}`,
  registry,
  prepare: (call) => ({ run: () => ({ body: body(call) }) }),
})

/** A random DevAddr of the network's own block, eight hexadecimal digits. */
export const randomDevAddr = ({ facts }: Network): string => {
  const [prefix = '00000000', length = '0'] = facts.devAddrPrefix.split('/')
  const bits = 32 - Number(length)
  const mask = bits === 32 ? 0xffffffff : 2 ** bits - 1
  const random = randomBytes(4).readUInt32BE() & mask
  return ((Number.parseInt(prefix, 16) | random) >>> 0).toString(16).toUpperCase().padStart(8, '0')
}

const eirpNames: Readonly<Record<number, string>> = {
  8: '8',
  10: '10',
  12: '12',
  13: '13',
  14: '14',
  16: '16',
  18: '18',
  20: '20',
  21: '21',
  24: '24',
  26: '26',
  27: '27',
  29: '29',
  30: '30',
  33: '33',
  36: '36',
}

const defaultSettings = (call: Call): Message => {
  const { current, desired } = deriveParameters(
    param(call, 'plan'),
    phyName(param(call, 'phy')) ?? param(call, 'phy'),
  )
  const eirp = eirpNames[Math.floor(Number(desired['max_eirp']))]
  return {
    class_b_timeout: '600s',
    ping_slot_data_rate_index: current['ping_slot_data_rate_index_value'],
    ping_slot_frequency: current['ping_slot_frequency'] ?? '0',
    beacon_frequency: current['beacon_frequency'] ?? '0',
    class_c_timeout: '300s',
    rx1_delay: current['rx1_delay'],
    rx1_data_rate_offset: 0,
    rx2_data_rate_index: current['rx2_data_rate_index'] ?? 0,
    rx2_frequency: current['rx2_frequency'],
    max_duty_cycle: 'DUTY_CYCLE_1',
    supports_32_bit_f_cnt: true,
    use_adr: true,
    adr_margin: 15,
    resets_f_cnt: false,
    status_time_periodicity: '86400s',
    status_count_periodicity: 200,
    desired_rx1_delay: desired['rx1_delay'],
    desired_rx1_data_rate_offset: 0,
    desired_rx2_data_rate_index: desired['rx2_data_rate_index'] ?? 0,
    desired_rx2_frequency: desired['rx2_frequency'],
    desired_max_duty_cycle: 'DUTY_CYCLE_1',
    desired_adr_ack_limit_exponent: desired['adr_ack_limit_exponent'],
    desired_adr_ack_delay_exponent: desired['adr_ack_delay_exponent'],
    desired_ping_slot_data_rate_index: desired['ping_slot_data_rate_index_value'],
    desired_ping_slot_frequency: desired['ping_slot_frequency'] ?? '0',
    desired_beacon_frequency: desired['beacon_frequency'] ?? '0',
    ...(eirp === undefined ? {} : { desired_max_eirp: `DEVICE_EIRP_${eirp}` }),
    schedule_downlinks: true,
  }
}

const defaultMacSettings: Route = {
  ...open('/ns/default_mac_settings/:plan/:phy', 'Ns/GetDefaultMACSettings', 'ns', defaultSettings),
  prepare: (call) => {
    if (
      !/^(?:(?:PHY|RP00[12]|TS00\d)_|\d+$)/.test(param(call, 'phy')) ||
      phyName(param(call, 'phy')) === undefined
    ) {
      throw decodeError(
        `type mismatch, parameter: lorawan_phy_version, error: ${param(call, 'phy')} is not valid`,
      )
    }
    return { run: () => ({ body: defaultSettings(call) }) }
  },
}

const plans = ({ query }: Call): Message => {
  const band = query.get('band_id')
  const base = query.get('base_frequency')
  const chosen = frequencyPlans.filter(
    (plan) =>
      (band === null || band === '' || plan.band_id === band) &&
      (base === null || base === '' || base === '0' || String(plan['base_frequency']) === base),
  )
  return chosen.length === 0 ? {} : { frequency_plans: [...chosen] }
}

const versions = ({ query }: Call): Message => {
  const band = query.get('band_id')
  const chosen = Object.entries(phyVersions).filter(([id]) => band === null || band === '' || id === band)
  return chosen.length === 0
    ? {}
    : {
        version_info: chosen.map(([band_id, phy_versions]) => ({ band_id, phy_versions: [...phy_versions] })),
      }
}

const formats: Message = {
  'the-things-stack': {
    name: 'The Things Stack JSON',
    description: 'File containing end devices in The Things Stack JSON format.',
    file_extensions: ['.json'],
  },
  'the-things-stack-csv': {
    name: 'The Things Stack CSV',
    description: 'File containing end devices in The Things Stack CSV format.',
    file_extensions: ['.csv'],
  },
}

/** What a network says of itself to anybody (API notes, section 15.1). */
export const configurationRoutes: readonly Route[] = [
  open('/ns/net_id', 'Ns/GetNetID', 'ns', ({ network }) => ({ net_id: network.facts.netId })),
  open('/ns/dev_addr', 'Ns/GenerateDevAddr', 'ns', ({ network }) => ({ dev_addr: randomDevAddr(network) })),
  open('/ns/dev_addr_prefixes', 'Ns/GetDeviceAddressPrefixes', 'ns', ({ network }) => ({
    dev_addr_prefixes: [network.facts.devAddrPrefix],
  })),
  defaultMacSettings,
  open('/configuration/frequency-plans', 'Configuration/ListFrequencyPlans', 'all', plans),
  open('/configuration/phy-versions', 'Configuration/GetPhyVersions', 'all', versions),
  open('/edtc/formats', 'EndDeviceTemplateConverter/ListFormats', 'edtc', () => ({ formats })),
]

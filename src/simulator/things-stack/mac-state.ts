import { decode } from '../json/decode.ts'
import { child, type Json, listAt, type Message, textAt } from '../json/types.ts'
import { deriveParameters, usesChannelMasks } from './bands.ts'

const nonZero = (value: Json | undefined): Json | undefined => (value === '0' ? undefined : value)

const override = (target: Message, name: string, value: Json | undefined): void => {
  if (value !== undefined) target[name] = value
}

const presetChannels = (
  channels: readonly Message[],
  presets: readonly string[],
  bandId: string,
): Message[] => {
  if (presets.length === 0) return channels.map((channel) => ({ ...channel }))
  const own = new Set(channels.map((channel) => channel['uplink_frequency']))
  const top = Math.max(0, ...channels.map((channel) => Number(channel['max_data_rate_index'] ?? 0)))
  const known = channels.map((channel) => {
    const { enable_uplink: _, ...rest } = channel
    return presets.includes(String(channel['uplink_frequency'])) ? { ...rest, enable_uplink: true } : rest
  })
  if (usesChannelMasks(bandId)) return known
  const added = presets
    .filter((frequency) => !own.has(frequency))
    .map((frequency) => ({
      uplink_frequency: frequency,
      downlink_frequency: frequency,
      max_data_rate_index: top,
      enable_uplink: true,
    }))
  return [...known, ...added]
}

/** The plan's channels are asked for in any case; factory presets that the plan has not are asked to be off. */
const desiredChannels = (current: readonly Message[], plan: readonly Message[]): Message[] => {
  const wanted = new Map(plan.map((channel) => [channel['uplink_frequency'], channel]))
  const first = current.map((channel) => {
    const { enable_uplink: _, ...rest } = channel
    const match = wanted.get(channel['uplink_frequency'])
    wanted.delete(channel['uplink_frequency'])
    return match ?? rest
  })
  return [...first, ...wanted.values()]
}

const deviceClass = (device: Message): string => {
  const rekeys = device['lorawan_version'] === 'MAC_V1_1'
  if (device['supports_class_c'] === true && (!rekeys || device['multicast'] === true)) return 'CLASS_C'
  return device['multicast'] === true && device['supports_class_b'] === true ? 'CLASS_B' : 'CLASS_A'
}

/**
 * The MAC state that a Network Server derives for a session that comes without one: from frequency plan, PHY version,
 * class flags and `mac_settings` (API notes, section 6.5; the values are those of
 * recordings/things-stack-derived-mac-states.json).
 * @throws StackError for an unknown plan or PHY version
 */
export const deriveMacState = (device: Message): Message => {
  const { bandId, current, desired } = deriveParameters(
    textAt(device, 'frequency_plan_id') ?? '',
    textAt(device, 'lorawan_phy_version') ?? 'PHY_UNKNOWN',
  )
  const settings = child(device, 'mac_settings') ?? {}
  const setUnlessPlan = (name: string, value: Json | undefined): void => {
    // What the plan sets differs from the band's own value; only then it beats the device's current setting.
    if (desired[name] === current[name]) override(desired, name, value)
  }
  setUnlessPlan('rx2_data_rate_index', settings['rx2_data_rate_index'])
  setUnlessPlan('rx2_frequency', nonZero(settings['rx2_frequency']))
  setUnlessPlan('ping_slot_frequency', nonZero(settings['ping_slot_frequency']))
  setUnlessPlan('beacon_frequency', nonZero(settings['beacon_frequency']))
  setUnlessPlan('ping_slot_data_rate_index_value', settings['ping_slot_data_rate_index'])

  for (const name of ['rx1_delay', 'rx1_data_rate_offset', 'rx2_data_rate_index', 'max_duty_cycle']) {
    override(current, name, settings[name])
  }
  for (const name of ['rx2_frequency', 'ping_slot_frequency', 'beacon_frequency']) {
    override(current, name, nonZero(settings[name]))
  }
  override(current, 'ping_slot_data_rate_index_value', settings['ping_slot_data_rate_index'])
  if (desired['uplink_dwell_time'] !== undefined) {
    override(current, 'uplink_dwell_time', settings['uplink_dwell_time'])
    override(current, 'downlink_dwell_time', settings['downlink_dwell_time'])
  }
  override(desired, 'rx1_data_rate_offset', settings['rx1_data_rate_offset'])
  override(desired, 'max_duty_cycle', settings['max_duty_cycle'])
  for (const name of [
    'rx1_delay',
    'rx1_data_rate_offset',
    'rx2_data_rate_index',
    'max_duty_cycle',
    'adr_ack_limit_exponent',
    'adr_ack_delay_exponent',
  ]) {
    override(desired, name, settings[`desired_${name}`])
  }
  for (const name of ['rx2_frequency', 'ping_slot_frequency', 'beacon_frequency']) {
    override(desired, name, nonZero(settings[`desired_${name}`]))
  }
  override(desired, 'ping_slot_data_rate_index_value', settings['desired_ping_slot_data_rate_index'])
  const eirp = /^DEVICE_EIRP_(\d+)$/.exec(String(settings['desired_max_eirp'] ?? ''))?.[1]
  if (eirp !== undefined) desired['max_eirp'] = Number(eirp)

  const presets = settings['factory_preset_frequencies']
  const channels = presetChannels(
    listAt(current, 'channels'),
    Array.isArray(presets) ? presets.map(String) : [],
    bandId,
  )
  const multicast = device['multicast'] === true
  current['channels'] = multicast
    ? channels.map(({ downlink_frequency }) => ({ downlink_frequency }))
    : channels
  desired['channels'] = desiredChannels(channels, listAt(desired, 'channels'))
  return decode('MACState', {
    lorawan_version: device['lorawan_version'],
    device_class: deviceClass(device),
    ping_slot_periodicity: settings['ping_slot_periodicity'],
    current_parameters: current,
    desired_parameters: multicast ? current : desired,
  })
}

import { child, copy, listAt, type Message, numberAt } from '../json/types.ts'

const withChannels = (channels: readonly Message[], frequencies: readonly number[]): Message[] => {
  const top = Math.max(0, ...channels.map((channel) => Number(channel['max_data_rate_index'] ?? 0)))
  const added = frequencies.map((hundreds) => {
    const frequency = String(hundreds * 100)
    return {
      uplink_frequency: frequency,
      downlink_frequency: frequency,
      max_data_rate_index: top,
      enable_uplink: true,
    }
  })
  return [...channels, ...added]
}

const assign = (parameters: Message, name: string, value: number): void => {
  if (value === 0) delete parameters[name]
  else parameters[name] = value
}

/**
 * Makes the pending MAC state the MAC state, with what the join-accept told the device: RX1 delay and offset, RX2 data
 * rate and the channel list. A text says why that can't be done.
 */
export const promotePending = (device: Message): string | undefined => {
  const pending = child(device, 'pending_mac_state')
  const request = child(pending, 'pending_join_request')
  if (pending === undefined || request === undefined)
    return 'the join-accept of the pending session was never sent'
  const state = copy(pending)
  const parameters = child(state, 'current_parameters') ?? {}
  assign(parameters, 'rx1_delay', numberAt(request, 'rx_delay'))
  assign(parameters, 'rx1_data_rate_offset', numberAt(request, 'downlink_settings.rx1_dr_offset'))
  assign(parameters, 'rx2_data_rate_index', numberAt(request, 'downlink_settings.rx2_dr'))
  const frequencies = child(request, 'cf_list')?.['freq']
  parameters['channels'] = withChannels(
    listAt(parameters, 'channels'),
    Array.isArray(frequencies) ? frequencies.map(Number) : [],
  )
  delete state['pending_join_request']
  device['mac_state'] = state
  return undefined
}

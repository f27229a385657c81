import { at, child, listAt, type Message, numberAt } from '../json/types.ts'

/** A MAC command as it stands in FOpts. */
export interface Command {
  readonly id: number
  readonly body: Buffer
}

const uplinkLengths: Readonly<Record<number, number>> = {
  1: 1,
  2: 0,
  3: 1,
  4: 0,
  5: 1,
  6: 2,
  7: 1,
  8: 0,
  9: 0,
  10: 1,
  11: 1,
  12: 0,
  13: 0,
  15: 1,
  16: 1,
  17: 1,
  18: 0,
  19: 1,
  32: 1,
}
const downlinkLengths: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  3: 4,
  4: 1,
  5: 4,
  6: 0,
  7: 5,
  8: 1,
  9: 1,
  10: 4,
  11: 1,
  12: 1,
  13: 5,
  15: 1,
  16: 0,
  17: 4,
  18: 3,
  19: 3,
  32: 1,
}

const parse = (options: Buffer, lengths: Readonly<Record<number, number>>): readonly Command[] => {
  const commands: Command[] = []
  let index = 0
  while (index < options.length) {
    const id = options[index] ?? 0
    const length = lengths[id]
    if (length === undefined || index + 1 + length > options.length) break
    commands.push({ id, body: options.subarray(index + 1, index + 1 + length) })
    index += 1 + length
  }
  return commands
}

/** Reads what a device says; stops at a command that it does not know. */
export const parseUplinkCommands = (options: Buffer): readonly Command[] => parse(options, uplinkLengths)

/** Reads what a network says. */
export const parseDownlinkCommands = (options: Buffer): readonly Command[] => parse(options, downlinkLengths)

/** Commands that a device sends of its own accord; all others answer a request. */
export const initiatedByDevice = new Set([1, 2, 11, 13, 16, 18, 32])

const sticky: Readonly<Record<number, string>> = {
  5: 'CID_RX_PARAM_SETUP',
  8: 'CID_RX_TIMING_SETUP',
  9: 'CID_TX_PARAM_SETUP',
  10: 'CID_DL_CHANNEL',
}

/** Identifiers of answers that devices repeat until they hear a downlink. */
export const stickyIdentifiers = (commands: readonly Command[]): string[] =>
  commands.flatMap(({ id }) => {
    const name = sticky[id]
    return name === undefined ? [] : [name]
  })

const withoutZeros = (fields: Message): Message =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0 && value !== '0'))

const frequencyBytes = (hertz: number): Buffer => {
  const bytes = Buffer.alloc(3)
  bytes.writeUIntLE(hertz / 100, 0, 3)
  return bytes
}

/** Requests that bring a device from its current to its desired parameters, as `pending_requests` holds them. */
export const wantedRequests = (device: Message, statusDue: boolean): Message[] => {
  const state = child(device, 'mac_state')
  const current = child(state, 'current_parameters') ?? {}
  const desired = child(state, 'desired_parameters') ?? {}
  const recent = state?.['recent_mac_command_identifiers']
  const answered = new Set(Array.isArray(recent) ? recent : [])
  const differs = (name: string): boolean => (current[name] ?? 0) !== (desired[name] ?? 0)
  const requests: Message[] = []
  if (
    (differs('rx2_data_rate_index') || differs('rx2_frequency') || differs('rx1_data_rate_offset')) &&
    !answered.has('CID_RX_PARAM_SETUP')
  ) {
    requests.push({
      cid: 'CID_RX_PARAM_SETUP',
      rx_param_setup_req: withoutZeros({
        rx2_data_rate_index: desired['rx2_data_rate_index'] ?? 0,
        rx1_data_rate_offset: desired['rx1_data_rate_offset'] ?? 0,
        rx2_frequency: desired['rx2_frequency'],
      }),
    })
  }
  const known = listAt(current, 'channels')
  for (const [index, channel] of listAt(desired, 'channels').entries()) {
    if (known[index] !== undefined || channel['enable_uplink'] !== true) continue
    const { uplink_frequency, min_data_rate_index, max_data_rate_index } = channel
    requests.push({
      cid: 'CID_NEW_CHANNEL',
      new_channel_req: withoutZeros({
        channel_index: index,
        frequency: uplink_frequency,
        min_data_rate_index: min_data_rate_index ?? 0,
        max_data_rate_index: max_data_rate_index ?? 0,
      }),
    })
  }
  if (differs('rx1_delay') && !answered.has('CID_RX_TIMING_SETUP')) {
    requests.push({
      cid: 'CID_RX_TIMING_SETUP',
      rx_timing_setup_req: withoutZeros({ delay: desired['rx1_delay'] ?? 0 }),
    })
  }
  if (statusDue) requests.push({ cid: 'CID_DEV_STATUS' })
  return requests
}

/** A request, or an answer that the network owes, as bytes. */
export const encodeCommand = (command: Message): Buffer => {
  switch (command['cid']) {
    case 'CID_NEW_CHANNEL': {
      const request = child(command, 'new_channel_req')
      const range = (numberAt(request, 'max_data_rate_index') << 4) | numberAt(request, 'min_data_rate_index')
      return Buffer.concat([
        Buffer.from([7, numberAt(request, 'channel_index')]),
        frequencyBytes(numberAt(request, 'frequency')),
        Buffer.from([range]),
      ])
    }
    case 'CID_RX_PARAM_SETUP': {
      const request = child(command, 'rx_param_setup_req')
      const settings =
        (numberAt(request, 'rx1_data_rate_offset') << 4) | numberAt(request, 'rx2_data_rate_index')
      return Buffer.concat([Buffer.from([5, settings]), frequencyBytes(numberAt(request, 'rx2_frequency'))])
    }
    case 'CID_RX_TIMING_SETUP':
      return Buffer.from([8, numberAt(command, 'rx_timing_setup_req.delay')])
    case 'CID_DEV_STATUS':
      return Buffer.from([6])
    case 'CID_REKEY':
      return Buffer.from([11, 1])
    case 'CID_DEVICE_MODE':
      return Buffer.from([32, at(command, 'device_mode_conf.class') === 'CLASS_C' ? 2 : 0])
    case 'CID_LINK_CHECK':
      return Buffer.from([
        2,
        numberAt(command, 'link_check_ans.margin'),
        numberAt(command, 'link_check_ans.gateway_count'),
      ])
    default:
      return Buffer.alloc(0)
  }
}

const assignOrDrop = (target: Message, name: string, value: Message[string]): void => {
  if (value === undefined || value === 0) delete target[name]
  else target[name] = value
}

const applied: Readonly<
  Record<
    number,
    { readonly cid: string; readonly all: number; apply(parameters: Message, request: Message): void }
  >
> = {
  5: {
    cid: 'CID_RX_PARAM_SETUP',
    all: 7,
    apply: (parameters, request) => {
      const wanted = child(request, 'rx_param_setup_req') ?? {}
      for (const name of ['rx2_data_rate_index', 'rx1_data_rate_offset', 'rx2_frequency'])
        assignOrDrop(parameters, name, wanted[name])
    },
  },
  7: {
    cid: 'CID_NEW_CHANNEL',
    all: 3,
    apply: (parameters, request) => {
      const { frequency, min_data_rate_index, max_data_rate_index, channel_index } =
        child(request, 'new_channel_req') ?? {}
      const channels = listAt(parameters, 'channels')
      channels[Number(channel_index ?? 0)] = {
        uplink_frequency: frequency,
        downlink_frequency: frequency,
        ...(min_data_rate_index === undefined ? {} : { min_data_rate_index }),
        ...(max_data_rate_index === undefined ? {} : { max_data_rate_index }),
        enable_uplink: true,
      }
      parameters['channels'] = channels.filter((channel) => channel !== undefined)
    },
  },
  8: {
    cid: 'CID_RX_TIMING_SETUP',
    all: 0,
    apply: (parameters, request) =>
      assignOrDrop(parameters, 'rx1_delay', child(request, 'rx_timing_setup_req')?.['delay']),
  },
}

/**
 * Applies a device's answer to the current parameters, when the request that it answers is pending; the request is
 * taken off the list. An answer without a request changes nothing.
 */
export const applyAnswer = ({ id, body }: Command, parameters: Message, pending: Message[]): void => {
  const rule = applied[id]
  const index = pending.findIndex(
    (request) => request['cid'] === (rule?.cid ?? (id === 6 ? 'CID_DEV_STATUS' : '')),
  )
  if (index < 0) return
  const [request] = pending.splice(index, 1)
  if (rule === undefined || request === undefined) return
  if (rule.all === 0 || ((body[0] ?? 0) & rule.all) === rule.all) rule.apply(parameters, request)
}

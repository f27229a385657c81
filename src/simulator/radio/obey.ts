import { child, listAt, type Message, textAt } from '../json/types.ts'
import { cryptPayload } from './crypto.ts'
import type { ReceivedDataFrame } from './frames.ts'
import { applyAnswer, type Command, parseUplinkCommands, stickyIdentifiers } from './mac-commands.ts'
import { is11 } from './match.ts'

/** The MAC commands of an uplink, decrypted. */
export const readCommands = (
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
export const followClassBit = (device: Message, classB: boolean): void => {
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

/** Carries out what a device says in its MAC commands, and notes the answers that it is owed. */
export const obey = (device: Message, commands: readonly Command[], received: string, fCnt: number): void => {
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

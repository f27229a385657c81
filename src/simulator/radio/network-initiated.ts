import { instant } from '../clock.ts'
import { decode } from '../json/decode.ts'
import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { gatewayGroups } from './application-queue.ts'
import { downlinkRate } from './data-rates.ts'
import { buildDownlink, type DownlinkPlan, nextCounter, rememberDownlink } from './downlink-frame.ts'
import { queueOf } from './network-queue.ts'
import { afterFrame, giveBack, pickItem } from './pick.ts'
import { gatewayOfToken, transmit } from './transmissions.ts'

const classTimeoutMs = { B: 10 * 60 * 1000, C: 5 * 60 * 1000 }
const maxSends = 1000

const classOf = (device: Message): 'B' | 'C' | undefined => {
  const name = textAt(device, 'mac_state.device_class')
  return name === 'CLASS_C' ? 'C' : name === 'CLASS_B' ? 'B' : undefined
}

/** The gateways of the last uplink that still says how to answer it: where the tokens in `recent_uplinks` lead. */
const gatewaysOfUplinks = (device: Message): readonly string[] => {
  for (const uplink of listAt(device, 'mac_state.recent_uplinks').reverse()) {
    const tokens = listAt(uplink, 'rx_metadata').flatMap((metadata) => textAt(metadata, 'uplink_token') ?? [])
    if (tokens.length > 0) return tokens.map(gatewayOfToken)
  }
  return []
}

const hasPath = (device: Message, item: Message | undefined): boolean =>
  gatewayGroups(item).length > 0 || (device['multicast'] !== true && gatewaysOfUplinks(device).length > 0)

/** A duration as it is printed, `12.5s`, in milliseconds. */
const milliseconds = (text: string): number => Number(text.replace(/s$/, '')) * 1000

const lastUplinkAt = (device: Message): bigint | undefined =>
  instant(textAt(listAt(device, 'mac_state.recent_uplinks').at(-1), 'received_at'))

/** A confirmed item waits until the one before was answered by any uplink, or has timed out. */
const mayConfirm = (device: Message, deviceClass: 'B' | 'C', now: bigint): boolean => {
  const last = instant(textAt(device, 'mac_state.last_confirmed_downlink_at'))
  if (last === undefined || (lastUplinkAt(device) ?? 0n) > last) return true
  const set = textAt(device, `mac_settings.class_${deviceClass.toLowerCase()}_timeout`)
  const timeout = set === undefined ? classTimeoutMs[deviceClass] : milliseconds(set)
  return last + BigInt(Math.round(timeout * 1e6)) <= now
}

const asksForAck = (device: Message): boolean => {
  const uplink = listAt(device, 'mac_state.recent_uplinks').at(-1)
  if (device['multicast'] === true || uplink === undefined) return false
  const type = textAt(uplink, 'payload.m_hdr.m_type')
  const control = child(child(child(child(uplink, 'payload'), 'mac_payload'), 'f_hdr'), 'f_ctrl')
  return type === 'CONFIRMED_UP' || (type === 'UNCONFIRMED_UP' && control?.['adr_ack_req'] === true)
}

const owesAck = (device: Message): boolean => {
  const sent = instant(textAt(device, 'mac_state.last_downlink_at'))
  return asksForAck(device) && (sent === undefined || sent < (lastUplinkAt(device) ?? 0n))
}

/** Whether something is due now: an acknowledgement, or the first item for which there is a gateway. */
const isDue = (device: Message, deviceClass: 'B' | 'C', now: bigint): boolean => {
  if (owesAck(device) && hasPath(device, undefined)) return true
  const head = queueOf(child(device, 'session')).find((item) => hasPath(device, item))
  if (head === undefined) return false
  const at = instant(textAt(head, 'class_b_c.absolute_time'))
  if (at !== undefined && at > now) return false
  return head['confirmed'] !== true || mayConfirm(device, deviceClass, now)
}

const settingsOf = (
  device: Message,
  deviceClass: 'B' | 'C',
): { readonly frequency: number; readonly dataRate: string } | undefined => {
  const parameters = child(child(device, 'mac_state'), 'current_parameters')
  const plan = textAt(device, 'frequency_plan_id') ?? ''
  const slot = parameters?.['ping_slot_data_rate_index_value']
  if (
    deviceClass === 'B' &&
    (slot === undefined || child(device, 'mac_state')?.['ping_slot_periodicity'] === undefined)
  )
    return undefined
  const index = deviceClass === 'B' ? Number(slot) : numberAt(parameters, 'rx2_data_rate_index')
  const frequency = numberAt(parameters, deviceClass === 'B' ? 'ping_slot_frequency' : 'rx2_frequency')
  const dataRate = downlinkRate(plan, index)
  return dataRate === undefined || frequency === 0 ? undefined : { frequency, dataRate }
}

const put = (network: Network, key: string, device: Message): void =>
  network.networkServer.set(key, decode('EndDevice', { ...device, updated_at: network.clock.nanos() }))

/** Sends one frame; false when nothing more is to be tried now. */
const sendOne = (
  network: Network,
  key: string,
  device: Message,
  deviceClass: 'B' | 'C',
  now: bigint,
): boolean => {
  const settings = settingsOf(device, deviceClass)
  if (settings === undefined) return false
  const session = child(device, 'session') ?? {}
  const before = queueOf(session)
  const picked = pickItem(device, deviceClass, now)
  const { item } = picked
  const open = child(device, 'mac_state')?.['rx_windows_available'] === true && asksForAck(device)
  if (item === undefined && !open) {
    session['queued_application_downlinks'] = [...picked.rest]
    if (picked.rest.length !== before.length) put(network, key, device)
    giveBack(network, key, picked.returned)
    return picked.returned.length > 0
  }
  const named = gatewayGroups(item)
  const groups = named.length > 0 ? named : [gatewaysOfUplinks(device)]
  const gateways = groups.flatMap((group) => group.find((id) => network.gateways.has(id)) ?? [])
  if (gateways.length === 0) {
    // Without any way the item stays; with ways that this network does not have it has failed, and is gone.
    if (item === undefined || groups.every((group) => group.length === 0)) return false
    session['queued_application_downlinks'] = [...picked.rest]
    put(network, key, device)
    return true
  }
  const fCnt = item === undefined ? nextCounter(device) : numberAt(item, 'f_cnt')
  const after = afterFrame(device, picked, fCnt)
  const type = textAt(listAt(device, 'mac_state.recent_uplinks').at(-1), 'payload.m_hdr.m_type')
  const plan: DownlinkPlan = {
    class: deviceClass,
    fCnt,
    item,
    rest: after.rest,
    requests: [],
    options: Buffer.alloc(0),
    ack: open && type === 'CONFIRMED_UP',
  }
  const phyPayload = buildDownlink(device, plan)
  const time = network.clock.nanos()
  for (const gatewayId of gateways)
    transmit(network, { gatewayId, class: deviceClass, ...settings, phyPayload, time })
  rememberDownlink(device, plan, time)
  put(network, key, device)
  giveBack(network, key, after.returned)
  return true
}

/**
 * Sends what a class B or C device, or a multicast group, is due without an uplink: queued application downlinks and
 * an acknowledgement that is still owed. At once, without ping slots and pauses in between. Nothing for a muted device.
 */
export const sendDue = (network: Network, key: string): void => {
  for (let sent = 0; sent < maxSends; sent += 1) {
    const device = network.networkServer.get(key)
    if (device === undefined || child(device, 'mac_settings')?.['schedule_downlinks'] === false) return
    const deviceClass = classOf(device)
    if (deviceClass === undefined || child(device, 'session') === undefined) return
    const now = BigInt(network.clock.now().getTime()) * 1_000_000n
    if (!isDue(device, deviceClass, now) || !sendOne(network, key, device, deviceClass, now)) return
  }
}

/** Looks at every device, for what became due by time alone. */
export const sendAllDue = (network: Network): void => {
  for (const [key, device] of network.networkServer.entries())
    if (queueOf(child(device, 'session')).length > 0) sendDue(network, key)
}

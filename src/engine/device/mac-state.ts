import type { DeviceRecord } from '../../domain/device.ts'
import type { Json } from '../../domain/json.ts'
import { isObject, type JsonObject, macState } from './records.ts'

/**
 * Parts of a MAC state that stay behind: a join accept that was never sent, answers that would go out a second
 * time, and an application downlink that the source's Application Server holds (reported as lost).
 * Pending requests stay: the device may have applied one already, and its answer has to find it.
 */
const LEFT_BEHIND = ['queued_join_accept', 'queued_responses', 'pending_application_downlink']

/** The MAC state to write on the target; `desiredRx1Delay` in seconds replaces only what is asked of the device. */
export const carriedMacState = (
  source: DeviceRecord,
  desiredRx1Delay: number | undefined,
): Json | undefined => {
  const state = macState(source)
  if (state === undefined) return undefined
  const kept = Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => !LEFT_BEHIND.includes(name))
      .map(([name, value]) => [name, name === 'recent_uplinks' ? withoutTokens(value) : value]),
  )
  const desired = parameters(kept, 'desired_parameters')
  if (desiredRx1Delay === undefined || desired === undefined) return kept
  return { ...kept, desired_parameters: { ...desired, rx1_delay: desiredRx1Delay } }
}

/**
 * A network that keeps no MAC state tells what its devices use in part, without what is to be asked of them. The target
 * derives the rest from the frequency plan, and takes the device to use all of that at once, its channels above all.
 */
export const isPartial = (state: Json | undefined): state is JsonObject =>
  isObject(state) && !('desired_parameters' in state)

/** A MAC state that was told in part, completed by the one that the target derived for the same session. */
export const withDerived = (partial: JsonObject, derived: JsonObject): JsonObject => {
  const desired = parameters(derived, 'desired_parameters') ?? {}
  const current = { ...desired, ...parameters(partial, 'current_parameters') }
  return { ...derived, ...partial, current_parameters: current, desired_parameters: desired }
}

/**
 * Recent uplinks without the tokens of the gateways that heard them: these are the way back of the source's Gateway
 * Server, and a downlink that the target tried on it would be dropped.
 */
const withoutTokens = (uplinks: Json): Json =>
  Array.isArray(uplinks)
    ? uplinks.map((uplink: Json) =>
        isObject(uplink) && Array.isArray(uplink['rx_metadata'])
          ? { ...uplink, rx_metadata: uplink['rx_metadata'].map(withoutToken) }
          : uplink,
      )
    : uplinks

const withoutToken = (metadata: Json): Json =>
  isObject(metadata)
    ? Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== 'uplink_token'))
    : metadata

/** `current_parameters` or `desired_parameters` of a MAC state. */
export const parameters = (
  state: JsonObject | undefined,
  which: 'current_parameters' | 'desired_parameters',
): JsonObject | undefined => {
  const value = state?.[which]
  return isObject(value) ? value : undefined
}

/** Names of pending MAC requests, such as `CID_RX_TIMING_SETUP`. */
export const pendingRequests = (source: DeviceRecord): readonly string[] => {
  const list = macState(source)?.['pending_requests']
  return Array.isArray(list)
    ? list.map((item) => (isObject(item) ? String(item['cid'] ?? 'CID_UNKNOWN') : 'CID_UNKNOWN'))
    : []
}

export const hasPendingApplicationDownlink = (source: DeviceRecord): boolean =>
  macState(source)?.['pending_application_downlink'] !== undefined

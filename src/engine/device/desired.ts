import { withOldId } from '../../domain/accepted-identity.ts'
import type { NewCredentials } from '../../domain/credentials.ts'
import type { DeviceIds, DeviceRecord, FieldPath, Fields, FieldValue, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Route } from '../../domain/journal.ts'
import type { Json } from '../../domain/json.ts'
import type { DeviceIntent, Policy } from '../../domain/migration-plan.ts'
import { type FieldKind, fieldKey, fieldKind } from './fields.ts'
import { acceptedFormatters } from './formatter-limits.ts'
import { carriedMacState } from './mac-state.ts'
import { field, isObject, numberField } from './records.ts'
import { type NewIdOf, withRenamedRelays } from './relays.ts'
import { hasNewRootKeys, reprogram, type SetField } from './reprogrammed.ts'
import { becomes, isReprogrammed, keepsKeys, keepsSession, versionAtLeast } from './route.ts'
import { rx1Delay } from './rx1-delay.ts'

/** What of the target decides what a device becomes there. */
export interface TargetDefaults {
  readonly serverAddresses: Fields
  /** Default MAC settings of the device's frequency plan and PHY version. */
  readonly macSettings: Readonly<Record<string, Json>>
  /** What a device of the source is called on the target: relays name other devices. Left out: as on the source. */
  readonly newIdOf?: NewIdOf
}

/** Which rule of the plan or of the tool made a field what it is, where it is not simply the source's. */
export type Reasons = Readonly<Record<string, string>>

export interface Desired {
  readonly record: DeviceRecord
  /** By `registry path`. */
  readonly reasons: Reasons
  /** Keys and addresses that are made when the device crosses, by `registry path`; in the record once they are. */
  readonly generated: readonly string[]
  readonly findings: readonly Diagnostic[]
}

/** The Join Server keeps the newest 10 nonces by default and drops older ones. */
const USED_DEV_NONCES_KEPT = 10

const CARRIED_ALWAYS: readonly FieldKind[] = ['setting', 'root-key', 'nonce']

const carriedKinds = (route: Route): readonly FieldKind[] => {
  // The device will hold other keys or EUIs: nothing that was counted under the old ones is of use.
  if (isReprogrammed(route)) return ['setting', 'root-key']
  if (keepsSession(route))
    return [...CARRIED_ALWAYS, 'session', 'session-time', 'counter', 'mac-state', 'status']
  // An ABP device that will be reset keeps its address and keys; its counters are written as a floor.
  if (keepsKeys(route)) return [...CARRIED_ALWAYS, 'session', 'counter']
  return CARRIED_ALWAYS
}

/** What of a crossing that has begun decides what its target is to hold. */
export interface Begun {
  /** The target served the device before and its registration was deleted, with what it counted. */
  readonly livedOnTarget?: boolean
  /** Those that were made for this crossing. */
  readonly credentials?: NewCredentials | undefined
  /** `resets_f_cnt` was taken back, for the reset was heard. */
  readonly resetEnded?: boolean
}

/**
 * What the target is to hold for a device: the source's record, less what belongs to the source's cluster, with
 * the plan's policy and settings. Pure; mutes nothing (`handover` steps do). Rules: The Things Stack's registries
 * (which registry writes what), domain rules of RX1 delay, counters and nonces, each in a file of its own.
 */
export const desiredRecord = (
  source: DeviceRecord,
  route: Route,
  intent: DeviceIntent,
  defaults: TargetDefaults,
  { livedOnTarget = false, credentials, resetEnded = false }: Begun = {},
): Desired => {
  const reasons: Record<string, string> = {}
  const registries: { [R in Registry]?: Record<FieldPath, FieldValue> } = {}
  const kinds = carriedKinds(route)
  for (const registry of REGISTRIES) {
    const fields = source.registries[registry]
    if (fields === undefined) continue
    const carried: Record<FieldPath, FieldValue> = {}
    for (const [path, value] of Object.entries(fields))
      if (kinds.includes(fieldKind(registry, path))) carried[path] = value
    registries[registry] = carried
  }
  const set = (registry: Registry, path: FieldPath, value: FieldValue | undefined, because: string): void => {
    const fields = registries[registry]
    if (fields === undefined) return
    if (value === undefined) delete fields[path]
    else fields[path] = value
    reasons[fieldKey(registry, path)] = because
  }

  const generated = isReprogrammed(route)
    ? reprogram({ source, route, intent, credentials, registries, set })
    : []
  for (const [path, address] of Object.entries(defaults.serverAddresses)) {
    if (path !== 'join_server_address' || registries['join-server'] !== undefined) {
      set('identity-server', path, address, "the target's server")
    }
  }
  applySettings(intent, set)
  if (intent.renamedByRule === true) {
    const held = registries['identity-server']?.['attributes']
    const kept = withOldId(isObject(held) ? held : {}, source.ids.deviceId)
    if (kept !== held) set('identity-server', 'attributes', kept, 'keeps the id on the source')
  }
  const scripts = acceptedFormatters(registries['application-server']?.['formatters'], source.ids.deviceId)
  if (scripts !== undefined)
    set('application-server', 'formatters', scripts.value, 'longer than the target takes')
  const rx1 = rx1Delay(source, route, intent, defaults.macSettings)
  for (const change of rx1.settings) set('network-server', change.path, change.value, 'policy.rx1Delay')

  if (keepsSession(route)) {
    const state = carriedMacState(source, rx1.desired)
    if (state !== undefined) {
      set('network-server', 'mac_state', state, rx1.desired === undefined ? 'carried' : 'policy.rx1Delay')
    }
  }
  if (defaults.newIdOf !== undefined)
    for (const [path, value] of withRenamedRelays(registries['network-server'] ?? {}, defaults.newIdOf))
      set('network-server', path, value, 'names devices as the target calls them')
  // Taken back once the reset was heard: until then the target takes the counters from 0.
  if (route === 'abp-reset' && intent.policy.resetFrameCounters && !resetEnded)
    set('network-server', 'mac_settings.resets_f_cnt', true, 'policy.resetFrameCounters')
  carryCounters(source, route, marginOf(intent.policy, source), set)
  const nonces = isReprogrammed(route) ? undefined : field(source, 'join-server', 'used_dev_nonces')
  if (Array.isArray(nonces) && nonces.length > USED_DEV_NONCES_KEPT) {
    set('join-server', 'used_dev_nonces', nonces.slice(-USED_DEV_NONCES_KEPT), 'the newest 10 are kept')
  }
  if (livedOnTarget && !isReprogrammed(route))
    raiseJoinNonce(source, set, 'joins on the target were forgotten with its registration')
  // The device may remember the last JoinNonce of these keys, and the source gives more until it is re-programmed.
  if (route === 'otaa-reprogrammed' && !hasNewRootKeys(source, route, intent))
    raiseJoinNonce(source, set, 'above all that the source gave or gives with these keys')
  if (source.untold?.joinNonces === true && versionAtLeast(versionOf(source, intent), 'MAC_V1_0_4'))
    raiseJoinNonce(source, set, 'the source does not tell its JoinNonces')
  const deviceId = intent.set.deviceId ?? source.ids.deviceId
  const ids = { ...source.ids, ...becomes(source, intent), deviceId } as DeviceIds
  return {
    record: { ids, registries },
    reasons,
    generated,
    findings: [...(scripts?.findings ?? []), ...rx1.findings],
  }
}

const versionOf = (source: DeviceRecord, { set }: DeviceIntent): string =>
  set.lorawanVersion ?? String(field(source, 'network-server', 'lorawan_version') ?? '')

/** The highest JoinNonce there is (24 bits). */
const LAST_JOIN_NONCE = 0xffffff
/** Above any number of joins that a device can have made on a target that forgot them. */
const FORGOTTEN_JOINS = 0x10000

/**
 * From LoRaWAN 1.0.4 on a device ignores an accept whose JoinNonce is not above the last one. How far others have
 * counted is not known, so the source's is raised by more than it can have been.
 */
const raiseJoinNonce = (source: DeviceRecord, set: SetField, because: string): void => {
  const raised = raisedJoinNonce(field(source, 'join-server', 'last_join_nonce'))
  set('join-server', 'last_join_nonce', raised, because)
}

/** A JoinNonce above any that a device can have seen since this one was stored. */
export const raisedJoinNonce = (last: FieldValue | undefined): number =>
  Math.min(LAST_JOIN_NONCE, (typeof last === 'number' ? last : 0) + FORGOTTEN_JOINS)

const applySettings = (intent: DeviceIntent, set: SetField): void => {
  const { name, description, attributes, frequencyPlan, lorawanVersion, lorawanPhyVersion } = intent.set
  const because = 'overrides.set'
  if (name !== undefined) set('identity-server', 'name', name, because)
  if (description !== undefined) set('identity-server', 'description', description, because)
  if (attributes !== undefined) set('identity-server', 'attributes', attributes, because)
  if (frequencyPlan !== undefined) set('network-server', 'frequency_plan_id', frequencyPlan, because)
  if (lorawanVersion !== undefined) set('network-server', 'lorawan_version', lorawanVersion, because)
  if (lorawanPhyVersion !== undefined)
    set('network-server', 'lorawan_phy_version', lorawanPhyVersion, because)
}

/** auto is what may be sent between the reading and the end of the source: nothing where it is muted before. */
const marginOf = ({ downlinkCounterMargin: margin }: Policy, { untold }: DeviceRecord): number =>
  margin === 'auto' ? (untold?.downlinks ?? 0) : margin

/**
 * Below 1.1 one downlink counter serves network and application: N = A = the higher of the two, or the first
 * application downlink would be refused as too low. 1.1 keeps them apart. A counter of 0 means that none was sent and
 * is left out. The margin is for downlink counters alone: an uplink counter above the device's refuses its frames.
 */
const carryCounters = (source: DeviceRecord, route: Route, margin: number, set: SetField): void => {
  if (!keepsKeys(route)) return
  const version = String(source.registries['network-server']?.['lorawan_version'] ?? '')
  const n = numberField(source, 'network-server', 'session.last_n_f_cnt_down') ?? 0
  const a = numberField(source, 'application-server', 'session.last_a_f_cnt_down') ?? 0
  const isSplit = versionAtLeast(version, 'MAC_V1_1')
  const [network, application] = isSplit ? [n, a] : [Math.max(n, a), Math.max(n, a)]
  const raised = (counter: number): number => (counter === 0 ? 0 : Math.min(LAST_COUNTER, counter + margin))
  const because = margin > 0 ? 'policy.downlinkCounterMargin' : 'one downlink counter below LoRaWAN 1.1'
  if (raised(network) !== n) set('network-server', 'session.last_n_f_cnt_down', raised(network), because)
  if (raised(application) !== a)
    set('application-server', 'session.last_a_f_cnt_down', raised(application), because)
}

const LAST_COUNTER = 0xffffffff

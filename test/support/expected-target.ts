import type { NewCredentials } from '../../src/domain/credentials.ts'
import type { DeviceSpec } from './fleet.ts'
import type { RandomPolicy } from './random-fleet.ts'
import type { Store } from './stack-api.ts'

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const child = (tree: unknown, name: string): Tree | undefined => {
  const value = isTree(tree) ? tree[name] : undefined
  return isTree(value) ? value : undefined
}

/** A device, with how many downlinks wait for it on the source: none when left out. */
export type ExpectedDevice = DeviceSpec & { readonly queued?: number }

export type Way =
  | 'kept'
  | 'anew'
  | 'triggered'
  | 'new-keys'
  | 'abp-kept'
  | 'abp-reset'
  | 'abp-new-session'
  | 'abp-to-join'
  | 'group'

/** JoinEUI of devices that are made to join. */
export const NEW_JOIN_EUI = '70B3D57ED0009009'

export const isMuted = (spec: DeviceSpec): boolean => spec.macSettings?.['schedule_downlinks'] === false

/** Ways on which the source serves the device until somebody has programmed it, or it has joined. */
const BESIDE: readonly Way[] = ['triggered', 'new-keys', 'abp-new-session', 'abp-to-join']

export const isReprogrammed = (way: Way | undefined): boolean =>
  way === 'new-keys' || way === 'abp-new-session' || way === 'abp-to-join'

const keepsState = (way: Way): boolean => way === 'kept' || way === 'abp-kept' || way === 'group'
const keepsAddress = (way: Way): boolean => keepsState(way) || way === 'abp-reset'

/** The way a device goes, by the rules of the guides; undefined where it has to be left alone. */
export const wayOf = (spec: DeviceSpec, policy: RandomPolicy): Way | undefined => {
  if (spec.mode === 'multicast') return 'group'
  const way = spec.mode === 'otaa' ? wayOfOtaa(spec, policy) : wayOfAbp(spec, policy)
  if (way === undefined || (isMuted(spec) && policy.mutedSource === 'blocked')) return undefined
  // Who is to be programmed by hand is served by the source until then.
  if (isReprogrammed(way) && policy.deleteSource === 'after-import') return undefined
  // What the application encrypted for counters of the source can not be queued anew.
  const isEncrypted = spec.more?.['skip_payload_crypto_override'] === true
  return isEncrypted && policy.queuedDownlinks === 'copy' && keepsAddress(way) ? undefined : way
}

const wayOfOtaa = (spec: DeviceSpec, policy: RandomPolicy): Way | undefined => {
  if (policy.rootKeys === 'generate') return 'new-keys'
  if (policy.resetFrameCounters) return undefined
  if (spec.fCntUp === undefined) return 'anew'
  if (policy.persistSession) return 'kept'
  if (policy.rejoin.trigger !== 'source-downlink') return 'anew'
  // A source that is muted can not send what makes it join.
  return isMuted(spec) ? undefined : 'triggered'
}

const wayOfAbp = (spec: DeviceSpec, policy: RandomPolicy): Way | undefined => {
  if (policy.abp === 'to-otaa') return 'abp-to-join'
  // An ABP device takes another RX1 delay only where it is known to obey.
  if (typeof policy.rx1Delay === 'number') return undefined
  if (policy.abp === 'reprogram') return 'abp-new-session'
  if (policy.resetFrameCounters)
    return spec.version === 'MAC_V1_0_4' || spec.version === 'MAC_V1_1' ? undefined : 'abp-reset'
  return policy.persistSession ? 'abp-kept' : undefined
}

/** Whether a device is left for a later run, because downlinks wait for it on the source. */
export const isDeferred = (spec: ExpectedDevice, policy: RandomPolicy): boolean => {
  const way = wayOf(spec, policy)
  const waits = way !== undefined && policy.queuedDownlinks === 'wait-empty' && !BESIDE.includes(way)
  return waits && (spec.queued ?? 0) > 0
}

/** How many downlinks wait on the target once it holds the device. */
export const copiedOf = (spec: ExpectedDevice, policy: RandomPolicy): number => {
  const way = wayOf(spec, policy)
  return way !== undefined && keepsAddress(way) && policy.queuedDownlinks === 'copy' ? (spec.queued ?? 0) : 0
}

/** Times of the registry itself, and what the server derives from the session. */
const OWN = ['created_at', 'updated_at']
const ADDRESSES = ['network_server_address', 'application_server_address', 'join_server_address']

const omit = (tree: Tree, names: readonly string[]): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([name]) => !names.includes(name)))

/** A registry leaves out what is empty or 0 at one time and not at another: neither is told here. */
export const plain = (value: unknown): unknown => {
  if (!isTree(value)) return value
  const entries = Object.entries(value)
    .map(([name, item]) => [name, plain(item)] as const)
    .filter(([, item]) => item !== undefined && !(isTree(item) && Object.keys(item).length === 0))
  return Object.fromEntries(entries)
}

/** How an ABP device begins; one that joins is told by its join (API notes, section 6.5). */
const BEGINS_WITH = [
  'rx1_delay',
  'rx1_data_rate_offset',
  'rx2_data_rate_index',
  'rx2_frequency',
  'factory_preset_frequencies',
  'resets_f_cnt',
]

const settings = (source: Tree, spec: DeviceSpec, policy: RandomPolicy, way: Way): Tree => {
  const { schedule_downlinks: muted, ...found } = child(source, 'mac_settings') ?? {}
  const kept: Tree = way === 'abp-to-join' ? omit(found, BEGINS_WITH) : { ...found }
  const targetDefault = 5
  if (way === 'abp-reset') kept['resets_f_cnt'] = true
  if (muted === false && policy.mutedSource === 'carry') kept['schedule_downlinks'] = false
  if (policy.rx1Delay === 'keep') {
    // Without the session's MAC state the target would ask for its own default.
    const asked = child(child(source, 'mac_state'), 'desired_parameters')?.['rx1_delay']
    const isLost = !keepsState(way) && way !== 'abp-to-join'
    if (isLost && kept['desired_rx1_delay'] === undefined && asked !== undefined && asked !== targetDefault)
      kept['desired_rx1_delay'] = asked
  } else if (spec.mode === 'otaa' || way === 'abp-to-join') {
    if (policy.rx1Delay === 'target') delete kept['desired_rx1_delay']
    else kept['desired_rx1_delay'] = policy.rx1Delay
  }
  return kept
}

const macState = (source: Tree, spec: DeviceSpec, policy: RandomPolicy): Tree | undefined => {
  const state = child(source, 'mac_state')
  if (state === undefined) return undefined
  const kept = withoutTokens(
    omit(state, ['queued_join_accept', 'queued_responses', 'pending_application_downlink']),
  )
  if (policy.rx1Delay === 'keep' || spec.mode !== 'otaa') return kept
  const wanted = policy.rx1Delay === 'target' ? 5 : policy.rx1Delay
  return { ...kept, desired_parameters: { ...child(kept, 'desired_parameters'), rx1_delay: wanted } }
}

/** The source's gateways are no way back for the target. */
const withoutTokens = (state: Tree): Tree =>
  JSON.parse(
    JSON.stringify(state, (name, value: unknown) => (name === 'uplink_token' ? undefined : value)),
  ) as Tree

type Expected = Record<'identity' | 'join' | 'network' | 'application', unknown>

/**
 * What the four registries of the target have to hold for a device, from what those of the source held before: the
 * rules of domain B.2, written down a second time and without the engine. `undefined` for a registry that must not
 * know it. MAC states that the target derives by itself are not compared.
 * @param made what was made for a device that will be re-programmed, as the escrow gives it
 */
export const expectedOnTarget = (
  source: Store,
  spec: ExpectedDevice,
  policy: RandomPolicy,
  made?: NewCredentials,
): Expected | undefined => {
  const way = wayOf(spec, policy)
  if (way === undefined) return undefined
  const key = `meters/${spec.id}`
  const [is, js, ns, as] = [
    source.identityServer[key] ?? {},
    source.joinServer[key],
    source.networkServer[key] ?? {},
    source.applicationServer[key] ?? {},
  ]
  const sessions = sessionsOf(source, key, spec, policy, way, made)
  const network = {
    ...omit(ns, [
      ...OWN,
      'session',
      'mac_state',
      'mac_settings',
      'pending_session',
      'pending_mac_state',
      'power_state',
      ...(keepsState(way) ? [] : ['battery_percentage', 'downlink_margin', 'last_dev_status_received_at']),
    ]),
    mac_settings: settings(ns, spec, policy, way),
    session: sessions.network,
    ...(keepsState(way) ? { mac_state: macState(ns, spec, policy) } : {}),
    ...(way === 'abp-to-join' ? { supports_join: true } : {}),
  }
  const application = { ...omit(as, [...OWN, 'session', 'pending_session']), session: sessions.application }
  const identity = omit(is, [...OWN, ...ADDRESSES, 'activated_at', 'last_seen_at'])
  const ids = (tree: Tree): Tree =>
    way === 'abp-to-join' ? { ...tree, ids: { ...child(tree, 'ids'), join_eui: NEW_JOIN_EUI } } : tree
  return {
    identity: ids(identity),
    join: joinOf(js, way, made, ids(identity)),
    network: ids(network),
    application: ids(application),
  }
}

/** A device with new root keys begins to count anew. */
const joinOf = (
  js: Tree | undefined,
  way: Way,
  made: NewCredentials | undefined,
  identity: Tree,
): Tree | undefined => {
  if (way !== 'new-keys' && way !== 'abp-to-join') return js === undefined ? undefined : omit(js, OWN)
  const { appKey, nwkKey } = made?.rootKeys ?? {}
  return {
    ids: identity['ids'],
    root_keys: {
      app_key: { key: appKey?.reveal() },
      ...(nwkKey === undefined ? {} : { nwk_key: { key: nwkKey.reveal() } }),
    },
    ...(js?.['resets_join_nonces'] === undefined ? {} : { resets_join_nonces: js['resets_join_nonces'] }),
  }
}

interface Sessions {
  readonly network?: Tree
  readonly application?: Tree
}

const sessionsOf = (
  source: Store,
  key: string,
  spec: ExpectedDevice,
  policy: RandomPolicy,
  way: Way,
  made: NewCredentials | undefined,
): Sessions => {
  if (way === 'abp-new-session') return newSessions(made)
  if (!keepsAddress(way)) return {}
  const { network, application } = counters(source, key, spec, policy)
  return {
    network: {
      ...omit(child(source.networkServer[key], 'session') ?? {}, QUEUE),
      ...network,
      // A device that is reset begins a session of its own.
      ...(way === 'abp-reset' ? { started_at: undefined } : {}),
    },
    application: { ...child(source.applicationServer[key], 'session'), ...application },
  }
}

const newSessions = (made: NewCredentials | undefined): Sessions => {
  const { devAddr, appSKey, fNwkSIntKey, sNwkSIntKey, nwkSEncKey } = made?.session ?? {}
  const of = (key: { reveal(): string } | undefined): Tree => ({ key: key?.reveal() })
  return {
    network: {
      dev_addr: devAddr,
      keys: {
        f_nwk_s_int_key: of(fNwkSIntKey),
        s_nwk_s_int_key: of(sNwkSIntKey ?? fNwkSIntKey),
        nwk_s_enc_key: of(nwkSEncKey ?? fNwkSIntKey),
      },
    },
    application: { dev_addr: devAddr, keys: { app_s_key: of(appSKey) } },
  }
}

/** Where the Network Server keeps what waits to be sent: compared as it is told, decrypted. */
const QUEUE = ['queued_application_downlinks']

/**
 * Below 1.1 one downlink counter serves network and application: the higher one, on both. What was sent already gets
 * the margin; what is queued on the target counts on from there.
 */
const counters = (
  source: Store,
  key: string,
  spec: ExpectedDevice,
  policy: RandomPolicy,
): { network: Tree; application: Tree } => {
  const n = Number(child(source.networkServer[key], 'session')?.['last_n_f_cnt_down'] ?? 0)
  const a = Number(child(source.applicationServer[key], 'session')?.['last_a_f_cnt_down'] ?? 0)
  const [network, application] = spec.version === 'MAC_V1_1' ? [n, a] : [Math.max(n, a), Math.max(n, a)]
  const margin = policy.downlinkCounterMargin === 'auto' ? 0 : policy.downlinkCounterMargin
  const raised = (counter: number): number => (counter === 0 ? 0 : counter + margin)
  const queued = raised(application) + copiedOf(spec, policy)
  return {
    network: { last_n_f_cnt_down: network === 0 ? undefined : raised(network) },
    application: { last_a_f_cnt_down: queued === 0 ? undefined : queued },
  }
}

/** The same registries as they are, without what `expectedOnTarget` does not tell. */
export const foundOnTarget = (
  target: Store,
  spec: ExpectedDevice,
  policy: RandomPolicy,
  application = 'meters',
): Expected | undefined => {
  const key = `${application}/${spec.id}`
  const is = target.identityServer[key]
  if (is === undefined) return undefined
  const way = wayOf(spec, policy)
  const ns = target.networkServer[key] ?? {}
  const beginsAnew = way === 'abp-reset' || way === 'abp-new-session'
  const session = child(ns, 'session')
  return {
    identity: omit(is, OWN),
    join: target.joinServer[key] === undefined ? undefined : omit(target.joinServer[key], OWN),
    network: {
      ...omit(ns, [...OWN, ...(beginsAnew ? ['mac_state'] : [])]),
      ...(session === undefined
        ? {}
        : { session: omit(session, [...QUEUE, ...(beginsAnew ? ['started_at'] : [])]) }),
    },
    application: omit(target.applicationServer[key] ?? {}, OWN),
  }
}

/** Ids hold a DevAddr where a session was: derived by the server, at different times. */
export const withoutDevAddr = (tree: unknown): unknown =>
  isTree(tree) && isTree(tree['ids']) ? { ...tree, ids: omit(tree['ids'], ['dev_addr']) } : tree

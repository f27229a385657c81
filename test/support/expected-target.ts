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

/** The way a device goes, by the rules of the guides; undefined where it has to be left alone. */
export const wayOf = (
  spec: DeviceSpec,
  policy: RandomPolicy,
): 'kept' | 'anew' | 'abp-kept' | 'abp-reset' | 'group' | undefined => {
  if (spec.mode === 'multicast') return 'group'
  if (spec.mode === 'otaa') {
    if (policy.resetFrameCounters) return undefined
    return policy.persistSession && spec.fCntUp !== undefined ? 'kept' : 'anew'
  }
  // An ABP device takes another RX1 delay only where it is known to obey.
  if (typeof policy.rx1Delay === 'number') return undefined
  if (policy.resetFrameCounters)
    return spec.version === 'MAC_V1_0_4' || spec.version === 'MAC_V1_1' ? undefined : 'abp-reset'
  return policy.persistSession ? 'abp-kept' : undefined
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

const settings = (source: Tree, policy: RandomPolicy, way: string): Tree => {
  const { schedule_downlinks: _, ...found } = child(source, 'mac_settings') ?? {}
  const kept: Tree = { ...found }
  const targetDefault = 5
  if (way === 'abp-reset') kept['resets_f_cnt'] = true
  if (policy.rx1Delay === 'keep') {
    // Without the session's MAC state the target would ask for its own default.
    const asked = child(child(source, 'mac_state'), 'desired_parameters')?.['rx1_delay']
    const isLost = way === 'anew' || way === 'abp-reset'
    if (isLost && kept['desired_rx1_delay'] === undefined && asked !== undefined && asked !== targetDefault)
      kept['desired_rx1_delay'] = asked
  } else if (way === 'kept' || way === 'anew') {
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

/**
 * What the four registries of the target have to hold for a device, from what those of the source held before: the
 * rules of domain B.2, written down a second time and without the engine. `undefined` for a registry that must not
 * know it. MAC states that the target derives by itself are not compared.
 */
export const expectedOnTarget = (
  source: Store,
  spec: DeviceSpec,
  policy: RandomPolicy,
): Record<'identity' | 'join' | 'network' | 'application', unknown> | undefined => {
  const way = wayOf(spec, policy)
  if (way === undefined) return undefined
  const key = `meters/${spec.id}`
  const [is, js, ns, as] = [
    source.identityServer[key] ?? {},
    source.joinServer[key],
    source.networkServer[key] ?? {},
    source.applicationServer[key] ?? {},
  ]
  const session = child(ns, 'session')
  const keepsState = way === 'kept' || way === 'abp-kept' || way === 'group'
  const network = {
    ...omit(ns, [
      ...OWN,
      'session',
      'mac_state',
      'mac_settings',
      'pending_session',
      'pending_mac_state',
      'power_state',
      ...(keepsState ? [] : ['battery_percentage', 'downlink_margin', 'last_dev_status_received_at']),
    ]),
    mac_settings: settings(ns, policy, way),
    ...(way === 'anew'
      ? {}
      : {
          session: {
            ...session,
            ...counters(source, key, spec).network,
            // A device that is reset begins a session of its own.
            ...(way === 'abp-reset' ? { started_at: undefined } : {}),
          },
        }),
    ...(keepsState ? { mac_state: macState(ns, spec, policy) } : {}),
  }
  const application = {
    ...omit(as, [...OWN, 'session', 'pending_session']),
    ...(way === 'anew'
      ? {}
      : { session: { ...child(as, 'session'), ...counters(source, key, spec).application } }),
  }
  return {
    identity: omit(is, [...OWN, ...ADDRESSES, 'activated_at', 'last_seen_at']),
    join: js === undefined ? undefined : omit(js, OWN),
    network,
    application,
  }
}

/** Below 1.1 one downlink counter serves network and application: the higher one, on both. */
const counters = (source: Store, key: string, spec: DeviceSpec): { network: Tree; application: Tree } => {
  const n = Number(child(source.networkServer[key], 'session')?.['last_n_f_cnt_down'] ?? 0)
  const a = Number(child(source.applicationServer[key], 'session')?.['last_a_f_cnt_down'] ?? 0)
  const [network, application] = spec.version === 'MAC_V1_1' ? [n, a] : [Math.max(n, a), Math.max(n, a)]
  return {
    network: { last_n_f_cnt_down: network === 0 ? undefined : network },
    application: { last_a_f_cnt_down: application === 0 ? undefined : application },
  }
}

/** The same registries as they are, without what `expectedOnTarget` does not tell. */
export const foundOnTarget = (
  target: Store,
  spec: DeviceSpec,
  policy: RandomPolicy,
  application = 'meters',
): Record<'identity' | 'join' | 'network' | 'application', unknown> | undefined => {
  const key = `${application}/${spec.id}`
  const is = target.identityServer[key]
  if (is === undefined) return undefined
  const way = wayOf(spec, policy)
  const ns = target.networkServer[key] ?? {}
  const reset = { session: omit(child(ns, 'session') ?? {}, ['started_at']) }
  return {
    identity: omit(is, OWN),
    join: target.joinServer[key] === undefined ? undefined : omit(target.joinServer[key], OWN),
    network: {
      ...omit(ns, [...OWN, ...(way === 'abp-reset' ? ['mac_state'] : [])]),
      ...(way === 'abp-reset' ? reset : {}),
    },
    application: omit(target.applicationServer[key] ?? {}, OWN),
  }
}

/** Ids hold a DevAddr where a session was: derived by the server, at different times. */
export const withoutDevAddr = (tree: unknown): unknown =>
  isTree(tree) && isTree(tree['ids']) ? { ...tree, ids: omit(tree['ids'], ['dev_addr']) } : tree

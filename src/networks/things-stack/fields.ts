import type { FieldPath, Registry } from '../../domain/device.ts'

/**
 * One field of a registry.
 * `carried`: read, and may be written. `told`: read for information and never written, for carried it would be
 * false (proof of life, an address of the old cluster is set anew) or the server refuses it.
 */
export interface FieldRule {
  readonly path: FieldPath
  readonly use: 'carried' | 'told'
  /** `secret`: a key in hex. `code`: a secret text. `each`: an object whose members are fields of their own. Else one JSON value. */
  readonly kind: 'value' | 'secret' | 'code' | 'each'
}

const carried = (...paths: readonly FieldPath[]): readonly FieldRule[] =>
  paths.map((path) => ({ path, use: 'carried', kind: 'value' }))
const told = (...paths: readonly FieldPath[]): readonly FieldRule[] =>
  paths.map((path) => ({ path, use: 'told', kind: 'value' }))
const secret = (use: 'carried' | 'told', ...paths: readonly FieldPath[]): readonly FieldRule[] =>
  paths.map((path) => ({ path, use, kind: 'secret' }))
const NETWORK_KEYS = ['f_nwk_s_int_key', 's_nwk_s_int_key', 'nwk_s_enc_key']
const networkKeys = (session: string) => NETWORK_KEYS.map((name) => `${session}.keys.${name}.key`)

/**
 * What each registry holds that a device takes along (allow-lists of the server: pkg/ttnpb/field_mask_validation.go).
 * Never read: KEK labels, net_id, the
 * Application Server's id and provisioner data (they belong to the old cluster), wrapped keys.
 */
export const FIELDS: { readonly [R in Registry]: readonly FieldRule[] } = {
  'identity-server': [
    ...carried('name', 'description', 'attributes', 'locations'),
    ...carried('version_ids', 'lora_alliance_profile_ids', 'serial_number', 'service_profile_id'),
    ...carried('network_server_address', 'application_server_address', 'join_server_address'),
    ...told('activated_at', 'last_seen_at', 'picture'),
    { path: 'claim_authentication_code.value', use: 'told', kind: 'code' },
  ],
  'join-server': [
    ...carried('root_keys.root_key_id'),
    ...secret('carried', 'root_keys.app_key.key', 'root_keys.nwk_key.key'),
    ...carried('used_dev_nonces', 'last_dev_nonce', 'last_join_nonce'),
    ...carried('last_rj_count_0', 'last_rj_count_1', 'resets_join_nonces'),
  ],
  'network-server': [
    ...carried('frequency_plan_id', 'lorawan_version', 'lorawan_phy_version'),
    ...carried('supports_join', 'supports_class_b', 'supports_class_c', 'multicast'),
    ...carried('min_frequency', 'max_frequency', 'version_ids'),
    { path: 'mac_settings', use: 'carried', kind: 'each' },
    ...carried('mac_state'),
    ...told('pending_mac_state'),
    ...carried('session.dev_addr', 'session.keys.session_key_id'),
    ...secret('carried', ...networkKeys('session')),
    ...carried('session.last_f_cnt_up', 'session.last_n_f_cnt_down', 'session.last_conf_f_cnt_down'),
    ...carried('session.started_at'),
    ...told('pending_session.dev_addr', 'pending_session.keys.session_key_id'),
    ...secret('told', ...networkKeys('pending_session')),
    ...carried('battery_percentage', 'downlink_margin', 'last_dev_status_received_at'),
    ...told('power_state'),
  ],
  'application-server': [
    ...carried('formatters', 'skip_payload_crypto', 'skip_payload_crypto_override'),
    ...carried('version_ids', 'lora_alliance_profile_ids', 'serial_number'),
    ...carried('session.dev_addr', 'session.keys.session_key_id'),
    ...secret('carried', 'session.keys.app_s_key.key'),
    ...carried('session.last_a_f_cnt_down'),
    ...told('pending_session.dev_addr', 'pending_session.keys.session_key_id'),
    ...secret('told', 'pending_session.keys.app_s_key.key'),
    ...told('pending_session.last_a_f_cnt_down'),
  ],
}

/** Paths above single fields that a registry takes in a mask to clear all below at once. */
const CLEARABLE_PARENTS: { readonly [R in Registry]: readonly FieldPath[] } = {
  'identity-server': [],
  'join-server': ['root_keys', 'root_keys.app_key', 'root_keys.nwk_key'],
  'network-server': ['session', 'pending_session', 'pending_mac_state', 'mac_settings'],
  'application-server': [],
}

const rulesByPath: { readonly [R in Registry]: ReadonlyMap<FieldPath, FieldRule> } = {
  'identity-server': new Map(FIELDS['identity-server'].map((rule) => [rule.path, rule])),
  'join-server': new Map(FIELDS['join-server'].map((rule) => [rule.path, rule])),
  'network-server': new Map(FIELDS['network-server'].map((rule) => [rule.path, rule])),
  'application-server': new Map(FIELDS['application-server'].map((rule) => [rule.path, rule])),
}

/** A member of an object that is read member by member. */
export const isMemberName = (name: string): boolean => /^[a-z][a-z0-9_]*$/.test(name)

/** The rule for a path, that of the whole object for `mac_settings.rx1_delay` and its like. */
const ruleOf = (registry: Registry, path: FieldPath): FieldRule | undefined => {
  const rules = rulesByPath[registry]
  const own = rules.get(path)
  if (own !== undefined) return own.kind === 'each' ? undefined : own
  const dot = path.indexOf('.')
  const parent = dot < 0 ? undefined : rules.get(path.slice(0, dot))
  return parent?.kind === 'each' && isMemberName(path.slice(dot + 1)) ? parent : undefined
}

/** Whether a path may be set on a registry, or cleared. */
export const isWritable = (registry: Registry, path: FieldPath, by: 'set' | 'clear'): boolean =>
  ruleOf(registry, path)?.use === 'carried' || (by === 'clear' && CLEARABLE_PARENTS[registry].includes(path))

/**
 * Masks of a read. Keys are asked for with the whole of `keys`, so that a key that the server could not unwrap is
 * seen to be there; sessions by their parts, because the mask `session` covers the queue of downlinks and needs
 * `RIGHT_APPLICATION_TRAFFIC_READ`.
 */
export const readMask = (registry: Registry): readonly FieldPath[] => [
  ...new Set(FIELDS[registry].map(({ path }) => path.replace(/(^root_keys|\.keys)\..*$/, '$1'))),
]

/** What being heard shows on the Network Server; needs `RIGHT_APPLICATION_DEVICES_READ` alone. */
export const SESSION_MASK: readonly FieldPath[] = [
  'mac_settings.resets_f_cnt',
  'mac_settings.schedule_downlinks',
  'frequency_plan_id',
  'session.dev_addr',
  'session.keys.session_key_id',
  'session.last_f_cnt_up',
  'session.last_n_f_cnt_down',
  'session.last_conf_f_cnt_down',
  'session.started_at',
  'pending_session.dev_addr',
  'pending_session.keys.session_key_id',
]

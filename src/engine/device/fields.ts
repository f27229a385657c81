import type { FieldPath, Registry } from '../../domain/device.ts'
import { remembered } from '../../domain/remembered.ts'

/**
 * What a field is, which decides what becomes of it:
 * setting: carried, compared, and updated when it differs. root-key: carried, never overwritten on a target that
 * holds others. nonce and counter: carried, never lowered. session: carried where the plan keeps the session.
 * mac-state: carried with the session. status: what the device last told, carried with the session.
 * scheduling: the handover's own switch. address: set to the target's. not-carried: stays behind.
 */
export type FieldKind =
  | 'setting'
  | 'root-key'
  | 'nonce'
  | 'session'
  | 'session-time'
  | 'counter'
  | 'mac-state'
  | 'status'
  | 'scheduling'
  | 'address'
  | 'not-carried'

interface FieldRule {
  readonly registry: Registry
  /** A path, or with a final `*` everything below. The first rule that matches counts. */
  readonly pattern: FieldPath
  readonly kind: FieldKind
  readonly because: string
}

const rule = (registry: Registry, kind: FieldKind, because: string, ...patterns: FieldPath[]): FieldRule[] =>
  patterns.map((pattern) => ({ registry, pattern, kind, because }))

const IS = 'identity-server'
const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

/** The one table of fields: what is not in it is not carried. Learnt from the stack's registries and their rules. */
const FIELD_RULES: readonly FieldRule[] = [
  ...rule(IS, 'setting', 'describes the device', 'name', 'description', 'attributes', 'locations'),
  // An Identity Server downloads what a new device's picture links to, and refuses the device where it can not.
  ...rule(IS, 'not-carried', "links to the source's own store of pictures", 'picture', 'picture.*'),
  ...rule(
    IS,
    'setting',
    'names the model',
    'serial_number',
    'service_profile_id',
    'lora_alliance_profile_ids',
    'version_ids',
  ),
  ...rule(
    IS,
    'address',
    "names the source's servers",
    'network_server_address',
    'application_server_address',
    'join_server_address',
  ),
  ...rule(
    IS,
    'not-carried',
    'gives the device to whoever reads its label',
    'claim_authentication_code.value',
  ),
  ...rule(IS, 'not-carried', 'would be a false proof of life on the target', 'activated_at', 'last_seen_at'),

  ...rule(JS, 'root-key', 'the device holds the same', 'root_keys.app_key.key', 'root_keys.nwk_key.key'),
  ...rule(JS, 'setting', 'tells the Join Server which key to derive with', 'root_keys.root_key_id'),
  ...rule(
    JS,
    'nonce',
    'a used nonce must stay used',
    'used_dev_nonces',
    'last_dev_nonce',
    'last_join_nonce',
    'last_rj_count_0',
    'last_rj_count_1',
  ),
  ...rule(JS, 'setting', 'says how nonces are checked', 'resets_join_nonces'),

  ...rule(
    NS,
    'scheduling',
    'mutes and unmutes the device in the handover',
    'mac_settings.schedule_downlinks',
  ),
  ...rule(
    NS,
    'setting',
    'says how the device is activated and which class it is',
    'supports_join',
    'supports_class_b',
    'supports_class_c',
    'multicast',
  ),
  ...rule(
    NS,
    'setting',
    'says which protocol and channels it uses',
    'lorawan_version',
    'lorawan_phy_version',
    'frequency_plan_id',
    'min_frequency',
    'max_frequency',
  ),
  ...rule(NS, 'setting', 'names the model', 'version_ids', 'serial_number', 'lora_alliance_profile_ids'),
  ...rule(NS, 'setting', 'MAC setting of the device', 'mac_settings.*'),
  ...rule(NS, 'session', 'identifies the session', 'session.dev_addr', 'session.keys.*'),
  ...rule(NS, 'session-time', 'when the session began', 'session.started_at'),
  ...rule(
    NS,
    'counter',
    'a counter must not go back',
    'session.last_f_cnt_up',
    'session.last_n_f_cnt_down',
    'session.last_conf_f_cnt_down',
  ),
  ...rule(NS, 'mac-state', 'what device and network agreed on', 'mac_state'),
  ...rule(
    NS,
    'status',
    'what the device last told of itself',
    'battery_percentage',
    'downlink_margin',
    'last_dev_status_received_at',
  ),
  ...rule(NS, 'not-carried', 'never confirmed by the device', 'pending_session.*', 'pending_mac_state'),

  ...rule(
    AS,
    'setting',
    'decodes payloads',
    'formatters',
    'skip_payload_crypto',
    'skip_payload_crypto_override',
  ),
  ...rule(AS, 'setting', 'names the model', 'version_ids', 'serial_number', 'lora_alliance_profile_ids'),
  ...rule(AS, 'session', 'identifies the session', 'session.dev_addr', 'session.keys.*'),
  ...rule(AS, 'counter', 'a counter must not go back', 'session.last_a_f_cnt_down'),
  ...rule(AS, 'not-carried', 'never confirmed by the device', 'pending_session.*'),
]

const matches = (pattern: FieldPath, path: FieldPath): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path

type Rule = Pick<FieldRule, 'kind' | 'because'>

const UNKNOWN: Rule = { kind: 'not-carried', because: "belongs to the source's cluster" }

/** What is worked out once for a field, which every device of a fleet has. */
interface KnownField {
  readonly rule: Rule
  readonly key: string
}

const fieldsOf = (registry: Registry): ((path: FieldPath) => KnownField) =>
  remembered(
    (path) => ({
      rule: FIELD_RULES.find((row) => row.registry === registry && matches(row.pattern, path)) ?? UNKNOWN,
      key: `${registry} ${path}`,
    }),
    // Names of MAC settings come from networks.
    1_000,
  )

const known: Readonly<Record<Registry, (path: FieldPath) => KnownField>> = {
  [IS]: fieldsOf(IS),
  [JS]: fieldsOf(JS),
  [NS]: fieldsOf(NS),
  [AS]: fieldsOf(AS),
}

/** The rule for a field of a registry; fields that no row names stay behind. */
export const fieldRule = (registry: Registry, path: FieldPath): Rule => known[registry](path).rule

export const fieldKind = (registry: Registry, path: FieldPath): FieldKind => known[registry](path).rule.kind

/** Key of a field in tables that span registries. */
export const fieldKey = (registry: Registry, path: FieldPath): string => known[registry](path).key

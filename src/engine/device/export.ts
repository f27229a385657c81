import type { DeviceRecord, Fields, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import type { Json } from '../../domain/json.ts'
import { Secret } from '../../domain/secret.ts'
import { isPartial, parameters } from './mac-state.ts'
import type { JsonObject } from './records.ts'

type Tree = { [key: string]: Json | Tree }

/**
 * A device as the Console and `ttn-lw-cli end-devices create` import it: one JSON object over all registries, with
 * its keys in the clear. Server addresses and `ids.dev_addr` are left out, as imports ask. Callers write it only
 * where the user asked for it. Without keys, its session is left out too, which is of no use without them.
 */
export const exportDevice = (
  desired: DeviceRecord,
  application: string,
  { withKeys = true }: { readonly withKeys?: boolean } = {},
): Json => {
  const tree: Tree = {
    ids: {
      device_id: desired.ids.deviceId,
      application_ids: { application_id: application },
      ...(desired.ids.devEui === undefined ? {} : { dev_eui: desired.ids.devEui }),
      ...(desired.ids.joinEui === undefined ? {} : { join_eui: desired.ids.joinEui }),
    },
  }
  for (const registry of REGISTRIES) {
    for (const [path, value] of Object.entries(importable(desired.registries[registry] ?? {}))) {
      if (path.endsWith('_server_address') || (!withKeys && OF_KEYS.test(path))) continue
      place(tree, path, value instanceof Secret ? value.reveal() : value, registry)
    }
  }
  return tree as Json
}

/**
 * A MAC state that is known in part would be taken for the whole: what is known of it becomes the settings that the
 * importing network derives one from.
 */
const importable = (fields: Fields): Fields => {
  const { mac_state: state, ...others } = fields
  if (!isPartial(state as Json | undefined)) return fields
  const known = parameters(state as JsonObject, 'current_parameters') ?? {}
  const settings = Object.entries(known)
    .filter(([name]) => DERIVED_FROM.includes(name))
    .map(([name, value]) => [`mac_settings.${name}`, value])
  return { ...others, ...Object.fromEntries(settings) }
}

const DERIVED_FROM = ['rx1_delay', 'rx2_data_rate_index', 'rx2_frequency']

/** Keys, and what says nothing without them. */
const OF_KEYS = /^(?:root_keys|session|mac_state|last_|used_dev_nonces)\b/

/** Two registries may hold one field (version_ids): the first that has a value keeps it. */
const place = (tree: Tree, path: string, value: Json, registry: Registry): void => {
  const names = path.split('.')
  const last = names.pop() ?? path
  let at = tree
  for (const name of names) {
    const next = at[name]
    const inner: Tree =
      typeof next === 'object' && next !== null && !Array.isArray(next) ? (next as Tree) : {}
    at[name] = inner
    at = inner
  }
  if (at[last] === undefined || registry === 'identity-server') at[last] = value
}

import type { NewCredentials } from '../../domain/credentials.ts'
import type { DeviceRecord, FieldPath, Fields, FieldValue, Registry } from '../../domain/device.ts'
import { parseDevAddr } from '../../domain/identifiers.ts'
import type { Route } from '../../domain/journal.ts'
import type { DeviceIntent } from '../../domain/migration-plan.ts'
import { fieldKey } from './fields.ts'
import { secretField, textField } from './records.ts'
import { activationOf, becomes, profileOf, versionAtLeast } from './route.ts'

const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

/**
 * Settings that tell how an ABP device begins: it has no join accept to learn them from. A device that joins would be
 * taken for one that keeps them, and miss its first downlinks (API notes, section 6.5).
 */
const ABP_ALONE: readonly FieldPath[] = [
  'mac_settings.rx1_delay',
  'mac_settings.rx1_data_rate_offset',
  'mac_settings.rx2_data_rate_index',
  'mac_settings.rx2_frequency',
  'mac_settings.factory_preset_frequencies',
  'mac_settings.resets_f_cnt',
]

export type SetField = (
  registry: Registry,
  path: FieldPath,
  value: FieldValue | undefined,
  because: string,
) => void

export interface Reprogramming {
  readonly source: DeviceRecord
  readonly route: Route
  readonly intent: DeviceIntent
  /** Undefined before they were made. */
  readonly credentials: NewCredentials | undefined
  readonly registries: { [R in Registry]?: Record<FieldPath, FieldValue> }
  readonly set: SetField
}

/**
 * Whether the device gets new root keys: it has none to keep, or the plan says so. Under its own EUIs it always does,
 * also where the plan was edited since: with the same keys both networks would accept its joins.
 */
export const hasNewRootKeys = (source: DeviceRecord, route: Route, intent: DeviceIntent): boolean =>
  route === 'otaa-reprogrammed' &&
  (activationOf(source) !== 'otaa' ||
    intent.policy.rootKeys === 'generate' ||
    becomes(source, intent) === undefined)

/** Makes of the carried settings what the target is to hold of a re-programmed device; answers what is made anew. */
export const reprogram = ({
  source,
  route,
  intent,
  credentials,
  registries,
  set,
}: Reprogramming): readonly string[] => {
  if (route === 'otaa-reprogrammed') {
    const because = activationOf(source) === 'abp' ? 'policy.abp' : 'policy.rootKeys'
    if (activationOf(source) === 'abp') {
      set(NS, 'supports_join', true, because)
      for (const path of ABP_ALONE)
        if (registries[NS]?.[path] !== undefined)
          set(NS, path, undefined, 'an OTAA device is told by its join')
    }
    if (!hasNewRootKeys(source, route, intent)) return []
    // A root key id belongs to the old keys.
    const resets = registries[JS]?.['resets_join_nonces']
    registries[JS] = resets === undefined ? {} : { resets_join_nonces: resets }
    return generate(set, JS, credentials, rootKeyPaths(versionOf(source, intent)), because)
  }
  return [
    ...generate(set, NS, credentials, networkPaths(versionOf(source, intent)), 'policy.abp'),
    ...generate(set, AS, credentials, APPLICATION_PATHS, 'policy.abp'),
  ]
}

/** LoRaWAN version on the target. */
export const versionOf = (source: DeviceRecord, { set }: DeviceIntent): string =>
  set.lorawanVersion ?? profileOf(source).lorawanVersion

/** Sets what was made already; the paths are those of what is made anew, made or not. */
const generate = (
  set: SetField,
  registry: Registry,
  credentials: NewCredentials | undefined,
  paths: readonly FieldPath[],
  because: string,
): readonly string[] => {
  const made = credentials === undefined ? undefined : credentialFields(credentials)[registry]
  for (const path of paths) if (made?.[path] !== undefined) set(registry, path, made[path], because)
  return paths.map((path) => fieldKey(registry, path))
}

const rootKeyPaths = (version: string): readonly FieldPath[] => [
  'root_keys.app_key.key',
  ...(versionAtLeast(version, 'MAC_V1_1') ? ['root_keys.nwk_key.key'] : []),
]

/** Below LoRaWAN 1.1 the Network Server copies the one key to the other two. */
const networkPaths = (version: string): readonly FieldPath[] => [
  'session.dev_addr',
  'session.keys.f_nwk_s_int_key.key',
  ...(versionAtLeast(version, 'MAC_V1_1')
    ? ['session.keys.s_nwk_s_int_key.key', 'session.keys.nwk_s_enc_key.key']
    : []),
]

const APPLICATION_PATHS: readonly FieldPath[] = ['session.dev_addr', 'session.keys.app_s_key.key']

const present = (fields: Readonly<Record<FieldPath, FieldValue | undefined>>): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [FieldPath, FieldValue] => entry[1] !== undefined),
  )

/** New credentials as the registries hold them. */
export const credentialFields = ({
  rootKeys,
  session,
}: Pick<NewCredentials, 'rootKeys' | 'session'>): DeviceRecord['registries'] => ({
  ...(rootKeys === undefined
    ? {}
    : {
        [JS]: present({
          'root_keys.app_key.key': rootKeys.appKey,
          'root_keys.nwk_key.key': rootKeys.nwkKey,
        }),
      }),
  ...(session === undefined
    ? {}
    : {
        [NS]: present({
          'session.dev_addr': session.devAddr,
          'session.keys.f_nwk_s_int_key.key': session.fNwkSIntKey,
          'session.keys.s_nwk_s_int_key.key': session.sNwkSIntKey,
          'session.keys.nwk_s_enc_key.key': session.nwkSEncKey,
        }),
        [AS]: { 'session.dev_addr': session.devAddr, 'session.keys.app_s_key.key': session.appSKey },
      }),
})

/** The reverse: root keys or session as a network holds them; nothing where they are not whole. */
export const credentialsIn = (
  record: DeviceRecord,
  route: Route,
  is11: boolean,
): Pick<NewCredentials, 'rootKeys' | 'session'> =>
  route === 'abp-reprogrammed' ? sessionIn(record, is11) : rootKeysIn(record)

const rootKeysIn = (record: DeviceRecord): Pick<NewCredentials, 'rootKeys'> => {
  const appKey = secretField(record, JS, 'root_keys.app_key.key')
  const nwkKey = secretField(record, JS, 'root_keys.nwk_key.key')
  if (appKey === undefined) return {}
  return { rootKeys: { appKey, ...(nwkKey === undefined ? {} : { nwkKey }) } }
}

/** Below LoRaWAN 1.1 the Network Server tells its one key three times. */
const sessionIn = (record: DeviceRecord, is11: boolean): Pick<NewCredentials, 'session'> => {
  const devAddr = parseDevAddr(textField(record, NS, 'session.dev_addr') ?? '')
  const [forwarding, serving, encryption] = ['f_nwk_s_int_key', 's_nwk_s_int_key', 'nwk_s_enc_key'].map(
    (name) => secretField(record, NS, `session.keys.${name}.key`),
  )
  const appSKey = secretField(record, AS, 'session.keys.app_s_key.key')
  if (devAddr === undefined || forwarding === undefined || appSKey === undefined) return {}
  return {
    session: {
      devAddr,
      appSKey,
      fNwkSIntKey: forwarding,
      ...(is11 && serving !== undefined ? { sNwkSIntKey: serving } : {}),
      ...(is11 && encryption !== undefined ? { nwkSEncKey: encryption } : {}),
    },
  }
}

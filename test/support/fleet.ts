import { call, type TestNetwork } from './stack-api.ts'
import { registerV2 } from './v2.ts'

/** A device to register on a simulated network, with plainly made-up keys. */
export interface DeviceSpec {
  readonly id: string
  /** Last byte of its DevEUI; unique in a fleet. */
  readonly number: number
  readonly mode: 'otaa' | 'abp' | 'multicast'
  readonly version?: string
  readonly phy?: string
  readonly name?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly macSettings?: Readonly<Record<string, unknown>>
  /** Uplink counter of a running session; absent: never joined (OTAA). */
  readonly fCntUp?: number
  readonly nFCntDown?: number
  readonly aFCntDown?: number
  readonly nwkKey?: boolean
  readonly classC?: boolean
  readonly formatter?: string
  readonly usedDevNonces?: readonly number[]
  readonly lastDevNonce?: number
  readonly lastJoinNonce?: number
  /** Registries to leave out, for half-registered devices. */
  readonly without?: readonly ('js' | 'ns' | 'as')[]
  readonly plan?: string
  readonly classB?: boolean
  readonly rootKeyId?: string
  readonly resetsJoinNonces?: boolean
  /** More fields for the Identity Server, such as description, locations and version_ids. */
  readonly identity?: Readonly<Record<string, unknown>>
  /** More fields for the Network Server, such as battery_percentage; each is a path of the mask. */
  readonly network?: Readonly<Record<string, unknown>>
  /** More fields for the Application Server, such as skip_payload_crypto_override. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Root keys other than those that its number stands for: a stranger with the same EUIs. */
  readonly strangeKeys?: boolean
}

const byte = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0')

/** Keys that name their device and their use: key `A1` of device 7 is `A107` eight times. */
const key = (use: string, number: number): string => `${use}${byte(number)}`.repeat(8)

export interface FleetKeys {
  readonly devEui: string
  readonly joinEui: string
  readonly appKey: string
  readonly nwkKey: string
  readonly devAddr: string
  readonly fNwkSIntKey: string
  readonly sNwkSIntKey: string
  readonly nwkSEncKey: string
  readonly appSKey: string
  readonly sessionKeyId: string
}

const JOIN_EUI = '70B3D57ED0009000'

export const keysOf = ({ number, version, strangeKeys }: DeviceSpec): FleetKeys => {
  const is11 = version === 'MAC_V1_1'
  const [appKey, nwkKey, forwarding] = strangeKeys === true ? ['E1', 'E2', 'E3'] : ['A1', 'A2', 'B1']
  return {
    devEui: `70B3D57ED00F00${byte(number)}`,
    joinEui: JOIN_EUI,
    appKey: key(appKey, number),
    nwkKey: key(nwkKey, number),
    devAddr: `27000F${byte(number)}`,
    fNwkSIntKey: key(forwarding, number),
    sNwkSIntKey: key(is11 ? 'B2' : forwarding, number),
    nwkSEncKey: key(is11 ? 'B3' : forwarding, number),
    appSKey: key('C1', number),
    sessionKeyId: Buffer.from(key('D1', number), 'hex').toString('base64'),
  }
}

const set = async (
  network: TestNetwork,
  registry: 'js' | 'ns' | 'as',
  spec: DeviceSpec,
  fields: object,
  paths: readonly string[],
): Promise<void> => {
  const { application } = network
  const ids = idsOf(spec)
  await call(network, 'PUT', `/${registry}/applications/${application}/devices/${spec.id}`, {
    end_device: { ids, ...fields },
    field_mask: { paths },
  })
}

const idsOf = (spec: DeviceSpec): object => {
  const keys = keysOf(spec)
  return {
    device_id: spec.id,
    ...(spec.mode === 'multicast' ? {} : { dev_eui: keys.devEui }),
    ...(spec.mode === 'otaa' ? { join_eui: keys.joinEui } : {}),
  }
}

/** Registers a device on the registries of a network, as a person would who knows the API. */
export const register = async (network: TestNetwork, spec: DeviceSpec): Promise<void> => {
  if (network.network === 'ttn-v2') return registerV2(network, spec)
  const keys = keysOf(spec)
  const { application } = network
  const without = spec.without ?? []
  await call(network, 'POST', `/applications/${application}/devices`, {
    end_device: {
      ids: idsOf(spec),
      ...(spec.name === undefined ? {} : { name: spec.name }),
      ...(spec.attributes === undefined ? {} : { attributes: spec.attributes }),
      ...spec.identity,
    },
  })
  if (spec.mode === 'otaa' && !without.includes('js')) await registerJoin(network, spec, keys)
  const hasSession = spec.mode !== 'otaa' || spec.fCntUp !== undefined
  const sessionKeyId = spec.mode === 'otaa' ? { session_key_id: keys.sessionKeyId } : {}
  if (!without.includes('as')) {
    const fields = {
      ...(spec.formatter === undefined
        ? {}
        : { formatters: { up_formatter: 'FORMATTER_JAVASCRIPT', up_formatter_parameter: spec.formatter } }),
      ...(hasSession
        ? {
            session: {
              dev_addr: keys.devAddr,
              keys: { ...sessionKeyId, app_s_key: { key: keys.appSKey } },
              last_a_f_cnt_down: spec.aFCntDown ?? 0,
            },
          }
        : {}),
      ...spec.more,
    }
    const paths = [
      ...(spec.formatter === undefined ? [] : ['formatters']),
      ...Object.keys(spec.more ?? {}),
      ...(hasSession
        ? [
            'session.dev_addr',
            'session.keys.app_s_key.key',
            'session.last_a_f_cnt_down',
            ...(spec.mode === 'otaa' ? ['session.keys.session_key_id'] : []),
          ]
        : []),
    ]
    await set(network, 'as', spec, fields, paths)
  }
  if (!without.includes('ns')) await registerNetwork(network, spec, keys, hasSession, sessionKeyId)
}

const registerJoin = async (network: TestNetwork, spec: DeviceSpec, keys: FleetKeys): Promise<void> => {
  const withNwkKey = spec.nwkKey === true || spec.version === 'MAC_V1_1'
  const fields = {
    root_keys: {
      app_key: { key: keys.appKey },
      ...(withNwkKey ? { nwk_key: { key: keys.nwkKey } } : {}),
      ...(spec.rootKeyId === undefined ? {} : { root_key_id: spec.rootKeyId }),
    },
    used_dev_nonces: spec.usedDevNonces ?? [],
    last_dev_nonce: spec.lastDevNonce ?? 0,
    last_join_nonce: spec.lastJoinNonce ?? 0,
    ...(spec.resetsJoinNonces === true ? { resets_join_nonces: true } : {}),
  }
  const paths = [
    ...(spec.rootKeyId === undefined ? [] : ['root_keys.root_key_id']),
    ...(spec.resetsJoinNonces === true ? ['resets_join_nonces'] : []),
    'root_keys.app_key.key',
    ...(withNwkKey ? ['root_keys.nwk_key.key'] : []),
    'used_dev_nonces',
    'last_dev_nonce',
    'last_join_nonce',
  ]
  await set(network, 'js', spec, fields, paths)
}

const registerNetwork = async (
  network: TestNetwork,
  spec: DeviceSpec,
  keys: FleetKeys,
  hasSession: boolean,
  sessionKeyId: object,
): Promise<void> => {
  const settings = spec.macSettings ?? {}
  const fields = {
    supports_join: spec.mode === 'otaa',
    ...(spec.mode === 'multicast' ? { multicast: true } : {}),
    supports_class_b: spec.classB === true,
    supports_class_c: spec.classC === true,
    lorawan_version: spec.version ?? 'MAC_V1_0_3',
    lorawan_phy_version:
      spec.phy ??
      (spec.version === 'MAC_V1_1'
        ? 'PHY_V1_1_REV_B'
        : spec.version === 'MAC_V1_0_4'
          ? 'RP002_V1_0_1'
          : 'PHY_V1_0_3_REV_A'),
    frequency_plan_id: spec.plan ?? 'EU_863_870_TTN',
    mac_settings: settings,
    ...spec.network,
    ...(hasSession
      ? {
          session: {
            dev_addr: keys.devAddr,
            last_f_cnt_up: spec.fCntUp ?? 0,
            last_n_f_cnt_down: spec.nFCntDown ?? 0,
            keys: {
              ...sessionKeyId,
              f_nwk_s_int_key: { key: keys.fNwkSIntKey },
              s_nwk_s_int_key: { key: keys.sNwkSIntKey },
              nwk_s_enc_key: { key: keys.nwkSEncKey },
            },
          },
        }
      : {}),
  }
  const paths = [
    'supports_join',
    ...(spec.mode === 'multicast' ? ['multicast'] : []),
    'supports_class_b',
    'supports_class_c',
    ...Object.keys(spec.network ?? {}),
    'lorawan_version',
    'lorawan_phy_version',
    'frequency_plan_id',
    ...Object.keys(settings).map((name) => `mac_settings.${name}`),
    ...(hasSession
      ? [
          'session.dev_addr',
          ...(spec.mode === 'multicast' ? [] : ['session.last_f_cnt_up']),
          'session.last_n_f_cnt_down',
          ...(spec.mode === 'otaa' ? ['session.keys.session_key_id'] : []),
          'session.keys.f_nwk_s_int_key.key',
          'session.keys.s_nwk_s_int_key.key',
          'session.keys.nwk_s_enc_key.key',
        ]
      : []),
  ]
  await set(network, 'ns', spec, fields, paths)
}

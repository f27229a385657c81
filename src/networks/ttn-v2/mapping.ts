import { createHash } from 'node:crypto'
import { acceptedIdentity } from '../../domain/accepted-identity.ts'
import type { DeviceIds, DeviceRecord, Fields, FieldValue, Original, Untold } from '../../domain/device.ts'
import { parseDevEui, parseJoinEui } from '../../domain/identifiers.ts'
import type { Json } from '../../domain/json.ts'
import type { TtnV2End } from '../../domain/migration-plan.ts'
import { Secret } from '../../domain/secret.ts'
import { RX1_DELAY, rx2Of } from './bands.ts'

type Tree = { readonly [name: string]: Json }

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SECRETS = ['app_key', 'nwk_s_key', 'app_s_key']

/** The device as V2 has it, keys as secrets. */
const originalOf = (device: Tree): Original => {
  const lorawan = isTree(device['lorawan_device']) ? device['lorawan_device'] : {}
  const inner = Object.fromEntries(
    Object.entries(lorawan).map(([name, value]) => [
      name,
      SECRETS.includes(name) && typeof value === 'string' && value !== ''
        ? new Secret(value.toUpperCase())
        : value,
    ]),
  )
  return { ...device, lorawan_device: inner }
}

const secretIn = (original: Original, name: string): Secret | undefined => {
  const lorawan = original['lorawan_device'] as Original
  const value = lorawan[name]
  return value instanceof Secret && !/^0*$/.test(value.reveal()) ? value : undefined
}

const text = (tree: Tree, name: string): string | undefined => {
  const value = tree[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const number = (tree: Tree, name: string): number => {
  const value = Number(tree[name] ?? 0)
  return Number.isFinite(value) ? value : 0
}

/** What is there, without what is not. */
const present = (fields: Readonly<Record<string, FieldValue | undefined>>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields

export const idsOf = (device: Json | undefined): DeviceIds => {
  const tree = isTree(device) ? device : {}
  const lorawan = isTree(tree['lorawan_device']) ? tree['lorawan_device'] : {}
  const devEui = parseDevEui(text(lorawan, 'dev_eui') ?? '')
  const joinEui = parseJoinEui(text(lorawan, 'app_eui') ?? '')
  return {
    deviceId: text(tree, 'dev_id') ?? '',
    ...(devEui === undefined ? {} : { devEui }),
    ...(joinEui === undefined ? {} : { joinEui }),
  }
}

interface Session {
  readonly devAddr: string
  readonly nwkSKey: Secret
  readonly appSKey: Secret
  readonly fCntUp: number
  /** The next one to use; written as the last that was, which skips one and is safe. */
  readonly fCntDown: number
  readonly keyId: string | undefined
}

const sessionOf = (original: Original, ids: DeviceIds, isOtaa: boolean): Session | undefined => {
  const lorawan = original['lorawan_device'] as Tree
  const devAddr = text(lorawan, 'dev_addr')?.toUpperCase()
  const [nwkSKey, appSKey] = [secretIn(original, 'nwk_s_key'), secretIn(original, 'app_s_key')]
  if (devAddr === undefined || nwkSKey === undefined || appSKey === undefined) return undefined
  return {
    devAddr,
    nwkSKey,
    appSKey,
    fCntUp: number(lorawan, 'f_cnt_up'),
    fCntDown: number(lorawan, 'f_cnt_down'),
    keyId: isOtaa ? sessionKeyId(ids, devAddr) : undefined,
  }
}

/** V2 gives sessions no id. It has to be the same at each reading, and tells nothing of the keys. */
const sessionKeyId = ({ devEui }: DeviceIds, devAddr: string): string =>
  createHash('sha256')
    .update(`${devEui ?? ''} ${devAddr}`)
    .digest()
    .subarray(0, 16)
    .toString('base64')

/** A counter of 0 is left out, as registries do. */
const counter = (value: number): number | undefined => (value === 0 ? undefined : value)

const locationsOf = (device: Tree): Json | undefined => {
  const [latitude, longitude, altitude] = ['latitude', 'longitude', 'altitude'].map((name) =>
    number(device, name),
  )
  if (latitude === 0 && longitude === 0) return undefined
  return {
    user: {
      latitude: decimals(latitude ?? 0),
      longitude: decimals(longitude ?? 0),
      ...(altitude === 0 ? {} : { altitude: altitude ?? 0 }),
      source: 'SOURCE_REGISTRY',
    },
  }
}

/** V2 keeps 32-bit floats: the fewest decimals that name the same one. */
const decimals = (value: number): number => {
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(Math.fround(value).toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}

const macStateOf = (end: TtnV2End['defaults']): Json => {
  const rx2 = rx2Of(end.frequencyPlan)
  return {
    device_class: 'CLASS_A',
    lorawan_version: end.lorawanVersion,
    current_parameters: {
      rx1_delay: RX1_DELAY,
      rx1_data_rate_offset: 0,
      ...(rx2 === undefined ? {} : { rx2_data_rate_index: rx2.dataRate, rx2_frequency: rx2.frequency }),
    },
  }
}

/** What V2 handed out is what an ABP device was made for: its MAC state is derived from its settings. */
const abpSettings = ({ frequencyPlan }: TtnV2End['defaults'], resets: boolean): Fields => {
  const rx2 = rx2Of(frequencyPlan)
  return present({
    'mac_settings.rx1_delay': RX1_DELAY,
    'mac_settings.desired_rx1_delay': RX1_DELAY,
    'mac_settings.rx2_data_rate_index': rx2?.dataRate,
    'mac_settings.rx2_frequency': rx2?.frequency,
    'mac_settings.resets_f_cnt': resets ? true : undefined,
  })
}

const networkFields = (
  session: Session | undefined,
  lorawan: Tree,
  isOtaa: boolean,
  defaults: TtnV2End['defaults'],
): Fields => ({
  ...present({
    frequency_plan_id: defaults.frequencyPlan,
    lorawan_version: defaults.lorawanVersion,
    lorawan_phy_version: defaults.lorawanPhyVersion,
    supports_join: isOtaa ? true : undefined,
    // The target takes 32 bits where nothing is said, and would refuse a 16-bit device after its counter rolled over.
    'mac_settings.supports_32_bit_f_cnt': lorawan['uses32_bit_f_cnt'] === true,
    // V2 never asked a device for its status.
    'mac_settings.status_time_periodicity': '0s',
    'mac_settings.status_count_periodicity': 0,
  }),
  ...(isOtaa ? {} : abpSettings(defaults, lorawan['disable_f_cnt_check'] === true)),
  ...(session === undefined
    ? {}
    : present({
        'session.dev_addr': session.devAddr,
        'session.keys.session_key_id': session.keyId,
        'session.keys.f_nwk_s_int_key.key': session.nwkSKey,
        'session.keys.s_nwk_s_int_key.key': session.nwkSKey,
        'session.keys.nwk_s_enc_key.key': session.nwkSKey,
        'session.last_f_cnt_up': counter(session.fCntUp),
        'session.last_n_f_cnt_down': counter(session.fCntDown),
        mac_state: macStateOf(defaults),
      })),
})

const applicationFields = (session: Session | undefined): Fields =>
  session === undefined
    ? {}
    : present({
        'session.dev_addr': session.devAddr,
        'session.keys.session_key_id': session.keyId,
        'session.keys.app_s_key.key': session.appSKey,
        'session.last_a_f_cnt_down': counter(session.fCntDown),
      })

/** It keeps no JoinNonces, and goes on sending until it is cleared. */
const UNTOLD: Untold = { joinNonces: true, downlinks: 32 }

/**
 * A device of V2 as the registries of The Things Stack would hold it (V2 notes, section 8). One without any key has an
 * identity and no more: nobody serves it.
 */
export const recordOf = (device: Json | undefined, defaults: TtnV2End['defaults']): DeviceRecord => {
  const tree = isTree(device) ? device : {}
  const original = originalOf(tree)
  const lorawan = isTree(tree['lorawan_device']) ? tree['lorawan_device'] : {}
  const ids = idsOf(tree)
  const appKey = secretIn(original, 'app_key')
  const isOtaa = appKey !== undefined
  const session = sessionOf(original, ids, isOtaa)
  const { findings, description, attributes } = acceptedIdentity(
    {
      description: text(tree, 'description'),
      attributes: isTree(tree['attributes']) ? tree['attributes'] : {},
    },
    ids.deviceId,
  )
  const identity = present({
    description,
    attributes,
    locations: locationsOf(tree),
  })
  const isServed = isOtaa || session !== undefined
  return {
    ids,
    original,
    untold: UNTOLD,
    ...(findings.length === 0 ? {} : { findings }),
    registries: {
      'identity-server': identity,
      ...(isOtaa ? { 'join-server': { 'root_keys.app_key.key': appKey } } : {}),
      ...(isServed
        ? {
            'application-server': applicationFields(session),
            'network-server': networkFields(session, lorawan, isOtaa, defaults),
          }
        : {}),
    },
  }
}

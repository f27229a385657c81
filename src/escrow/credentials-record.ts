import type { NewCredentials } from '../domain/credentials.ts'
import { FerryError } from '../domain/errors.ts'
import { parseDevAddr, parseDevEui, parseJoinEui } from '../domain/identifiers.ts'
import { Secret } from '../domain/secret.ts'

/** Version of the record; `format_version` of a line. */
export const CREDENTIALS_FORMAT_VERSION = 1

/**
 * The fields of a record, in the order of the columns. Names and values are those that production tools know from The
 * Things Stack; `device_id` is that on the target, the LoRaWAN version is as `1.0.3`, keys are 32 upper-case hex digits.
 */
const COLUMNS = [
  'device_id',
  'source_device_id',
  'activation',
  'lorawan_version',
  'frequency_plan_id',
  'dev_eui',
  'join_eui',
  'app_key',
  'nwk_key',
  'dev_addr',
  'nwk_s_key',
  'f_nwk_s_int_key',
  's_nwk_s_int_key',
  'nwk_s_enc_key',
  'app_s_key',
] as const
type Column = (typeof COLUMNS)[number]
type FlatRecord = { readonly [C in Column]?: string }

const ID = /^[0-9a-z][0-9a-z_-]{0,63}$/
const KEY = /^[0-9A-F]{32}$/
/** Printable, and nothing that a spreadsheet would calculate. */
const PLAN = /^(?![=+@-])[ -~]{0,64}$/
const VERSION = /^\d(?:\.\d){1,2}$/

const isSplit = (lorawanVersion: string): boolean => lorawanVersion === 'MAC_V1_1'

/** Reveals the keys: only text that is encrypted next, or that somebody asked for, may come from here. */
const flatten = (credentials: NewCredentials): FlatRecord => {
  const { rootKeys, session, lorawanVersion } = credentials
  const all: { readonly [C in Column]: string | undefined } = {
    device_id: credentials.target,
    source_device_id: credentials.device,
    activation: credentials.activation.toUpperCase(),
    lorawan_version: lorawanVersion.replace(/^MAC_V/, '').replaceAll('_', '.'),
    frequency_plan_id: credentials.frequencyPlan,
    dev_eui: credentials.devEui,
    join_eui: credentials.joinEui,
    app_key: rootKeys?.appKey.reveal(),
    nwk_key: rootKeys?.nwkKey?.reveal(),
    dev_addr: session?.devAddr,
    nwk_s_key: isSplit(lorawanVersion) ? undefined : session?.fNwkSIntKey.reveal(),
    f_nwk_s_int_key: isSplit(lorawanVersion) ? session?.fNwkSIntKey.reveal() : undefined,
    s_nwk_s_int_key: session?.sNwkSIntKey?.reveal(),
    nwk_s_enc_key: session?.nwkSEncKey?.reveal(),
    app_s_key: session?.appSKey.reveal(),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** One object, without the fields that the device does not have. */
export const credentialsJson = (credentials: NewCredentials): string =>
  JSON.stringify({ format_version: CREDENTIALS_FORMAT_VERSION, ...flatten(credentials) })

/** Every field is quoted: `1E500000` is an address and no number. Lines end as RFC 4180 wants it. */
const csvLine = (fields: readonly string[]): string =>
  `${fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')}\r\n`

/** A head and a line a device; every column is always there, empty where the device has no such value. */
export const credentialsCsv = (list: readonly NewCredentials[]): string => {
  const rows = list.map((credentials) => {
    const flat = flatten(credentials)
    return csvLine(COLUMNS.map((column) => flat[column] ?? ''))
  })
  return [csvLine(COLUMNS), ...rows].join('')
}

/**
 * The line of a file, once it is certain that it comes back exactly: EUIs, addresses and keys of the right form, ids and
 * names that neither a spreadsheet nor a terminal takes for more. Throws `EscrowValueUnsupported` (kind `unexpected`).
 */
export const credentialsLine = (credentials: NewCredentials): string => {
  const line = credentialsJson(credentials)
  const restored = credentialsFromJson(JSON.parse(line))
  if (restored !== undefined && credentialsJson(restored) === line) return line
  throw new FerryError(
    'unexpected',
    'EscrowValueUnsupported',
    `the new credentials of ${credentials.device} can't be kept exactly in the escrow`,
    { hint: 'nothing was changed for this device; report this' },
  )
}

/** The credentials of a record, with its keys as `Secret`s; undefined for what is none. */
export const credentialsFromJson = (value: unknown): NewCredentials | undefined => {
  const flat = flatOf(value)
  if (flat === undefined) return undefined
  const { device_id, source_device_id, activation, lorawan_version, frequency_plan_id } = flat
  const isIn = (text: string | undefined, pattern: RegExp): text is string =>
    text !== undefined && pattern.test(text)
  const kind = activation === 'OTAA' ? 'otaa' : activation === 'ABP' ? 'abp' : undefined
  if (!isIn(device_id, ID) || !isIn(source_device_id, ID) || kind === undefined) return undefined
  if (!isIn(lorawan_version, VERSION) || !isIn(frequency_plan_id, PLAN)) return undefined
  const devEui = flat.dev_eui === undefined ? undefined : parseDevEui(flat.dev_eui)
  const joinEui = flat.join_eui === undefined ? undefined : parseJoinEui(flat.join_eui)
  if ((devEui === undefined) !== (flat.dev_eui === undefined)) return undefined
  if ((joinEui === undefined) !== (flat.join_eui === undefined)) return undefined
  const rootKeys = rootKeysOf(flat)
  const session = sessionOf(flat)
  if (rootKeys === 'wrong' || session === 'wrong') return undefined
  return {
    device: source_device_id,
    target: device_id,
    activation: kind,
    lorawanVersion: `MAC_V${lorawan_version.replaceAll('.', '_')}`,
    frequencyPlan: frequency_plan_id,
    ...(devEui === undefined ? {} : { devEui }),
    ...(joinEui === undefined ? {} : { joinEui }),
    ...(rootKeys === undefined ? {} : { rootKeys }),
    ...(session === undefined ? {} : { session }),
  }
}

const flatOf = (value: unknown): FlatRecord | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const known = Object.entries(value).filter(([name]) => COLUMNS.some((column) => column === name))
  return known.every(([, text]) => typeof text === 'string') ? Object.fromEntries(known) : undefined
}

/** Undefined where there are none of these keys, `wrong` where one is missing or malformed. */
const rootKeysOf = ({ app_key, nwk_key }: FlatRecord): NewCredentials['rootKeys'] | 'wrong' => {
  if (app_key === undefined) return nwk_key === undefined ? undefined : 'wrong'
  if (!KEY.test(app_key) || (nwk_key !== undefined && !KEY.test(nwk_key))) return 'wrong'
  return { appKey: new Secret(app_key), ...(nwk_key === undefined ? {} : { nwkKey: new Secret(nwk_key) }) }
}

const sessionOf = (flat: FlatRecord): NewCredentials['session'] | 'wrong' => {
  const { dev_addr, nwk_s_key, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key } = flat
  const parts = [dev_addr, nwk_s_key, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key]
  if (parts.every((part) => part === undefined)) return undefined
  const first = nwk_s_key ?? f_nwk_s_int_key
  const devAddr = parseDevAddr(dev_addr ?? '')
  const keys = parts.slice(1).filter((key) => key !== undefined)
  if (devAddr === undefined || first === undefined || app_s_key === undefined) return 'wrong'
  if (!keys.every((key) => KEY.test(key))) return 'wrong'
  return {
    devAddr,
    appSKey: new Secret(app_s_key),
    fNwkSIntKey: new Secret(first),
    ...(s_nwk_s_int_key === undefined ? {} : { sNwkSIntKey: new Secret(s_nwk_s_int_key) }),
    ...(nwk_s_enc_key === undefined ? {} : { nwkSEncKey: new Secret(nwk_s_enc_key) }),
  }
}

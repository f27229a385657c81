import { createHash } from 'node:crypto'
import { acceptedIdentity } from '../../domain/accepted-identity.ts'
import {
  type DeviceIds,
  type DeviceRecord,
  type Fields,
  type FieldValue,
  REGISTRIES,
  type Registry,
} from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Json } from '../../domain/json.ts'
import type { FileEnd } from '../../domain/migration-plan.ts'
import { type JsonObject, objectOf, valueAt } from '../things-stack/json-tree.ts'
import { fieldsOf, idsOf, WrappedKey } from '../things-stack/records.ts'
import type { Described } from './csv-device.ts'
import { isReversedEui } from './reversed-eui.ts'

/** A file is older than the handover; a device takes jumps of its downlink counter up to 16 384. */
const UNHEARD_DOWNLINKS = 1_000

const KEYS = [
  ...['app_key', 'nwk_key'].map((name) => `root_keys.${name}`),
  ...['f_nwk_s_int_key', 's_nwk_s_int_key', 'nwk_s_enc_key', 'app_s_key'].map(
    (name) => `session.keys.${name}`,
  ),
]

type Found = Omit<Diagnostic, 'subject'>

const wrong = (message: string, hint: string): Found => ({
  code: 'FileValueWrong',
  severity: 'error',
  message,
  hint,
})

/** Sets or removes what lies at a path; the rest is shared. */
const withValue = (tree: JsonObject, path: string, value: Json | undefined): JsonObject => {
  const [name = '', ...rest] = path.split('.')
  const { [name]: before, ...others } = tree
  const after = rest.length === 0 ? value : withValue(objectOf(before) ?? {}, rest.join('.'), value)
  return after === undefined ? others : { ...others, [name]: after }
}

/** Keys in one spelling. What is no key is taken out and told, and of a key of zeros that it is none any more. */
const withCleanKeys = (
  tree: JsonObject,
): { readonly tree: JsonObject; readonly findings: readonly Found[] } => {
  const findings: Found[] = []
  let clean = tree
  for (const path of KEYS) {
    const key = valueAt(tree, `${path}.key`)
    if (key === undefined || key === '') continue
    const hex = typeof key === 'string' ? key.replace(/[\s:-]/g, '') : ''
    if (/^0{32}$/.test(hex)) {
      findings.push({
        code: 'KeyOfZeros',
        severity: 'error',
        message: `${path} is all zeros: it was cleared by an earlier migration, or never set`,
        hint: 'look for it in the escrow of that migration; else leave the device out',
      })
      clean = withValue(clean, path, undefined)
    } else if (/^[0-9A-Fa-f]{32}$/.test(hex)) {
      if (key !== hex.toUpperCase()) clean = withValue(clean, `${path}.key`, hex.toUpperCase())
    } else {
      findings.push(wrong(`${path} is no key of 32 hex digits`, 'correct it in the file'))
      clean = withValue(clean, path, undefined)
    }
  }
  return { tree: clean, findings }
}

const textAt = (tree: JsonObject, path: string): string | undefined => {
  const value = valueAt(tree, path)
  return typeof value === 'string' ? value : undefined
}

/** Where the file says nothing. */
const withDefaults = (tree: JsonObject, defaults: FileEnd['defaults']): JsonObject => {
  const absent = (path: string): boolean => [undefined, ''].includes(valueAt(tree, path) as undefined)
  const wanted: readonly (readonly [string, string | undefined])[] = [
    ['frequency_plan_id', defaults?.frequencyPlan],
    ['lorawan_version', defaults?.lorawanVersion],
    ['lorawan_phy_version', defaults?.lorawanPhyVersion],
    ['ids.join_eui', valueAt(tree, 'supports_join') === true ? defaults?.joinEui : undefined],
  ]
  return wanted.reduce(
    (whole, [path, value]) => (value !== undefined && absent(path) ? withValue(whole, path, value) : whole),
    tree,
  )
}

/** A session has an id where the device joins; it has to be the same at each reading, and tells nothing of the keys. */
const sessionKeyId = ({ devEui }: DeviceIds, devAddr: string): string =>
  createHash('sha256')
    .update(`${devEui ?? ''} ${devAddr}`)
    .digest()
    .subarray(0, 16)
    .toString('base64')

/** LoRaWAN is younger. */
const EARLIEST = Date.UTC(2013, 0)
const TIME = 'session.started_at'

/** A target refuses a device for a time that is none; of one that can not be nothing is to be learnt. */
const withPossibleTime = (tree: JsonObject, findings: Found[]): JsonObject => {
  const time = valueAt(tree, TIME)
  if (time === undefined || (typeof time === 'string' && Date.parse(time) >= EARLIEST)) return tree
  findings.push({
    code: 'TimeLeftOut',
    severity: 'note',
    message: `${TIME} is no time that can be, and is left out`,
  })
  return withValue(tree, TIME, undefined)
}

/** Below LoRaWAN 1.1 one key serves the network three times, and a list may name it once. */
const withWholeSession = (tree: JsonObject, ids: DeviceIds): JsonObject => {
  const devAddr = valueAt(tree, 'session.dev_addr')
  if (typeof devAddr !== 'string') return tree
  let whole = tree
  const network = valueAt(tree, 'session.keys.f_nwk_s_int_key.key')
  if (network !== undefined && valueAt(tree, 'lorawan_version') !== 'MAC_V1_1')
    for (const name of ['s_nwk_s_int_key', 'nwk_s_enc_key'])
      if (valueAt(tree, `session.keys.${name}.key`) === undefined)
        whole = withValue(whole, `session.keys.${name}.key`, network)
  const needsId =
    valueAt(tree, 'supports_join') === true && valueAt(tree, 'session.keys.session_key_id') === undefined
  return needsId ? withValue(whole, 'session.keys.session_key_id', sessionKeyId(ids, devAddr)) : whole
}

const idFindings = (tree: JsonObject, ids: DeviceIds): readonly Found[] => {
  const joins = valueAt(tree, 'supports_join') === true
  const malformed = (['dev_eui', 'join_eui'] as const).flatMap((name): Found[] => {
    const text = valueAt(tree, `ids.${name}`)
    const parsed = name === 'dev_eui' ? ids.devEui : ids.joinEui
    return text === undefined || text === '' || parsed !== undefined
      ? []
      : [wrong(`ids.${name} is ${String(text).slice(0, 40)}, which is no EUI`, 'write 16 hex digits')]
  })
  if (malformed.length > 0) return malformed
  return [
    ...(joins && ids.devEui === undefined
      ? [wrong('it joins, and the file has no DevEUI of it', 'add it to the file')]
      : []),
    ...(joins && ids.joinEui === undefined
      ? [
          {
            code: 'JoinEuiMissing',
            severity: 'error',
            message: 'it joins, and the file has no JoinEUI of it',
            hint: 'add it to the file, or write source.defaults.joinEui where all such devices hold one',
          } as const,
        ]
      : []),
    ...(ids.devEui !== undefined && isReversedEui(ids.devEui)
      ? [
          {
            code: 'EuiReversed',
            severity: 'warning',
            message: `its DevEUI ${ids.devEui} ends with the reversed prefix of a maker: its bytes may be in the wrong order`,
            hint: 'compare it with the label of the device',
          } as const,
        ]
      : []),
  ]
}

/** Which registries hold a device, as `ttn-lw-cli end-devices create` would write it. */
const holds = (registry: Registry, tree: JsonObject, fields: Fields): boolean => {
  switch (registry) {
    case 'identity-server':
      return true
    case 'join-server':
      return fields['root_keys.app_key.key'] !== undefined || fields['root_keys.nwk_key.key'] !== undefined
    case 'network-server':
    case 'application-server':
      return ['lorawan_version', 'frequency_plan_id', 'session'].some(
        (path) => valueAt(tree, path) !== undefined,
      )
  }
}

const COUNTERS = ['session.last_f_cnt_up', 'session.last_n_f_cnt_down']

/** What a file can not tell. A devices.json leaves out counters of 0; a CSV leaves out what nobody wrote. */
const untoldOf = (tree: JsonObject, isCsv: boolean): NonNullable<DeviceRecord['untold']> => ({
  downlinks: UNHEARD_DOWNLINKS,
  ...(isCsv ? { joinNonces: true } : {}),
  ...(isCsv && COUNTERS.some((path) => valueAt(tree, path) === undefined) ? { counters: true } : {}),
})

/** Its ids alone, with the JoinEUI that the plan gives to all. */
export const identityOf = (tree: JsonObject, defaults: FileEnd['defaults']): DeviceIds =>
  idsOf(defaults?.joinEui === undefined ? tree : withDefaults(tree, defaults))

/** A device that a file describes, as the registries of The Things Stack would hold it. */
export const recordOf = (
  { tree: written, findings: read }: Described,
  {
    deviceId,
    defaults,
    isCsv,
  }: { readonly deviceId: string; readonly isCsv: boolean } & Pick<FileEnd, 'defaults'>,
): DeviceRecord => {
  const { tree: clean, findings: ofKeys } = withCleanKeys(written)
  const given = withDefaults(clean, defaults)
  const ids = { ...idsOf(given), deviceId }
  const findings: Found[] = [...read, ...ofKeys]
  const tree = withWholeSession(withPossibleTime(given, findings), ids)
  findings.push(...idFindings(tree, ids))
  const described = acceptedIdentity(
    {
      name: textAt(tree, 'name'),
      description: textAt(tree, 'description'),
      attributes: objectOf(valueAt(tree, 'attributes')),
    },
    deviceId,
  )
  const { findings: ofIdentity, ...identity } = described
  const registries: { [R in Registry]?: Readonly<Record<string, FieldValue>> } = {}
  for (const registry of REGISTRIES) {
    const fields = {
      ...fieldsFrom(registry, tree, findings),
      ...(registry === 'identity-server' ? identity : {}),
    }
    if (holds(registry, tree, fields)) registries[registry] = fields
  }
  return {
    ids,
    registries,
    untold: untoldOf(tree, isCsv),
    ...(findings.length + ofIdentity.length === 0
      ? {}
      : {
          findings: [
            ...findings.map((finding) => ({ ...finding, subject: { device: deviceId } })),
            ...ofIdentity,
          ],
        }),
  }
}

/** Without the addresses of the servers that the device had: they are of the network that wrote the file. */
const fieldsFrom = (registry: Registry, tree: JsonObject, findings: Found[]): Fields => {
  try {
    const fields = fieldsOf(registry, tree)
    const isAddress = (path: string): boolean => path.endsWith('_server_address')
    return Object.keys(fields).some(isAddress)
      ? Object.fromEntries(Object.entries(fields).filter(([path]) => !isAddress(path)))
      : fields
  } catch (error) {
    if (!(error instanceof WrappedKey)) throw error
    findings.push(
      wrong(
        `${error.path} is wrapped by a key of the network that wrote the file`,
        'export the device with keys that are not wrapped',
      ),
    )
    return {}
  }
}

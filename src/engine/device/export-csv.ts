import type { DeviceRecord, FieldPath, Registry } from '../../domain/device.ts'
import { REGISTRIES } from '../../domain/device.ts'
import { Secret } from '../../domain/secret.ts'
import { isObject } from './records.ts'

/** Columns of the CSV of The Things Stack (pkg/devicetemplates, checked against 3.32), and where they come from. */
const COLUMNS: readonly (readonly [heading: string, registry: Registry, path: FieldPath])[] = [
  ['name', 'identity-server', 'name'],
  ['description', 'identity-server', 'description'],
  ['frequency_plan_id', 'network-server', 'frequency_plan_id'],
  ['lorawan_version', 'network-server', 'lorawan_version'],
  ['lorawan_phy_version', 'network-server', 'lorawan_phy_version'],
  ['brand_id', 'identity-server', 'version_ids.brand_id'],
  ['model_id', 'identity-server', 'version_ids.model_id'],
  ['hardware_version', 'identity-server', 'version_ids.hardware_version'],
  ['firmware_version', 'identity-server', 'version_ids.firmware_version'],
  ['band_id', 'identity-server', 'version_ids.band_id'],
  ['app_key', 'join-server', 'root_keys.app_key.key'],
  ['nwk_key', 'join-server', 'root_keys.nwk_key.key'],
  ['rx1_delay', 'network-server', 'mac_settings.rx1_delay'],
  ['supports_32_bit_f_cnt', 'network-server', 'mac_settings.supports_32_bit_f_cnt'],
  ['dev_addr', 'network-server', 'session.dev_addr'],
  ['app_s_key', 'application-server', 'session.keys.app_s_key.key'],
  ['f_nwk_s_int_key', 'network-server', 'session.keys.f_nwk_s_int_key.key'],
  ['last_f_cnt_up', 'network-server', 'session.last_f_cnt_up'],
  ['last_n_f_cnt_down', 'network-server', 'session.last_n_f_cnt_down'],
  ['last_a_f_cnt_down', 'application-server', 'session.last_a_f_cnt_down'],
  ['supports_class_c', 'network-server', 'supports_class_c'],
]

const IDS = ['id', 'dev_eui', 'join_eui'] as const
const KEYS = /_key$|^dev_addr$|^last_/
const COUNTERS = /^last_/

/**
 * What stands where a device has nothing to say in a column. In any other column the importer of The Things Stack takes a
 * blank for a zero, of a key, an EUI or an address too, or refuses the file (pkg/devicetemplates/ttscsv.go; tried with 3.32.1).
 */
const SAYS_NOTHING: ReadonlyMap<string, string> = new Map([
  ['name', ''],
  ['description', ''],
  ['frequency_plan_id', ''],
  ['brand_id', ''],
  ['model_id', ''],
  ['hardware_version', ''],
  ['firmware_version', ''],
  ['band_id', ''],
  ['supports_class_c', 'false'],
])

/** One CSV: of devices that have a value in each column that has to have one. */
export interface CsvSheet {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * As few CSVs as hold the devices, that with most of them first. Without keys there is no session either: of the two one
 * is of no use without the other.
 */
export const csvSheets = (records: readonly DeviceRecord[], withKeys: boolean): readonly CsvSheet[] => {
  const order = [...IDS, ...COLUMNS.map(([heading]) => heading)]
  const byShape = new Map<string, ReadonlyMap<string, string>[]>()
  for (const record of records) {
    const cells = cellsOf(record, withKeys)
    const shape = [...cells.keys()].filter((heading) => !SAYS_NOTHING.has(heading)).join(' ')
    const alike = byShape.get(shape)
    if (alike === undefined) byShape.set(shape, [cells])
    else alike.push(cells)
  }
  return [...byShape.values()]
    .sort((a, b) => b.length - a.length)
    .map((devices) => {
      const headings = order.filter((heading) => devices.some((cells) => cells.has(heading)))
      return {
        headings,
        rows: devices.map((cells) =>
          headings.map((heading) => cells.get(heading) ?? SAYS_NOTHING.get(heading) ?? ''),
        ),
      }
    })
}

/** What one device has, by heading. A counter of 0 is told, for a session without one could not go on. */
const cellsOf = (record: DeviceRecord, withKeys: boolean): ReadonlyMap<string, string> => {
  const { deviceId, devEui = '', joinEui = '' } = record.ids
  const hasSession = record.registries['network-server']?.['session.dev_addr'] !== undefined
  const cells = COLUMNS.filter(([heading]) => withKeys || !KEYS.test(heading)).map(
    ([heading, registry, path]): readonly [string, string] => [
      heading,
      cellOf(record, registry, path, COUNTERS.test(heading) && hasSession),
    ],
  )
  const all = [['id', deviceId], ['dev_eui', devEui], ['join_eui', joinEui], ...cells] as const
  return new Map(all.filter(([, cell]) => cell !== ''))
}

const cellOf = (record: DeviceRecord, registry: Registry, path: FieldPath, isCounter: boolean): string => {
  const [outer = '', inner] = path.split(/\.(?=\w+$)/)
  const fields = record.registries[registry]
  const within = inner === undefined ? undefined : fields?.[outer]
  const value = fields?.[path] ?? (isObject(within) && inner !== undefined ? within[inner] : undefined)
  if (value instanceof Secret) return value.reveal()
  if (value === undefined || value === null) return isCounter ? '0' : ''
  return typeof value === 'object' ? '' : String(value)
}

/** One line. What a spreadsheet would take for a formula gets the apostrophe by which it takes it for text. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells
    .map((cell) => (/^\s*[=+\-@]/.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',')}\n`

/** Which registries' fields a device has that the CSV has no column for, as people know them. */
const LOST: readonly (readonly [what: string, lost: (record: DeviceRecord) => boolean])[] = [
  ['attributes', (record) => has(record, 'identity-server', /^attributes/)],
  ['location', (record) => has(record, 'identity-server', /^locations/)],
  ['payload formatters', (record) => has(record, 'application-server', /^formatters/)],
  ['MAC state', (record) => has(record, 'network-server', /^mac_state/)],
  [
    'MAC settings',
    (record) => has(record, 'network-server', /^mac_settings\.(?!rx1_delay$|supports_32_bit_f_cnt$)/),
  ],
  ['nonces of joins', (record) => has(record, 'join-server', /nonce/)],
  ['class B', (record) => has(record, 'network-server', /^supports_class_b$/)],
  ['multicast', (record) => has(record, 'network-server', /^multicast$/)],
  [
    'keys of LoRaWAN 1.1',
    (record) =>
      record.registries['network-server']?.['lorawan_version'] === 'MAC_V1_1' &&
      has(record, 'network-server', /s_nwk_s_int_key|nwk_s_enc_key/),
  ],
]

const has = (record: DeviceRecord, registry: Registry, paths: RegExp): boolean =>
  REGISTRIES.includes(registry) &&
  Object.entries(record.registries[registry] ?? {}).some(
    ([path, value]) => paths.test(path) && value !== false && value !== undefined,
  )

/** What a CSV can not hold of a device. */
export const lostInCsv = (record: DeviceRecord): readonly string[] =>
  LOST.filter(([, lost]) => lost(record)).map(([what]) => what)

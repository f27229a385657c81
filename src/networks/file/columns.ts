import type { FileColumn, FileColumns } from '../../domain/migration-plan.ts'
import type { Kind } from './values.ts'

/** Where what a cell holds goes: a path of an EndDevice of The Things Stack, or one that `csv-device.ts` knows. */
export interface Field {
  readonly path: string
  readonly kind: Kind
}

export interface Column extends Field {
  /** From 0. */
  readonly index: number
  /** As the file writes it. */
  readonly heading: string
}

const field = (path: string, kind: Kind = 'text'): Field => ({ path, kind })

/** Columns of the CSV of The Things Stack (pkg/devicetemplates, checked against 3.32). */
const THINGS_STACK: Readonly<Record<string, Field>> = {
  id: field('ids.device_id'),
  dev_eui: field('ids.dev_eui', 'dev-eui'),
  join_eui: field('ids.join_eui', 'join-eui'),
  app_eui: field('ids.join_eui', 'join-eui'),
  name: field('name'),
  description: field('description'),
  frequency_plan_id: field('frequency_plan_id'),
  lorawan_version: field('lorawan_version', 'mac-version'),
  lorawan_phy_version: field('lorawan_phy_version', 'phy-version'),
  brand_id: field('version_ids.brand_id'),
  model_id: field('version_ids.model_id'),
  hardware_version: field('version_ids.hardware_version'),
  firmware_version: field('version_ids.firmware_version'),
  band_id: field('version_ids.band_id'),
  app_key: field('root_keys.app_key.key', 'key'),
  nwk_key: field('root_keys.nwk_key.key', 'key'),
  rx1_delay: field('mac_settings.rx1_delay', 'rx-delay'),
  supports_32_bit_f_cnt: field('mac_settings.supports_32_bit_f_cnt', 'boolean'),
  dev_addr: field('session.dev_addr', 'dev-addr'),
  app_s_key: field('session.keys.app_s_key.key', 'key'),
  f_nwk_s_int_key: field('session.keys.f_nwk_s_int_key.key', 'key'),
  last_f_cnt_up: field('session.last_f_cnt_up', 'counter'),
  last_n_f_cnt_down: field('session.last_n_f_cnt_down', 'counter'),
  last_a_f_cnt_down: field('session.last_a_f_cnt_down', 'counter'),
  supports_class_c: field('supports_class_c', 'boolean'),
}

/** The columns that a plan names. */
const NAMED: { readonly [C in FileColumn]: Field } = {
  deviceId: field('ids.device_id'),
  devEui: field('ids.dev_eui', 'dev-eui'),
  joinEui: field('ids.join_eui', 'join-eui'),
  appKey: field('root_keys.app_key.key', 'key'),
  nwkKey: field('root_keys.nwk_key.key', 'key'),
  devAddr: field('session.dev_addr', 'dev-addr'),
  appSKey: field('session.keys.app_s_key.key', 'key'),
  nwkSKey: field('session.keys.f_nwk_s_int_key.key', 'key'),
  sNwkSIntKey: field('session.keys.s_nwk_s_int_key.key', 'key'),
  nwkSEncKey: field('session.keys.nwk_s_enc_key.key', 'key'),
  fCntUp: field('session.last_f_cnt_up', 'counter'),
  nFCntDown: field('session.last_n_f_cnt_down', 'counter'),
  aFCntDown: field('session.last_a_f_cnt_down', 'counter'),
  frequencyPlan: field('frequency_plan_id'),
  lorawanVersion: field('lorawan_version', 'mac-version'),
  lorawanPhyVersion: field('lorawan_phy_version', 'phy-version'),
  class: field('class', 'class'),
  name: field('name'),
  description: field('description'),
  latitude: field('locations.user.latitude', 'latitude'),
  longitude: field('locations.user.longitude', 'longitude'),
  altitude: field('locations.user.altitude', 'altitude'),
}

export type HeadingProblem =
  | { readonly code: 'CsvHeadingMissing'; readonly heading: string }
  /** Both columns, from 1. */
  | { readonly code: 'CsvHeadingTwice'; readonly heading: string; readonly columns: readonly number[] }

/** Capitals, spaces, hyphens and underscores of a heading do not matter. */
const plain = (heading: string): string => heading.toLowerCase().replace(/[\s_-]+/g, '')

const placesOf = (headings: readonly string[], wanted: string): readonly number[] =>
  headings.flatMap((heading, index) => (plain(heading) === plain(wanted) ? [index] : []))

/** Whether a line of headings is that of a CSV of The Things Stack. */
export const isThingsStackCsv = (headings: readonly string[]): boolean =>
  headings.some((heading) => Object.hasOwn(THINGS_STACK, heading)) &&
  headings.some((heading) => heading === 'id' || heading === 'dev_eui')

/** The columns that are read, and what is wrong with the line of headings. */
export const columnsOf = (
  headings: readonly string[],
  named: FileColumns | undefined,
): { readonly columns: readonly Column[]; readonly problems: readonly HeadingProblem[] } => {
  const { attributes = {}, ...others } = named ?? {}
  const wanted: readonly (readonly [string, Field])[] =
    named === undefined
      ? Object.entries(THINGS_STACK)
      : [
          ...Object.entries(others).map(([name, heading]) => [heading, NAMED[name as FileColumn]] as const),
          ...Object.entries(attributes).map(
            ([name, heading]) => [heading, field(`attributes.${name}`)] as const,
          ),
        ]
  const columns: Column[] = []
  const problems: HeadingProblem[] = []
  for (const [heading, { path, kind }] of wanted) {
    const places = placesOf(headings, heading)
    const [index] = places
    if (places.length > 1)
      problems.push({ code: 'CsvHeadingTwice', heading, columns: places.map((place) => place + 1) })
    else if (index !== undefined) columns.push({ path, kind, index, heading: headings[index] ?? heading })
    else if (named !== undefined) problems.push({ code: 'CsvHeadingMissing', heading })
  }
  return { columns, problems }
}

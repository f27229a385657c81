import { covers, coversAny, pathsBelow, valueAt } from '../json/mask.ts'
import { enumOf } from '../json/schema.ts'
import { isMessage, type Json, type Message } from '../json/types.ts'
import { deriveParameters, hasDataRate, highestAdrDataRate, inSubBand, usesChannelMasks } from './bands.ts'
import { errors, fail, type StackError } from './errors.ts'

/** A Set as its rules see it: the body, what its mask covers, and the record that is there. */
export interface Candidate {
  readonly device: Message
  readonly mask: readonly string[]
  readonly stored: Message | undefined
}

/** True when the mask covers the path. */
export const isSet = ({ mask }: Candidate, path: string): boolean => covers(mask, path)

/** The effective value: the body's where the mask covers the path, the stored one elsewhere. */
export const effective = (candidate: Candidate, path: string): Json | undefined =>
  valueAt('EndDevice', isSet(candidate, path) ? candidate.device : candidate.stored, path)

/** The field_value error of the Network Server. */
export const invalidField = (field: string, cause?: StackError): StackError =>
  fail(errors.nsFieldValue, { field }, cause)

const bound = (field: string, max: number): StackError =>
  fail(errors.fieldBound, { field, max, min: 1, value: 0 })

const requireZero = (candidate: Candidate, path: string): void => {
  // A wrapper that holds false counts as zero, so that a muted multicast group is taken.
  const value = effective(candidate, path)
  if (value === undefined || value === false) return
  throw invalidField(path, isSet(candidate, path) ? fail(errors.nsFieldNotZero, { name: path }) : undefined)
}

const requireNonZero = (candidate: Candidate, path: string): void => {
  if (effective(candidate, path) !== undefined) return
  const inBody =
    isSet(candidate, path) && valueAt('EndDevice', candidate.device, path.replace(/\.key$/, '')) !== undefined
  throw invalidField(path, inBody ? fail(errors.nsFieldIsZero, { name: path }) : undefined)
}

const basics = (candidate: Candidate): void => {
  if (isSet(candidate, 'frequency_plan_id') && effective(candidate, 'frequency_plan_id') === undefined)
    throw invalidField('frequency_plan_id')
  if (isSet(candidate, 'lorawan_phy_version') && effective(candidate, 'lorawan_phy_version') === undefined) {
    throw invalidField(
      'lorawan_phy_version',
      bound('PHYVersion', Math.max(...enumOf('PHYVersion').byNumber.keys())),
    )
  }
  const top = Math.max(...enumOf('MACVersion').byNumber.keys())
  if (isSet(candidate, 'lorawan_version') && effective(candidate, 'lorawan_version') === undefined) {
    throw invalidField('lorawan_version', bound('MACVersion', top))
  }
  for (const state of ['mac_state', 'pending_mac_state']) {
    const path = `${state}.lorawan_version`
    if (
      isSet(candidate, path) &&
      isMessage(candidate.device[state]) &&
      valueAt('EndDevice', candidate.device, path) === undefined
    ) {
      throw invalidField(path, bound('MACVersion', top))
    }
  }
}

const activation = (candidate: Candidate): void => {
  const otaaOnly = ['pending_mac_state', 'pending_session', 'session.keys.session_key_id']
  const abpNeeds = ['session.dev_addr', 'session.keys.f_nwk_s_int_key.key']
  if (isSet(candidate, 'supports_join')) {
    if (effective(candidate, 'supports_join') === true) {
      for (const path of ['ids.join_eui', 'ids.dev_eui'])
        if (effective(candidate, path) === undefined) throw invalidField(path)
      return
    }
    for (const path of otaaOnly) requireZero(candidate, path)
    for (const path of abpNeeds) requireNonZero(candidate, path)
    const version = effective(candidate, 'lorawan_version')
    const needsEui = version === 'MAC_V1_0_4' || version === 'MAC_V1_1'
    if (
      needsEui &&
      effective(candidate, 'multicast') !== true &&
      effective(candidate, 'ids.dev_eui') === undefined
    )
      throw invalidField('ids.dev_eui')
    return
  }
  if (effective(candidate, 'supports_join') === true) return
  for (const path of otaaOnly) {
    if (isSet(candidate, path) && effective(candidate, path) !== undefined)
      throw invalidField('supports_join')
  }
}

const multicast = (candidate: Candidate): void => {
  if (effective(candidate, 'multicast') !== true) return
  for (const path of [
    'supports_join',
    'session.last_f_cnt_up',
    'session.last_conf_f_cnt_down',
    'mac_settings.schedule_downlinks.value',
    'mac_settings.relay',
    'mac_settings.desired_relay',
  ]) {
    requireZero(candidate, path)
  }
  if (effective(candidate, 'supports_class_b') !== true && effective(candidate, 'supports_class_c') !== true)
    throw invalidField('supports_class_b')
}

const settings = (candidate: Candidate): void => {
  if (
    coversAny(
      candidate.mask,
      'mac_settings.adr.mode.static',
      'mac_settings.adr.mode.dynamic',
      'mac_settings.adr.mode.disabled',
    ) &&
    effective(candidate, 'mac_settings.adr') !== undefined
  ) {
    for (const path of ['mac_settings.use_adr.value', 'mac_settings.adr_margin']) {
      if (effective(candidate, path) !== undefined)
        throw invalidField(path, fail(errors.nsFieldNotZero, { name: path }))
    }
  }
  const classB = isSet(candidate, 'supports_class_b') && effective(candidate, 'supports_class_b') === true
  const needsSlot =
    effective(candidate, 'supports_join') !== true || effective(candidate, 'multicast') === true
  if (classB && needsSlot && effective(candidate, 'mac_settings.ping_slot_periodicity') === undefined) {
    throw invalidField('mac_settings.ping_slot_periodicity.value')
  }
}

const dataRateSettings = [
  'ping_slot_data_rate_index',
  'rx2_data_rate_index',
  'desired_ping_slot_data_rate_index',
  'desired_rx2_data_rate_index',
]

const bandOfPlan = (candidate: Candidate): ReturnType<typeof deriveParameters> =>
  deriveParameters(
    String(effective(candidate, 'frequency_plan_id') ?? ''),
    String(effective(candidate, 'lorawan_phy_version') ?? 'PHY_UNKNOWN'),
  )

const presetFrequencies = (candidate: Candidate): void => {
  const presets = effective(candidate, 'mac_settings.factory_preset_frequencies')
  if (!Array.isArray(presets)) return
  const { bandId, current } = bandOfPlan(candidate)
  const channels = Array.isArray(current['channels']) ? current['channels'] : []
  const uplinks = new Set(
    channels.map((channel) => (isMessage(channel) ? channel['uplink_frequency'] : undefined)),
  )
  for (const preset of presets) {
    const fits = usesChannelMasks(bandId) ? uplinks.has(String(preset)) : inSubBand(bandId, Number(preset))
    if (!fits) throw invalidField('mac_settings.factory_preset_frequencies')
  }
}

const dataRates = (candidate: Candidate): void => {
  for (const name of dataRateSettings) {
    const path = `mac_settings.${name}`
    const index = effective(candidate, path)
    const concerned =
      isSet(candidate, path) ||
      isSet(candidate, 'frequency_plan_id') ||
      isSet(candidate, 'lorawan_phy_version')
    if (!concerned || index === undefined) continue
    const { bandId } = bandOfPlan(candidate)
    if (!hasDataRate(bandId, String(effective(candidate, 'lorawan_phy_version')), Number(index)))
      throw invalidField(`${path}.value`)
  }
}

const adrDataRates = (candidate: Candidate): void => {
  if (!isSet(candidate, 'mac_state')) return
  const { bandId } = bandOfPlan(candidate)
  const highest = highestAdrDataRate(bandId, String(effective(candidate, 'lorawan_phy_version')))
  for (const which of ['current_parameters', 'desired_parameters'] as const) {
    const path = `mac_state.${which}.adr_data_rate_index`
    if (Number(effective(candidate, path) ?? 0) > highest) throw invalidField(path)
  }
}

const band = (candidate: Candidate): void => {
  const planMoves = isSet(candidate, 'frequency_plan_id') || isSet(candidate, 'lorawan_phy_version')
  if (planMoves) {
    const { bandId } = bandOfPlan(candidate)
    const claimed = effective(candidate, 'version_ids.band_id')
    if (isSet(candidate, 'frequency_plan_id') && claimed !== undefined && claimed !== bandId) {
      throw invalidField('version_ids.band_id', fail(errors.bandMismatch))
    }
  }
  if (planMoves || isSet(candidate, 'mac_settings.factory_preset_frequencies')) presetFrequencies(candidate)
  dataRates(candidate)
  adrDataRates(candidate)
}

/** The checks of a Set that come before session and MAC state are looked at (API notes, sections 6.2, 6.3 and 6.8). */
export const checkSettings = (candidate: Candidate): void => {
  basics(candidate)
  const claimed = valueAt('EndDevice', candidate.device, 'ids.dev_addr')
  if (claimed !== undefined && claimed !== effective(candidate, 'session.dev_addr'))
    throw invalidField('session.dev_addr')
  activation(candidate)
  multicast(candidate)
  settings(candidate)
  band(candidate)
}

/** Masks under which the validator finds paths that no call may set (API notes, section 17, rule 5). */
const masksWithHiddenPaths = [
  'session',
  'session.keys',
  'session.keys.nwk_s_enc_key',
  'pending_session',
  'pending_mac_state',
  'pending_mac_state.current_parameters',
]

/** Refuses a body that holds what the mask covers but the Network Server does not store. */
export const checkHiddenPaths = (
  device: Message,
  mask: readonly string[],
  allowed: ReadonlySet<string>,
): void => {
  for (const path of mask) {
    if (!masksWithHiddenPaths.includes(path)) continue
    const hidden = pathsBelow('EndDevice', path).find(
      (below) => !allowed.has(below) && valueAt('EndDevice', device, below) !== undefined,
    )
    if (hidden !== undefined) throw fail(errors.nonZeroPath, { path: hidden })
  }
}

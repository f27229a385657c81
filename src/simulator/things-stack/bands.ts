import { readFileSync } from 'node:fs'
import { enumOf } from '../json/schema.ts'
import { copy, type Message } from '../json/types.ts'
import { errors, fail } from './errors.ts'

interface FrequencyPlan extends Message {
  readonly id: string
  readonly name: string
  readonly band_id: string
}

type ChannelRow = readonly [
  uplink: string,
  downlink: string,
  minimum: number,
  maximum: number,
  enabled: number,
]

interface Plans {
  readonly frequencyPlans: readonly FrequencyPlan[]
  readonly phyVersions: Readonly<Record<string, readonly string[]>>
}

interface States {
  readonly channels: Readonly<Record<string, readonly ChannelRow[]>>
  readonly parameters: Readonly<Record<string, Message>>
  readonly states: Readonly<
    Record<string, Readonly<Record<string, readonly [current: string, desired: string]>>>
  >
}

interface Band {
  readonly subBands: readonly (readonly [low: number, high: number])[]
  readonly dataRates: readonly (readonly [phyVersions: readonly string[], indexes: readonly number[]])[]
}

const load = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8')) as T

const plans = load<Plans>('plans.json')
const states = load<States>('mac-states.json')
const bands = load<Readonly<Record<string, Band>>>('bands.json')

/** The frequency plans of a network, as `/configuration/frequency-plans` lists them. */
export const frequencyPlans: readonly FrequencyPlan[] = plans.frequencyPlans

/** Which PHY versions each band has. */
export const phyVersions = plans.phyVersions

const printChannel = ([uplink, downlink, minimum, maximum, enabled]: ChannelRow): Message => ({
  ...(uplink === '0' ? {} : { uplink_frequency: uplink }),
  ...(downlink === '0' ? {} : { downlink_frequency: downlink }),
  ...(minimum === 0 ? {} : { min_data_rate_index: minimum }),
  ...(maximum === 0 ? {} : { max_data_rate_index: maximum }),
  ...(enabled === 0 ? {} : { enable_uplink: true }),
})

const printParameters = (name: string): Message => {
  const parameters = states.parameters[name] ?? {}
  const channels = states.channels[String(parameters['channels'])] ?? []
  return { ...copy(parameters), channels: channels.map(printChannel) }
}

/** MAC parameters that a device without settings of its own has and is asked for, on one plan and PHY version. */
export interface DerivedParameters {
  readonly bandId: string
  readonly current: Message
  readonly desired: Message
}

/**
 * Looks up plan and PHY version.
 * @throws StackError 404 `pkg/frequencyplans:not_found` for an unknown or missing plan, 400 `no_band_version` for a
 * PHY version that the plan's band has not (API notes, section 6.2)
 */
export const deriveParameters = (planId: string, phyVersion: string): DerivedParameters => {
  const plan = frequencyPlans.find(({ id }) => id === planId)
  if (plan === undefined) throw fail(errors.planNotFound, { id: planId })
  const names = states.states[planId]?.[phyVersion]
  if (names === undefined) throw fail(errors.noBandVersion, { ver: phyVersion, id: plan.band_id })
  return { bandId: plan.band_id, current: printParameters(names[0]), desired: printParameters(names[1]) }
}

const phyNames = enumOf('PHYVersion')

/** The canonical name of a PHY version given by name, alias or number; undefined when it is none. */
export const phyName = (text: string): string | undefined => {
  const number = phyNames.names.get(text) ?? (/^\d+$/.test(text) ? Number(text) : undefined)
  return number === undefined ? undefined : phyNames.byNumber.get(number)
}

/** Bands whose channels are switched by masks: their channel list is fixed (API notes, section 6.5). */
export const usesChannelMasks = (bandId: string): boolean =>
  /^(US_902_928|AU_915_928|CN_470_510)/.test(bandId)

/** The band of a frequency plan; empty when there is no such plan. */
export const bandOf = (planId: string): string =>
  frequencyPlans.find(({ id }) => id === planId)?.band_id ?? ''

/** Whether a band has a data rate index in one PHY version. */
export const hasDataRate = (bandId: string, phyVersion: string, index: number): boolean =>
  bands[bandId]?.dataRates.some(
    ([versions, indexes]) => versions.includes(phyVersion) && indexes.includes(index),
  ) ?? false

/** The highest data rate index that ADR may set, by band and PHY version (read from a real server's refusals). */
export const highestAdrDataRate = (bandId: string, phyVersion: string): number => {
  if (bandId === 'US_902_928') return 3
  if (bandId === 'ISM_2400') return 0
  return bandId === 'AU_915_928' && /^PHY_V1_0(_1|_2_REV_A)?$/.test(phyVersion) ? 3 : 5
}

/** Sub-bands of frequency plans that are wider than their band's own. */
const planSubBands: Readonly<Record<string, readonly [low: number, high: number]>> = {
  AS_923: [915e6, 928e6],
  AS_923_2: [920e6, 923e6],
  AS_923_3: [915e6, 921e6],
  AS_923_4: [917e6, 920e6],
}

/** Whether a frequency, in Hz, lies in one of a band's sub-bands. */
export const inSubBand = (bandId: string, frequency: number): boolean =>
  [
    ...(bands[bandId]?.subBands ?? []),
    ...(planSubBands[bandId] === undefined ? [] : [planSubBands[bandId]]),
  ].some(([low, high]) => frequency >= low && frequency <= high)

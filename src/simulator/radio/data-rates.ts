const europe = ['SF12BW125', 'SF11BW125', 'SF10BW125', 'SF9BW125', 'SF8BW125', 'SF7BW125', 'SF7BW250']
const america = ['SF10BW125', 'SF9BW125', 'SF8BW125', 'SF7BW125', 'SF8BW500']
const australia = ['SF12BW125', 'SF11BW125', 'SF10BW125', 'SF9BW125', 'SF8BW125', 'SF7BW125', 'SF8BW500']
const wide = ['SF12BW500', 'SF11BW500', 'SF10BW500', 'SF9BW500', 'SF8BW500', 'SF7BW500']

const uplinkRates = (plan: string): readonly string[] =>
  plan.startsWith('US_') ? america : plan.startsWith('AU_') ? australia : europe

/** Index of an uplink's data rate on a frequency plan; undefined when the band has it not. */
export const dataRateIndex = (plan: string, name: string): number | undefined => {
  const index = uplinkRates(plan).indexOf(name)
  return index < 0 ? undefined : index
}

/** Data rate of the first receive window: as the uplink's, lowered by the offset; wide channels in America. */
export const downlinkDataRate = (plan: string, uplinkIndex: number, offset: number): string => {
  if (plan.startsWith('US_')) return wide[Math.min(5, Math.max(0, uplinkIndex + 2 - offset))] ?? 'SF12BW500'
  if (plan.startsWith('AU_')) return wide[Math.min(5, Math.max(0, uplinkIndex - offset))] ?? 'SF12BW500'
  return europe[Math.max(0, uplinkIndex - offset)] ?? 'SF12BW125'
}

/** Name of a downlink data rate by its index; undefined when the band has it not. */
export const downlinkRate = (plan: string, index: number): string | undefined =>
  plan.startsWith('US_') || plan.startsWith('AU_') ? wide[index - 8] : europe[index]

/** The modulation as recent uplinks keep it. */
export const loraOf = (
  name: string,
): { readonly bandwidth: number; readonly spreading_factor: number; readonly coding_rate: string } => {
  const [, factor = '7', bandwidth = '125'] = /^SF(\d+)BW(\d+)$/.exec(name) ?? []
  return { bandwidth: Number(bandwidth) * 1000, spreading_factor: Number(factor), coding_rate: '4/5' }
}

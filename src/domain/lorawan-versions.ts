/** Spellings of a LoRaWAN version that The Things Stack takes, to the one that it prints. */
const MAC: Readonly<Record<string, string>> = {
  '1.0': 'MAC_V1_0',
  '1.0.0': 'MAC_V1_0',
  '1.0.1': 'MAC_V1_0_1',
  '1.0.2': 'MAC_V1_0_2',
  '1.0.3': 'MAC_V1_0_3',
  '1.0.4': 'MAC_V1_0_4',
  '1.1': 'MAC_V1_1',
  '1.1.0': 'MAC_V1_1',
}

const PHY: Readonly<Record<string, string>> = {
  '1.0.0': 'PHY_V1_0',
  '1.0.1': 'PHY_V1_0_1',
  '1.0.2-a': 'PHY_V1_0_2_REV_A',
  '1.0.2-b': 'PHY_V1_0_2_REV_B',
  '1.0.3-a': 'PHY_V1_0_3_REV_A',
  '1.1.0-a': 'PHY_V1_1_REV_A',
  '1.1.0-b': 'PHY_V1_1_REV_B',
  TS001_V1_0: 'PHY_V1_0',
  TS001_V1_0_1: 'PHY_V1_0_1',
  RP001_V1_0_2: 'PHY_V1_0_2_REV_A',
  RP001_V1_0_2_REV_B: 'PHY_V1_0_2_REV_B',
  RP001_V1_0_3_REV_A: 'PHY_V1_0_3_REV_A',
  RP001_V1_1_REV_A: 'PHY_V1_1_REV_A',
  RP001_V1_1_REV_B: 'PHY_V1_1_REV_B',
}

const RP002 = ['RP002_V1_0_0', 'RP002_V1_0_1', 'RP002_V1_0_2', 'RP002_V1_0_3', 'RP002_V1_0_4']

/**
 * Regional parameters that belong to a LoRaWAN version, as the Console of The Things Stack offers them.
 * 1.0.4 is not listed: it goes with every one.
 */
const PAIRS: Readonly<Record<string, readonly string[]>> = {
  MAC_V1_0: ['PHY_V1_0'],
  MAC_V1_0_1: ['PHY_V1_0_1'],
  MAC_V1_0_2: ['PHY_V1_0_2_REV_A', 'PHY_V1_0_2_REV_B'],
  MAC_V1_0_3: ['PHY_V1_0_3_REV_A'],
  MAC_V1_1: ['PHY_V1_1_REV_A', 'PHY_V1_1_REV_B', ...RP002],
}

/** `1.0.3` as `MAC_V1_0_3`; canonical spellings stay. */
export const canonicalMacVersion = (text: string): string => MAC[text] ?? text

/** `1.0.3-a` and `RP001_V1_0_3_REV_A` as `PHY_V1_0_3_REV_A`; canonical spellings stay. */
export const canonicalPhyVersion = (text: string): string => PHY[text] ?? text

/** The regional parameters that fit a canonical LoRaWAN version; undefined where all do. */
export const phyVersionsOf = (macVersion: string): readonly string[] | undefined => PAIRS[macVersion]

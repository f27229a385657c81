/** What Stack V2 handed out in RX2 (V2 notes, section 8). Frequencies in Hz, as decimal text. */
interface Rx2 {
  readonly dataRate: number
  readonly frequency: string
}

/** By the beginning of a frequency plan's id. */
const RX2: readonly (readonly [RegExp, Rx2])[] = [
  // The public network used SF9; a private one may have been set to SF12, which the target asks for then.
  [/^EU_863_870/, { dataRate: 3, frequency: '869525000' }],
  [/^US_902_928/, { dataRate: 8, frequency: '923300000' }],
  [/^AU_915_928/, { dataRate: 8, frequency: '923300000' }],
  [/^AS_/, { dataRate: 2, frequency: '923200000' }],
  [/^KR_920_923/, { dataRate: 0, frequency: '921900000' }],
  [/^IN_865_867/, { dataRate: 2, frequency: '866550000' }],
  [/^RU_864_870/, { dataRate: 0, frequency: '869100000' }],
  [/^CN_470_510/, { dataRate: 0, frequency: '505300000' }],
  [/^EU_433/, { dataRate: 0, frequency: '434665000' }],
]

/** Undefined for a band that V2 did not have: then the target's own is taken for what the device uses. */
export const rx2Of = (frequencyPlan: string): Rx2 | undefined =>
  RX2.find(([pattern]) => pattern.test(frequencyPlan))?.[1]

/** Seconds, in every band. */
export const RX1_DELAY = 1

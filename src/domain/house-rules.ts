/** What a plan, or an organisation for all of its plans, says must never be done, by name. */
export const FORBIDDABLE = [
  'deleteSource',
  'resetFrameCounters',
  'joinAnew',
  'replaceRootKeys',
  'reprogram',
  'unmute',
  'adopt',
] as const
export type Forbiddable = (typeof FORBIDDABLE)[number]

/** A number of devices, or a share (0 to 1) of those that the plan selects. */
export type CountOrShare = { readonly count: number } | { readonly share: number }

/** How many devices that is; of a share that is not 0, one at least. */
export const countOf = (limit: CountOrShare, devices: number): number =>
  'count' in limit ? limit.count : limit.share === 0 ? 0 : Math.max(1, Math.floor(limit.share * devices))

/** Most devices that one apply may change, and delete on the source. */
export interface Limits {
  readonly devices?: CountOrShare
  readonly deletes?: CountOrShare
}

/** What holds beside the policy: it is checked, and changes nothing by itself. */
export interface HouseRules {
  readonly forbid: readonly Forbiddable[]
  readonly limits: Limits
}

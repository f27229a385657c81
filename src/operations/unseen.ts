import type { NetworkPort } from '../domain/ports.ts'
import type { VerifyRow } from '../engine/run/verify.ts'

/** So often all devices are asked for one by one, whatever the Identity Server says of when they were seen. */
const ALL_EVERY = 6

/**
 * Rows of a look before that still hold, for nobody has seen the device since. Ten thousand devices take ten requests so, and not
 * ten thousand; a server that does not tell when it saw devices is found out by the looks at all of them.
 */
export const unseenFinder = (
  target: Pick<NetworkPort, 'lastSeen'>,
): ((before: readonly VerifyRow[]) => Promise<ReadonlyMap<string, VerifyRow>>) => {
  let last: ReadonlyMap<string, string> | undefined
  let looks = 0
  return async (before) => {
    const seen = await target.lastSeen?.()
    const known = last
    last = seen
    looks += 1
    if (seen === undefined || known === undefined || looks % ALL_EVERY === 0) return new Map()
    const still = before.filter(
      (row) => known.has(row.target) && known.get(row.target) === seen.get(row.target),
    )
    return new Map(still.map((row) => [row.device, row]))
  }
}

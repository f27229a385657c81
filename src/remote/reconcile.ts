import { isDeepStrictEqual } from 'node:util'
import type { StateFold } from '../state/compact-state.ts'
import type { StateRead } from '../state/read-state.ts'
import type { PostedState } from './state-document.ts'

/**
 * What an address holds, where it is to be gone on from: other runs went on since, or elsewhere. Undefined where the file
 * is: the address holds nothing, or what the file held when it was posted; what the file has besides is known to nobody else.
 */
export const aheadOf = (
  file: StateRead,
  posted: PostedState | undefined,
  fold: StateFold,
): PostedState | undefined => {
  if (posted === undefined || file.status === 'absent') return posted
  const count = posted.serial - (file.header.serialBase ?? 0)
  if (count < 0 || count > file.records.length) return posted
  const before = file.records.slice(0, count)
  const isSame =
    lastRun(before) === lastRun(posted.records) && isDeepStrictEqual(fold(before), fold(posted.records))
  return isSame ? undefined : posted
}

const lastRun = (records: PostedState['records']): string | undefined => {
  const last = records.findLast(({ t }) => t === 'open')
  return last?.t === 'open' ? last.run : undefined
}

import { isDeepStrictEqual } from 'node:util'
import type { StateFold } from '../state/compact-state.ts'
import type { StateRead } from '../state/read-state.ts'
import type { PostedState } from './state-document.ts'

/**
 * Which of two states is to be gone on from. none: there is none yet. file: the address holds none, or what the file held
 * when it was posted; what the file has besides is known to nobody else. address: other runs went on since, or elsewhere.
 */
export type Reconciled = 'none' | 'file' | 'address'

export const reconcile = (file: StateRead, posted: PostedState | undefined, fold: StateFold): Reconciled => {
  if (posted === undefined) return file.status === 'absent' ? 'none' : 'file'
  if (file.status === 'absent') return 'address'
  const count = posted.serial - (file.header.serialBase ?? 0)
  if (count < 0 || count > file.records.length) return 'address'
  const before = file.records.slice(0, count)
  const isSame =
    lastRun(before) === lastRun(posted.records) && isDeepStrictEqual(fold(before), fold(posted.records))
  return isSame ? 'file' : 'address'
}

const lastRun = (records: PostedState['records']): string | undefined => {
  const last = records.findLast(({ t }) => t === 'open')
  return last?.t === 'open' ? last.run : undefined
}

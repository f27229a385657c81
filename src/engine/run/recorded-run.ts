import type { JournalRecord } from '../../domain/journal.ts'
import type { Clock, JournalPort } from '../../domain/ports.ts'
import { endOfRun } from '../crossing/failure.ts'

type Opened = Omit<Extract<JournalRecord, { t: 'open' }>, 't' | 'at'>

/** What a run came to; whole: nothing is left that it should have done. */
export interface Ended<T> {
  readonly value: T
  readonly isWhole: boolean
}

/**
 * Does the work of one run between the two lines of the state that tell of it.
 * @param again the command that goes on where the run ended
 * @throws what ends the run (`endOfRun`), with the run told as aborted where the state can still be written
 */
export const recordedRun = async <T>(
  { journal, clock, again }: { readonly journal: JournalPort; readonly clock: Clock; readonly again: string },
  opened: Opened,
  work: () => Promise<Ended<T>>,
): Promise<T> => {
  const { run } = opened
  const at = (): string => clock().toISOString()
  await journal.append([{ t: 'open', at: at(), ...opened }])
  let ended: Ended<T>
  try {
    ended = await work()
  } catch (error) {
    await journal.append([{ t: 'close', run, at: at(), result: 'aborted' }]).catch(() => undefined)
    throw endOfRun(error, again)
  }
  await journal.append([{ t: 'close', run, at: at(), result: ended.isWhole ? 'applied' : 'partial' }])
  return ended.value
}

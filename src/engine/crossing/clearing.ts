import type { DeviceRecord } from '../../domain/device.ts'
import type { Clearing } from '../../domain/ports.ts'
import { rootKeysDigest, sessionDigest } from '../device/digests.ts'
import { registriesOf } from '../device/records.ts'
import { keepsKeys } from '../device/route.ts'
import { SOURCE_REFILLED } from '../device/scheduling.ts'
import { stepDone } from '../progress/standing.ts'
import {
  type CrossingContext,
  desiredFrom,
  markDone,
  onSource,
  type StepContext,
  stepsOf,
} from './context.ts'
import { ensure, StepFailure } from './ensure.ts'
import { ensureSourceIsOurs, storeInEscrow } from './source.ts'
import { readWhole, rememberSource, writeFinal } from './target.ts'

/**
 * A source that can not be muted serves the device until it loses the keys. So all that it holds is in the escrow and on
 * the target before, and from the last reading to the clearing there is one request to the source.
 * @returns `again` where the device joined anew meanwhile, or its keys changed
 */
export const handOver = async (context: CrossingContext): Promise<'cleared' | 'again'> => {
  if ((await writeLast(context)) === 'again') return 'again'
  await readWhole(context, 'clear-source')
  const seen = await context.source.read(context.change.device)
  if (!isWhatItBeganWith(context, seen)) return 'again'
  await clear(context, seen)
  return 'cleared'
}

/**
 * The last reading of a source that was not muted, into the escrow and onto the target.
 * @returns `again` where the device joined anew meanwhile, or its keys changed
 */
export const writeLast = async (context: CrossingContext): Promise<'written' | 'again'> => {
  const last = await context.source.read(context.change.device)
  if (!isWhatItBeganWith(context, last)) return 'again'
  await storeInEscrow(context, 'B', last)
  await rememberSource(context, last)
  await markDone(context, 'read-again')
  const desired = await desiredFrom(context, last)
  // Those of an earlier run too: the source has counted on since.
  for (const step of stepsOf(context, desired.record))
    if (step.startsWith('final-')) await writeFinal(context, step, desired)
  return 'written'
}

/** Goes on where a run ended while it cleared the source: nobody knows yet whether it has its keys. */
export const clearSource = async (context: CrossingContext): Promise<void> => {
  await readWhole(context, 'clear-source')
  const seen = await ensureSourceIsOurs(context, 'clear-source')
  if (hasKeys(seen) && !isWhatItBeganWith(context, seen))
    throw new StepFailure('clear-source', {
      code: 'DeviceChanged',
      message: 'it has other keys on the source than those that were carried',
      hint: 'clear its keys on the source by hand, or take it back: ferry rollback',
    })
  await clear(context, seen)
}

/**
 * A run that goes on after the clearing: somebody may have given the source the keys again, and both networks would serve
 * the device.
 */
export const refuseRefilled = async (context: CrossingContext): Promise<void> => {
  if (!stepDone(context.journal.progress(), 'clear-source')) return
  if (hasKeys(await ensureSourceIsOurs(context, 'unmute-target')))
    throw new StepFailure('unmute-target', SOURCE_REFILLED)
}

const clear = async (context: CrossingContext, seen: DeviceRecord): Promise<void> => {
  const { source, change } = context
  if (context.journal.progress()?.escrow.B === undefined)
    throw new Error(`${change.device} is not in the escrow`)
  const isCleared = async (): Promise<boolean> => !hasKeys(await source.read(change.device))
  await ensure(onSource(context), {
    step: 'clear-source',
    registry: 'network-server',
    verb: 'set',
    paths: ['root_keys', 'session'],
    look: isCleared,
    send: async () => {
      await clearingOf(context).clearKeys(seen)
      if (await isCleared()) return
      throw new StepFailure('clear-source', {
        code: 'SourceNotCleared',
        message: 'the source was told to forget its keys, and still has some',
        hint: 'run again; if it stays so, look for somebody who changes the device',
      })
    },
  })
}

/** Whether the source can serve it or answer its joins. */
const hasKeys = (record: DeviceRecord): boolean =>
  registriesOf(record).some((registry) => registry !== 'identity-server')

const isWhatItBeganWith = (
  { journal, digestKey, change: { route } }: CrossingContext,
  seen: DeviceRecord,
): boolean => {
  const began = journal.progress()?.sourceKeys
  const session = route !== undefined && keepsKeys(route) ? sessionDigest(seen, digestKey) : null
  return began?.session === session && began.rootKeys === rootKeysDigest(seen, digestKey)
}

export const clearingOf = ({ source }: Pick<StepContext, 'source'>): Clearing => {
  if (source.clearing === undefined) throw new Error('the source is muted, not cleared')
  return source.clearing
}

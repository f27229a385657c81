import type { DeviceRecord } from '../../domain/device.ts'
import { RETIRE_STEPS, type Route, type StepName } from '../../domain/journal.ts'
import { fieldsOfKind, registriesOf } from '../device/records.ts'
import { HEARD_ON_BOTH, hearing, isResetHeard, isServedBySource } from '../progress/heard.ts'
import { isSourceEnding, rootKeysReplaced, stepDone } from '../progress/standing.ts'
import {
  crossingSteps,
  endsService,
  retireDue,
  type StepsLeft,
  stepsLeft,
  stopsBy,
} from '../progress/steps.ts'
import { clearSource } from './clearing.ts'
import { type CrossingContext, type DeviceResult, desiredFrom, markAlready, markDone } from './context.ts'
import { copyDownlinks, lookForTrigger, queueTrigger } from './queue.ts'
import { deleteFromSource, ensureSourceIsOurs, preventRejoin, stopSource, storeInEscrow } from './source.ts'
import { endReset, readWhole, unmuteTarget, writeFinal } from './target.ts'

interface Finishing extends CrossingContext {
  /** What the target holds, read once; refuses where it is not the whole device, or the source another one. */
  readonly held: (step: StepName) => Promise<DeviceRecord>
}

/** What each step does that may follow the final write. Those that only look leave themselves undone. */
const PERFORM: { readonly [S in StepName]?: (context: Finishing) => Promise<void> } = {
  'copy-downlinks': copyDownlinks,
  'unmute-target': unmuteTarget,
  // A device that was heard on the target has left already.
  'queue-trigger': (context) =>
    isHeardBefore(context) ? markAlready(context, 'queue-trigger') : queueTrigger(context),
  'trigger-sent': (context) =>
    isHeardBefore(context) ? markAlready(context, 'trigger-sent') : lookForTrigger(context),
  'end-reset': endReset,
  'prevent-rejoin': async (context) => preventRejoin(context, await context.held('prevent-rejoin')),
  'final-join': async (context) => {
    const seen = await context.source.read(context.change.device)
    await writeFinal(context, 'final-join', await desiredFrom(context, seen))
  },
  'stop-source': async (context) => {
    await stopSource(context, await context.source.read(context.change.device))
  },
  'clear-source': clearSource,
  'read-again': async (context) => {
    const seen = await context.source.read(context.change.device)
    if (registriesOf(seen).length > 0) await storeInEscrow(context, 'B', await withOwnKeys(context, seen))
    await markDone(context, 'read-again')
  },
}

/** Root keys that we replaced on the source open nothing: the escrow keeps the device's own, which the target holds. */
const withOwnKeys = async (context: CrossingContext, seen: DeviceRecord): Promise<DeviceRecord> => {
  const { journal, target, change } = context
  const join = seen.registries['join-server']
  if (join === undefined || !rootKeysReplaced(journal.progress())) return seen
  const held = await target.read(change.target)
  const own = fieldsOfKind('join-server', held.registries['join-server'], ['root-key'])
  return { ...seen, registries: { ...seen.registries, 'join-server': { ...join, ...own } } }
}

const isHeardBefore = ({ journal }: CrossingContext): boolean => journal.progress()?.heard !== undefined

/** What follows once the target holds the device: it speaks, is heard, and the source is retired as the plan wants. */
export const finish = async (context: CrossingContext): Promise<DeviceResult> => {
  const { journal, change, intent } = context
  const steps = crossingSteps({
    stopsBy: stopsBy(context.source),
    route: (journal.progress()?.route ?? change.route) as Route,
    handover: journal.progress()?.handover,
    hasJoinServer: journal.progress()?.steps['set-join'] !== undefined,
    policy: intent.policy,
  })
  let held: DeviceRecord | undefined
  const finishing: Finishing = {
    ...context,
    held: async (step) => {
      if (held === undefined) {
        held = await readWhole(context, step)
        await ensureSourceIsOurs(context, step)
      }
      return held
    },
  }
  for (const step of steps) {
    if (stepDone(journal.progress(), step)) continue
    if (step === 'hear' || step === 'queue-trigger' || step === 'trigger-sent' || step === 'end-reset')
      await hear(context)
    if (step === 'hear' || !leftOf(context, steps).now.includes(step)) continue
    if (endsService(step) && (await isHeardOnBoth(context))) return deferOnBoth(context)
    // The source loses what it holds only when the target has it, and only if it is still our device.
    if (RETIRE_STEPS.some((each) => each === step)) {
      await finishing.held(step)
      // A source that others deleted meanwhile was not read a second time.
      await deleteFromSource(context, step, journal.progress()?.escrow.B === undefined ? 'A' : 'B')
    } else await PERFORM[step]?.(finishing)
  }
  const left = leftOf(context, steps)
  return { status: left.now.length + left.later.length === 0 ? 'migrated' : 'waiting' }
}

/** Looked at anew before the source loses anything: the preview may be hours old. */
const isHeardOnBoth = async ({ journal, source, change }: CrossingContext): Promise<boolean> => {
  const progress = journal.progress()
  if (progress?.heard === undefined || isSourceEnding(progress)) return false
  return isServedBySource(progress, await source.readSession(change.device))
}

const deferOnBoth = async ({ journal }: CrossingContext): Promise<DeviceResult> => {
  const { code, message } = HEARD_ON_BOTH
  if (journal.progress()?.deferred?.code !== code)
    await journal.fact({ name: 'deferred', at: journal.now(), code, message })
  return { status: 'deferred', error: HEARD_ON_BOTH }
}

/** What is left by what the state knows now. A downlink that waits to be sent is looked for in each run. */
const leftOf = ({ journal, intent, retireAfter }: CrossingContext, steps: readonly StepName[]): StepsLeft => {
  const progress = journal.progress()
  const now = new Date(journal.now())
  return stepsLeft(steps, progress, {
    heard: progress?.heard !== undefined,
    retire: isSourceEnding(progress) || retireDue(progress, intent.policy, retireAfter, now),
    triggerSent: true,
    resetHeard: progress?.resetHeard !== undefined,
  })
}

/** Looks whether the target has heard the device by now, or its reset; what is known already is not asked for. */
const hear = async (context: CrossingContext): Promise<void> => {
  const { journal, target, change } = context
  const progress = journal.progress()
  if (progress?.unmutedAt === undefined) return
  const awaitsReset = progress.route === 'abp-reset' && progress.resetHeard === undefined
  // A run may have ended between what it heard and the step.
  if (progress.heard !== undefined && !stepDone(progress, 'hear')) await markDone(context, 'hear')
  if (progress.heard !== undefined && !awaitsReset) return
  const network = await target.readSession(change.target)
  const heard = hearing(progress, network)
  if (heard.status === 'heard' && progress.heard === undefined) {
    const { devAddr, lastFCntUp } = heard
    await journal.fact({ name: 'heard', at: journal.now(), devAddr, lastFCntUp })
    await markDone(context, 'hear')
  }
  if (awaitsReset && isResetHeard(progress, network))
    await journal.fact({ name: 'reset-heard', at: journal.now() })
}

import type { DeviceRecord } from '../../domain/device.ts'
import type { DeviceResultStatus } from '../../domain/events.ts'
import type { Route } from '../../domain/journal.ts'
import { hearing } from '../progress/heard.ts'
import { deletesBegun, stepDone } from '../progress/progress.ts'
import { crossingSteps, retireDue, stepsLeft } from '../progress/steps.ts'
import { type CrossingContext, markDone } from './context.ts'
import { deleteFromSource, ensureSourceIsOurs, preventRejoin } from './source.ts'
import { readWhole, unmuteTarget } from './target.ts'

/** What follows the final write: the target speaks, is heard, and the source is retired as the plan wants. */
export const finish = async (context: CrossingContext): Promise<DeviceResultStatus> => {
  const { journal, change, intent } = context
  const steps = crossingSteps({
    route: (journal.progress()?.route ?? change.route) as Route,
    hasJoinServer: journal.progress()?.steps['set-join'] !== undefined,
    policy: intent.policy,
  })
  let held: DeviceRecord | undefined
  for (const step of steps) {
    const progress = journal.progress()
    const due = retireDue(progress, intent.policy, context.retireAfter, new Date(journal.now()))
    const left = stepsLeft(steps, progress, progress?.heard !== undefined, due || deletesBegun(progress))
    if (stepDone(progress, step) || (step !== 'hear' && !left.now.includes(step))) continue
    if (step === 'unmute-target') await unmuteTarget(context)
    else if (step === 'hear') await hear(context)
    else if (step === 'prevent-rejoin' || step.startsWith('delete-')) {
      // The source loses what it holds only when the target has it, and only if it is still our device.
      if (held === undefined) {
        held = await readWhole(context, step)
        await ensureSourceIsOurs(context, step)
      }
      if (step === 'prevent-rejoin') await preventRejoin(context, held)
      else await deleteFromSource(context, step)
    }
  }
  const left = stepsLeft(steps, journal.progress(), false, false)
  return left.now.length + left.later.length === 0 ? 'migrated' : 'waiting'
}

const hear = async (context: CrossingContext): Promise<void> => {
  const { journal, target, change } = context
  const progress = journal.progress()
  if (progress === undefined) return
  const heard = hearing(progress, await target.readSession(change.target))
  if (heard.status !== 'heard') return
  await journal.fact({
    name: 'heard',
    at: journal.now(),
    devAddr: heard.devAddr,
    lastFCntUp: heard.lastFCntUp,
  })
  await markDone(context, 'hear')
}

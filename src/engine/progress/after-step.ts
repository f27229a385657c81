import { RETIRE_STEPS, type StepName } from '../../domain/journal.ts'
import { remembered } from '../../domain/remembered.ts'
import { omit } from './omit.ts'
import type { StepStatus, Steps } from './progress.ts'
import { isUnmuted } from './standing.ts'

export const NO_STEPS: Steps = {}

/** Devices of a fleet come to the same steps: equal ones are kept once. */
const sameSteps = remembered((text: string) => JSON.parse(text) as Steps)
const shared = (steps: Steps): Steps => sameSteps(JSON.stringify(steps))

const HANDOVER: readonly StepName[] = [
  'read-again',
  'check-escrow',
  'final-network',
  'final-start-time',
  'final-join',
  'final-application',
  'copy-downlinks',
]

/** Steps that say nothing any more once another is tried: a source that speaks again counts on by itself. */
const VOIDS: { readonly [S in StepName]?: readonly StepName[] } = {
  'stop-source': HANDOVER,
  'start-source': ['compare', 'stop-source', ...HANDOVER],
  'undo-network': ['compare'],
  'undo-application': ['compare'],
  'undo-join': ['compare'],
  'undo-identity': ['compare'],
}

/** What an undo step takes back: not known while it is tried, and not done once it worked. */
const TAKES_BACK: { readonly [S in StepName]?: StepName } = {
  'undo-network': 'set-network',
  'undo-application': 'set-application',
  'undo-join': 'set-join',
  'undo-identity': 'create-identity',
}

/** The steps after one more of them, remembered by the steps before it: devices of a fleet go the same way. */
const stepwise = (
  next: (steps: Steps, step: StepName) => Steps,
): ((steps: Steps) => (step: StepName) => Steps) =>
  remembered((steps: Steps) => remembered((step: StepName) => shared(next(steps, step))))

/** The request of a step is about to leave. */
export const afterIntent = stepwise((steps, step) => {
  const takenBack = TAKES_BACK[step]
  // The target was let go: what was handed over stays so, whatever is done to the source.
  const left = isUnmuted(steps) ? steps : omit(steps, ...(VOIDS[step] ?? []))
  return { ...left, ...(takenBack === undefined ? {} : { [takenBack]: 'unknown' }), [step]: 'unknown' }
})

/** By what the step came to. */
export const AFTER: { readonly [S in StepStatus]: ReturnType<typeof stepwise> } = {
  done: stepwise((steps, step) => {
    const takenBack = TAKES_BACK[step]
    return { ...(takenBack === undefined ? steps : omit(steps, takenBack, step)), [step]: 'done' }
  }),
  failed: stepwise((steps, step) => ({ ...steps, [step]: 'failed' })),
  unknown: stepwise((steps, step) => ({ ...steps, [step]: 'unknown' })),
}

/** The source holds the device again, as before it was retired or its keys were replaced. */
export const afterRestore = (steps: Steps): Steps => shared(omit(steps, 'prevent-rejoin', ...RETIRE_STEPS))

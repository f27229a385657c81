import type { ChangeSet } from '../domain/change-set.ts'
import { FerryError } from '../domain/errors.ts'
import { isDelete, type StepName } from '../domain/journal.ts'
import type { LoadedPlan } from '../domain/migration-plan.ts'
import type { Host } from './host.ts'

/** Services of continuous integration set it, and take the machine away when the job ends. */
const runsInCi = ({ CI }: Host['env']): boolean => CI !== undefined && !['', '0', 'false'].includes(CI)

/** After these the source alone can not be gone back to. */
const isTouching = (step: StepName): boolean =>
  step === 'stop-source' || step === 'clear-source' || step === 'prevent-rejoin' || isDelete(step)

/**
 * State and escrow that vanish with a runner are no safety net: what the source lost could not be put back.
 * @throws FerryError kind `blocked`, `EscrowNotDurable`, before any write
 */
export const checkDurable = ({ plan }: LoadedPlan, changeSet: ChangeSet, env: Host['env']): void => {
  if (plan.escrow.durable === true || plan.escrow.http !== undefined || !runsInCi(env)) return
  const touched = changeSet.devices.filter(({ steps }) => steps.some(isTouching)).length
  if (touched === 0) return
  throw new FerryError(
    'blocked',
    'EscrowNotDurable',
    `CI is set, so this machine may be gone after the run, with state and escrow; ${touched} devices would be stopped, cleared, re-keyed or deleted on the source`,
    {
      hint: 'name a place by escrow.http; or have state and escrow.path lie on a disk that outlives the runner, and write escrow.durable: true',
    },
  )
}

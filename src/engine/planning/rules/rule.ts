import type { DeviceRecord } from '../../../domain/device.ts'
import type { Diagnostic } from '../../../domain/diagnostic.ts'
import type { Route, TargetEuis } from '../../../domain/journal.ts'
import type { DeviceIntent, MigrationPlan } from '../../../domain/migration-plan.ts'
import type { NetworkFacts, QueuedDownlink } from '../../../domain/ports.ts'
import type { JoinHosts } from '../../device/join-server.ts'
import type { ReachInput } from '../../device/reach.ts'

/** What a rule may look at. */
export interface RuleInput {
  /** As if it were whole, where the plan has it completed (`adopt: partial`). */
  readonly source: DeviceRecord
  /** As it is registered. */
  readonly registered: DeviceRecord
  /** Undefined where the policy leaves no way for the device. */
  readonly route: Route | undefined
  readonly handover: 'delete-first' | undefined
  readonly becomes: TargetEuis | undefined
  /** Source and target are one deployment: EUIs are unique over both. */
  readonly sameDeployment: boolean
  readonly intent: DeviceIntent
  readonly coverage: MigrationPlan['coverage']['gateways']
  readonly targetFacts: NetworkFacts
  /** Of the source. */
  readonly joinHosts: JoinHosts
  /** The crossing has begun: its course is kept, whatever the policy has become. */
  readonly isUnderWay: boolean
  /** The source is silent because we muted it. */
  readonly mutedByUs: boolean
  /** The frequency plan as it will be on the target, and the versions. */
  readonly frequencyPlan: string
  readonly lorawanVersion: string
  readonly lorawanPhyVersion: string
  /** Undefined where the queue can't be seen. */
  readonly queue: readonly QueuedDownlink[] | undefined
  /** So many of the queue were copied to the target already. */
  readonly copiedDownlinks: number | undefined
}

/** What decides how the target hears a device that crosses by a route. */
export const reaching = ({ source, coverage, targetFacts, intent }: RuleInput, route: Route): ReachInput => ({
  source,
  route,
  coverage,
  prefixes: targetFacts.devAddrPrefixes,
  rx1Delay: intent.policy.rx1Delay,
})

/** A finding before it is known which device it is about. */
export type Verdict = Omit<Diagnostic, 'subject'> & { readonly path?: string }

export interface DeviceRule {
  /** Cells of table A, or what else the rule comes from. */
  readonly from: string
  readonly check: (input: RuleInput) => Verdict | undefined
}

export const error = (code: string, message: string, hint: string, path?: string): Verdict => ({
  code,
  severity: 'error',
  message,
  hint,
  ...(path === undefined ? {} : { path }),
})
export const warning = (code: string, message: string, hint?: string): Verdict => ({
  code,
  severity: 'warning',
  message,
  ...(hint === undefined ? {} : { hint }),
})
export const note = (code: string, message: string): Verdict => ({ code, severity: 'note', message })

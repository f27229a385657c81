import { randomUUID } from 'node:crypto'
import type { ApplicationFailure } from '../domain/application.ts'
import type { ChangeSet } from '../domain/change-set.ts'
import { FerryError, NetworkError } from '../domain/errors.ts'
import type { GatewayResult } from '../domain/gateway.ts'
import { digestOf } from '../domain/json.ts'
import { awaitsConfirmation } from '../engine/crossing/confirmation.ts'
import { errorRecord } from '../engine/crossing/device-journal.ts'
import { carryApplication } from '../engine/planning/application.ts'
import { type Approval, compareWithApproved } from '../engine/planning/approval.ts'
import { carryGateway, wantedGateway } from '../engine/planning/gateways.ts'
import { type ApplyResult, applyChanges, hasWork } from '../engine/run/apply.ts'
import { noEscrow } from '../escrow/escrow.ts'
import { identityMissing } from '../escrow/identity.ts'
import type { LockDocument } from '../state/lock.ts'
import { checkDurable } from './durable-escrow.ts'
import type { Host } from './host.ts'
import { openEscrow } from './open-escrow.ts'
import { type Planned, planMigration } from './plan.ts'
import type { Workspace } from './workspace.ts'

/** Guards that the user lifts by name, each up to a count (`--allow blocked-devices=12`). */
type Allowances = Readonly<Record<string, number>>

export interface ApplyOptions {
  /** A change set that was reviewed: only what it shows is carried out. */
  readonly approved?: ChangeSet
  readonly allow: Allowances
  /** Looks at what was planned before guards and approval do; refuses by throwing. */
  readonly inspect?: (planned: Planned) => void
  /** Shown the preview before the first write; false leaves everything as it is. */
  readonly confirm: (planned: Planned) => Promise<boolean>
  /** age public keys besides the plan's own. */
  readonly recipients: readonly string[]
  /** Devices that a person has stopped where they were served; they are asked for where the source is a file. */
  readonly confirmed?: Confirmed
}

/** All that wait for it, or those with these device ids of the source. */
export type Confirmed = 'all' | readonly string[]

export type ApplyOutcome =
  | {
      readonly status: 'applied'
      readonly planned: Planned
      readonly result: ApplyResult
      /** Registrations that were written, or could not be. */
      readonly gateways?: readonly GatewayResult[]
      /** Parts of the application that could not be written. */
      readonly around?: readonly ApplicationFailure[]
      readonly tookOver?: LockDocument
    }
  | { readonly status: 'nothing-to-do'; readonly planned: Planned; readonly result: ApplyResult }
  | { readonly status: 'declined'; readonly planned: Planned }

/**
 * Carries out a plan, or a change set that was approved: locks the state, reads both networks anew, checks guards
 * and approval, asks, and applies. Everything that refuses does so before the first write.
 * @throws FerryError `locked`, `stale`, `blocked` (a guard), `credentials`, `state-not-written`, `plan-invalid`.
 */
export const applyMigration = async (
  workspace: Workspace,
  host: Host,
  options: ApplyOptions,
): Promise<ApplyOutcome> => {
  const lock = await workspace.stores.state.lock('ferry apply', host.owner, host.clock)
  try {
    const planned = await planMigration(workspace, host, true)
    options.inspect?.(planned)
    refuseErrors(planned.changeSet)
    const stale = checkApproval(options.approved, planned)
    checkGuards(planned.changeSet, options.allow)
    const isConfirmed = confirms(options.confirmed)
    const isDone = planned.changeSet.formatters === undefined && !hasWorkAround(planned.changeSet)
    if (isDone && !hasWork(planned.changeSet.devices, isConfirmed))
      return {
        status: 'nothing-to-do',
        planned,
        result: await carryOut(workspace, host, planned, stale, options),
      }
    if (recipientsOf(workspace, options).length === 0 && needsEscrow(planned.changeSet, isConfirmed))
      throw noRecipients()
    checkDurable(workspace.loaded, planned.changeSet, host.env)
    if (host.identity === undefined && needsIdentity(planned.changeSet)) throw identityMissing()
    if (!(await options.confirm(planned))) return { status: 'declined', planned }
    await carryFormatters(workspace, planned.changeSet)
    const around =
      workspace.target.application === undefined
        ? []
        : await carryApplication(
            planned.changeSet.application ?? [],
            planned.applications,
            workspace.target.application,
          )
    const gateways = await carryGateways(workspace, host, planned)
    const result = await carryOut(workspace, host, planned, stale, options)
    return {
      status: 'applied',
      planned,
      result,
      ...(gateways.length === 0 ? {} : { gateways }),
      ...(around.length === 0 ? {} : { around }),
      ...(lock.tookOver === undefined ? {} : { tookOver: lock.tookOver }),
    }
  } finally {
    await lock.release()
  }
}

/**
 * Before any device crosses, so that its first uplink there is decoded. Setting them again is harmless, so a run that ended
 * in between needs no record of it.
 */
const carryFormatters = async ({ source, target }: Workspace, { formatters }: ChangeSet): Promise<void> => {
  if (formatters === undefined) return
  const [wanted, held] = await Promise.all([source.formatters?.(), target.formatters?.()])
  if (wanted === undefined || digestOf(wanted) !== formatters.digest || held !== undefined)
    throw new FerryError(
      'stale',
      'FormattersChanged',
      'the payload functions of the source, or the formatters of the target, were changed since the preview',
      { hint: 'look at the preview again: ferry plan' },
    )
  await target.setFormatters?.(wanted)
}

/** Whether something besides the devices is to be written. */
const hasWorkAround = ({ gateways = [], application = [] }: ChangeSet): boolean =>
  gateways.some(({ action }) => action === 'create' || action === 'update') ||
  application.some(({ action }) => action === 'write')

/**
 * Before any device crosses: a registration does nothing until its gateway connects. One that was written by a run that ended is
 * found by the next planning, so it needs no record; one that fails keeps no other back.
 */
const carryGateways = async (
  { loaded, target }: Workspace,
  host: Host,
  { changeSet, gateways }: Planned,
): Promise<readonly GatewayResult[]> => {
  const plan = loaded.plan.gateways
  if (plan === undefined || target.gateways === undefined) return []
  const results: GatewayResult[] = []
  for (const change of changeSet.gateways ?? []) {
    const record = gateways.moving.get(change.gateway)
    if (record === undefined || (change.action !== 'create' && change.action !== 'update')) continue
    if (host.draining()) break
    const named = { gateway: change.gateway, target: change.target }
    try {
      await carryGateway(change, wantedGateway(record, plan), plan, target.gateways)
      results.push({ ...named, status: change.action === 'create' ? 'registered' : 'updated' })
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      results.push({ ...named, status: 'failed', error: errorRecord(error) })
    }
  }
  return results
}

/** age public keys that the escrow is encrypted to. */
export const recipientsOf = (
  { loaded }: Workspace,
  options: Pick<ApplyOptions, 'recipients'>,
): readonly string[] => [...loaded.plan.escrow.recipients, ...options.recipients]

const confirms = (confirmed: Confirmed = []): ((device: string) => boolean) => {
  if (confirmed === 'all') return () => true
  const devices = new Set(confirmed)
  return (device) => devices.has(device)
}

const needsEscrow = (changeSet: ChangeSet, isConfirmed: (device: string) => boolean): boolean =>
  changeSet.devices.some(
    (change) =>
      change.steps.includes('escrow') ||
      change.steps.includes('read-again') ||
      (awaitsConfirmation(change) && isConfirmed(change.device)),
  )

/** What is deleted before it is created is read back from the escrow: without an identity it would be lost. */
const needsIdentity = (changeSet: ChangeSet): boolean =>
  changeSet.devices.some(({ handover, steps }) => handover === 'delete-first' && steps.includes('compare'))

export const noRecipients = (): FerryError =>
  new FerryError(
    'plan-invalid',
    'EscrowRecipientsMissing',
    'no source is touched before its keys are in the escrow, and the plan names no recipient',
    {
      hint: 'make a key pair with ferry escrow keygen, and put its public key into escrow.recipients',
    },
  )

const checkApproval = (approved: ChangeSet | undefined, planned: Planned): ReadonlySet<string> => {
  if (approved === undefined) return new Set()
  const since = planned.state.runs
    .filter(({ serial }) => serial > approved.base.serial)
    .map(({ opened }) => opened)
  const approval: Approval = compareWithApproved(approved, planned.changeSet, since)
  if (approval.ok) return approval.stale
  throw new FerryError(
    'stale',
    'ChangeSetStale',
    `the change set is not what would be done now: ${approval.differences.join('; ')}`,
    { hint: `review it again: ferry plan ${planned.changeSet.plan.file} -o FILE` },
  )
}

/** What is wrong with the plan as a whole is no reason to do a part of it. */
const refuseErrors = ({ findings }: ChangeSet): void => {
  const error = findings.find(({ severity }) => severity === 'error')
  if (error === undefined) return
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  throw new FerryError('blocked', error.code, error.message, hint)
}

const checkGuards = (changeSet: ChangeSet, allow: Allowances): void => {
  const refused = changeSet.guards.filter((guard) => !guard.ok && guard.used > (allow[guard.name] ?? -1))
  const first = refused[0]
  if (first === undefined) return
  const list = refused
    .map((guard) => `${guard.name} ${guard.used} of at most ${guard.limit} (${guard.because})`)
    .join('; ')
  throw new FerryError('blocked', 'GuardRefused', `a guard refuses the change set: ${list}`, {
    hint: `look why; to go on all the same: --allow ${refused.map((guard) => `${guard.name}=${guard.used}`).join(' --allow ')}`,
  })
}

/** Devices that are under way at once. */
export const concurrencyOf = ({ loaded, stores }: Workspace): number =>
  Math.min(loaded.plan.rollout.maxConcurrency, stores.state.mostUnderWay ?? Number.POSITIVE_INFINITY)

const carryOut = async (
  workspace: Workspace,
  host: Host,
  planned: Planned,
  stale: ReadonlySet<string>,
  options: ApplyOptions,
): Promise<ApplyResult> => {
  const { loaded, source, target, stores } = workspace
  const journal = await stores.state.openJournal()
  const recipients = recipientsOf(workspace, options)
  try {
    return await applyChanges({
      planning: planned,
      loaded,
      source,
      target,
      journal,
      progress: planned.state.progress,
      // A change set without a crossing needs no escrow, and no recipients.
      escrow: recipients.length === 0 ? noEscrow(noRecipients) : openEscrow(workspace, host, recipients),
      digestKey: workspace.digestKey.key,
      concurrency: concurrencyOf(workspace),
      stale,
      approved: options.approved?.digest ?? planned.changeSet.digest,
      run: randomUUID(),
      tool: host.tool,
      clock: host.clock,
      emit: host.emit,
      isConfirmed: confirms(options.confirmed),
      pause: host.pause,
      draining: host.draining,
    })
  } finally {
    await journal.close()
  }
}

import type { Action, DeviceChange, Expectation, FieldChange } from '../../domain/change-set.ts'
import type { DeviceRecord, Registry } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Route } from '../../domain/journal.ts'
import type { DeviceIntent, MigrationPlan } from '../../domain/migration-plan.ts'
import type { NetworkFacts, QueuedDownlink } from '../../domain/ports.ts'
import { updateSteps } from '../crossing/update.ts'
import { completed } from '../device/completed.ts'
import { type Desired, desiredRecord, type TargetDefaults } from '../device/desired.ts'
import { rootKeysDigest, sessionDigest, settingsDigest } from '../device/digests.ts'
import { euisOf } from '../device/euis.ts'
import type { JoinHosts } from '../device/join-server.ts'
import { hasSession, registriesOf } from '../device/records.ts'
import {
  activationOf,
  becomes,
  handoverOf,
  keepsKeys,
  keepsSession,
  profileOf,
  routeOf,
} from '../device/route.ts'
import { isMuted, speaks, TARGET_SPEAKS } from '../device/scheduling.ts'
import { isTrigger } from '../device/trigger.ts'
import { HEARD_ON_BOTH, isHeard, isResetHeard, isServedBySource } from '../progress/heard.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import {
  isLetGo,
  isOnlyStopped,
  isSourceEnding,
  isUnderWay,
  rootKeysReplaced,
  stepDone,
  wasOnTarget,
} from '../progress/standing.ts'
import {
  crossingSteps,
  endsService,
  retireDue,
  type StepsLeft,
  type StopsBy,
  stepsLeft,
} from '../progress/steps.ts'
import { createdFields, equalFields, fieldsLeftBehind, settingChanges } from './diff.ts'
import { type Holder, holderOf } from './holder.ts'
import { sourceStopped } from './left-alone.ts'
import { planRetiring, rollingBack } from './plan-retiring.ts'
import { deviceFindings } from './rules/device-findings.ts'
import { unmuting } from './unmuting.ts'

/** Everything that the change of one device is computed from; no I/O behind it. */
export interface DeviceInput {
  readonly source: DeviceRecord
  readonly target: DeviceRecord
  readonly progress: DeviceProgress | undefined
  readonly intent: DeviceIntent
  readonly coverage: MigrationPlan['coverage']['gateways']
  readonly retireAfter: number
  /** Of the source. */
  readonly joinHosts: JoinHosts
  readonly stopsBy: StopsBy
  /** EUIs are unique over both applications. */
  readonly sameDeployment: boolean
  readonly targetFacts: NetworkFacts
  readonly defaults: TargetDefaults
  /** Undefined where the queue can't be seen. */
  readonly queue: readonly QueuedDownlink[] | undefined
  readonly digestKey: string
  readonly now: Date
}

type Wanting = Pick<DeviceInput, 'source' | 'target' | 'intent' | 'defaults' | 'progress'>

/** Somebody deleted what we had on the target. */
const isVanished = ({ target, progress }: Pick<Wanting, 'target' | 'progress'>): boolean =>
  wasOnTarget(progress) && registriesOf(target).length === 0

/**
 * The route of a crossing that has begun is kept: a policy that changes later does not change its course. One that
 * ended and vanished from the target crosses anew, as the policy is now.
 */
const chosenRoute = (input: Wanting): Route | undefined => {
  const { source, intent, progress } = input
  const keepsCourse =
    isUnderWay(progress) && !(isVanished(input) && isLetGo(progress)) && !hasJoinedSince(input)
  return keepsCourse && progress.route !== undefined ? progress.route : routeOf(source, intent)
}

/** It had no session to keep when its crossing began, and has one now: that is what the plan wants kept. */
const hasJoinedSince = ({ source, intent, progress }: Wanting): boolean =>
  progress?.route === 'joining-anew' &&
  !isLetGo(progress) &&
  intent.policy.persistSession &&
  activationOf(source) === 'otaa' &&
  hasSession(source)

/** What the target is to hold for this device, by the plan; undefined where the policy leaves no way. */
export const desiredOf = (
  input: Wanting,
): { readonly route: Route; readonly desired: Desired } | undefined => {
  const { source, intent, defaults, progress } = input
  const route = chosenRoute(input)
  if (route === undefined) return undefined
  const begun = {
    livedOnTarget: progress?.livedOnTarget === true || (isVanished(input) && isLetGo(progress)),
    resetEnded: stepDone(progress, 'end-reset'),
  }
  return { route, desired: desiredRecord(source, route, intent, defaults, begun) }
}

/** Settings of a device that is on the target, or on its way, may change; its id and EUIs there may not. */
export const pinnedIntent = (intent: DeviceIntent, progress: DeviceProgress | undefined): DeviceIntent => {
  if (progress === undefined || !(isUnderWay(progress) || isLetGo(progress))) return intent
  const { devEui: _dev, joinEui: _join, ...set } = intent.set
  const pinned = { ...set, ...progress.becomes, deviceId: progress.target } as DeviceIntent['set']
  return { ...intent, set: pinned }
}

/** The change of one device that the source still holds. Pure: same input, same change. */
export const planDevice = (given: DeviceInput): DeviceChange => {
  const input = { ...given, source: completed(given.source, given.intent) }
  const { source, target, progress, intent } = input
  if (progress?.rollbackAt !== undefined) return rollingBack(progress)
  if (progress !== undefined && isReplaced(source, progress)) return replaced(input)
  if (progress !== undefined && isSourceEnding(progress)) {
    return planRetiring({
      progress,
      target,
      policy: intent.policy,
      retireAfter: input.retireAfter,
      now: input.now,
      stopsBy: input.stopsBy,
    })
  }
  const wanted = desiredOf(input)
  const base = {
    device: source.ids.deviceId,
    target: intent.set.deviceId ?? source.ids.deviceId,
    ...euisOf(source.ids),
    profile: profileOf(source),
  }
  const route = wanted?.route
  const handover = route === undefined ? undefined : chosenHandover(input, route)
  const becoming = becomes(source, intent)
  const told = deviceFindings({
    source,
    registered: given.source,
    route,
    handover,
    becomes: becoming,
    sameDeployment: input.sameDeployment,
    intent,
    coverage: input.coverage,
    targetFacts: input.targetFacts,
    joinHosts: input.joinHosts,
    isUnderWay: isUnderWay(progress) && !isVanished(input),
    mutedByUs: progress?.sourceScheduling !== undefined,
    frequencyPlan: intent.set.frequencyPlan ?? base.profile.frequencyPlan,
    lorawanVersion: intent.set.lorawanVersion ?? base.profile.lorawanVersion,
    lorawanPhyVersion: intent.set.lorawanPhyVersion ?? base.profile.lorawanPhyVersion,
    queue: input.queue,
    copiedDownlinks: progress?.copiedDownlinks,
  })
  const ruled = holdsIt(target, source) ? told.flatMap((finding) => withTarget(finding, target)) : told
  // What the wanted record says would only follow from what a rule refuses.
  const found = hasError(ruled) ? ruled : [...ruled, ...(wanted?.desired.findings ?? [])]
  // A crossing that let the target go is beyond what a rule about the source could stop.
  const findings = isLetGo(progress) ? found.flatMap(afterLetGo) : found
  const startsAgain = isOnlyStopped(progress) && !speaks(target)
  const blocked = (all: readonly Diagnostic[]): DeviceChange => ({
    ...base,
    action: 'blocked',
    fields: [],
    // No network would serve it until a person has mended the cause.
    steps: startsAgain ? ['start-source'] : [],
    later: [],
    findings: startsAgain ? [...all, sourceStopped(base.device)] : all,
  })
  if (wanted === undefined || route === undefined) return blocked(findings)
  const { desired } = wanted
  if (hasError(findings)) return blocked(findings)

  const holder = holderOf(target, desired.record, progress, intent.policy.adopt)
  if (holder.presence === 'blocked') return blocked([...findings, holder.finding])
  // Somebody deleted it on the target: it crosses again from the start, if what is on the source is still of use.
  const isGone = isVanished(input)
  if (isGone && rootKeysReplaced(progress)) return blocked([...findings, keysReplaced(base.device)])
  const livedThere = isLetGo(progress) ? isGone : progress?.livedOnTarget === true
  const beginsAgainFrom0 = keepsSession(route) || route === 'abp-reprogrammed'
  if (livedThere && beginsAgainFrom0) return blocked([...findings, sessionLost(base.device)])
  if (holder.presence === 'ours' && speaks(target)) {
    return blocked([...findings, targetSpeaks(base.device)])
  }
  const crossing = isGone ? undefined : progress
  const heard = crossing !== undefined && isHeard(crossing, target.registries['network-server'])
  const steps = crossingSteps({
    stopsBy: input.stopsBy,
    route,
    handover,
    hasJoinServer: desired.record.registries['join-server'] !== undefined,
    policy: intent.policy,
  })
  const due = stepsLeft(steps, crossing, {
    heard,
    retire: retireDue(crossing, intent.policy, input.retireAfter, input.now),
    triggerSent: input.queue?.every((item) => !isTrigger(item, intent.policy.rejoin)) ?? false,
    resetHeard: crossing !== undefined && isResetHeard(crossing, target.registries['network-server']),
  })
  const isOnBoth =
    crossing !== undefined && heard && isServedBySource(crossing, source.registries['network-server'])
  const left = isOnBoth ? withoutRetiring(due) : due
  const course = {
    ...(handover === undefined ? {} : { handover }),
    ...(becoming === undefined ? {} : { becomes: becoming }),
  }
  const known = { ...base, route, ...course, expect: expectation(input, route, desired, target) }
  const all = isOnBoth ? [...findings, heardOnBoth(base.device)] : findings
  return act({ known, findings: all, holder, desired, left, input })
}

const withoutRetiring = ({ now, later }: StepsLeft): StepsLeft => ({
  now: now.filter((step) => !endsService(step)),
  later: [...now.filter(endsService), ...later],
})

const heardOnBoth = (device: string): Diagnostic => ({
  ...HEARD_ON_BOTH,
  severity: 'warning',
  subject: { device },
})

/** A handover that has begun is kept, as the route is. */
const chosenHandover = ({ intent, progress }: Wanting, route: Route): 'delete-first' | undefined =>
  isUnderWay(progress) ? progress.handover : handoverOf(route, intent.policy)

/**
 * The source holds another device under the id of one that crossed. One that was deleted there and that no network
 * serves yet goes on: nothing more is done to the source.
 */
const isReplaced = (source: DeviceRecord, progress: DeviceProgress): boolean =>
  progress.route !== undefined &&
  !(stepDone(progress, 'delete-identity') && !isLetGo(progress)) &&
  registriesOf(source).length > 0 &&
  (source.ids.devEui !== progress.devEui || source.ids.joinEui !== progress.joinEui)

const replaced = (input: DeviceInput): DeviceChange => {
  const { source, target } = input
  const device = source.ids.deviceId
  return {
    device,
    target: target.ids.deviceId,
    ...euisOf(source.ids),
    action: 'blocked',
    fields: [],
    steps: [],
    later: [],
    findings: [
      {
        code: 'SourceReplaced',
        severity: 'error',
        message: `the source holds another device under the id ${device} than the one that crossed`,
        hint: 'give it another id on the source, or exclude it',
        subject: { device },
      },
    ],
  }
}

/** What still matters of a finding about the source once the target serves the device. */
const afterLetGo = (finding: Diagnostic): readonly Diagnostic[] =>
  finding.severity !== 'error'
    ? [finding]
    : finding.code === 'HalfRegistered'
      ? [{ ...finding, severity: 'warning' }]
      : []

const hasError = (findings: readonly Diagnostic[]): boolean =>
  findings.some((finding) => finding.severity === 'error')

interface Acting {
  readonly known: Omit<DeviceChange, 'action' | 'fields' | 'steps' | 'later' | 'findings'>
  readonly findings: readonly Diagnostic[]
  readonly holder: Exclude<Holder, { presence: 'blocked' }>
  readonly desired: Desired
  readonly left: StepsLeft
  readonly input: DeviceInput
}

const act = ({ known, findings, holder, desired, left, input }: Acting): DeviceChange => {
  const { source, target, progress } = input
  const change = (
    action: Action,
    fields: readonly FieldChange[],
    steps: StepsLeft,
    more: readonly Diagnostic[] = [],
  ): DeviceChange => ({
    ...known,
    action,
    fields,
    steps: steps.now,
    later: steps.later,
    findings: [...findings, ...more],
  })
  const allFields = (): readonly FieldChange[] => [
    ...createdFields(source, desired),
    ...fieldsLeftBehind(source, desired.record, desired.reasons),
  ]
  switch (holder.presence) {
    case 'absent':
      return change('create', allFields(), left, holder.vanished ? [vanished(known.device)] : [])
    case 'partial':
      return change('create', allFields(), left, [partialAdopted(known.device, holder.held)])
    case 'ours':
      return change(left.now.length === 0 ? 'wait' : 'resume', allFields(), left)
    case 'same': {
      const writes = [
        ...settingChanges(target, desired.record, desired.reasons, progress?.applied),
        ...unmuting({ source, target, progress, policy: input.intent.policy }),
      ]
      const equal = equalFields(target, desired.record)
      const updates = updateSteps(writes)
      if (progress === undefined || !isLetGo(progress)) {
        const foreign = [notStopped(known.device)]
        return writes.length > 0
          ? change('update', [...writes, ...equal], { now: updates, later: [] }, foreign)
          : change(
              progress?.applied === undefined ? 'adopt' : 'done',
              equal,
              { now: [], later: [] },
              progress?.applied === undefined ? foreign : [],
            )
      }
      if (writes.length > 0)
        return change('update', [...writes, ...equal], { now: [...updates, ...left.now], later: left.later })
      if (left.now.length > 0) return change(left.now.some(endsService) ? 'retire' : 'resume', equal, left)
      return change(left.later.length > 0 ? 'wait' : 'done', equal, left)
    }
  }
}

const partialAdopted = (device: string, held: readonly Registry[]): Diagnostic => ({
  code: 'PartialAdopted',
  severity: 'warning',
  message: `the target holds a part of it that is not from us (${held.join(', ')}), with the same keys: it is completed`,
  hint: 'it is never taken back by this tool; delete it on the target by hand if the import fails',
  subject: { device },
})

const vanished = (device: string): Diagnostic => ({
  code: 'VanishedFromTarget',
  severity: 'warning',
  message: 'it was on the target and is gone: somebody deleted it',
  hint: 'it is created again; exclude it if it is to stay away',
  subject: { device },
})

const holdsIt = (target: DeviceRecord, source: DeviceRecord): boolean =>
  target.registries['network-server'] !== undefined &&
  target.ids.devEui === source.ids.devEui &&
  target.ids.joinEui === source.ids.joinEui

/** What the target holds already makes another finding of some about the source. */
const withTarget = (finding: Diagnostic, target: DeviceRecord): readonly Diagnostic[] => {
  const { device } = finding.subject as { readonly device: string }
  switch (finding.code) {
    case 'SourceMuted':
      return [movedBefore(device, target)]
    case 'StaysMuted':
      return speaks(target) ? [] : [finding]
    default:
      return [finding]
  }
}

const movedBefore = (device: string, target: DeviceRecord): Diagnostic => ({
  code: 'MovedWithoutState',
  severity: 'error',
  subject: { device },
  ...(isMuted(target)
    ? {
        message:
          'its source is muted and the target holds it muted too, from a run that this state does not know: no network answers it',
        hint: 'restore the state file of that run if there is one; else write policy.mutedSource: unmute in an override for it to have the target serve it',
      }
    : {
        message:
          'its source is muted and the target holds it: it was moved by a run that this state does not know',
        hint: 'restore the state file of that run; never unset schedule_downlinks on the source while the target serves it',
      }),
})

const targetSpeaks = (device: string): Diagnostic => ({
  ...TARGET_SPEAKS,
  severity: 'error',
  subject: { device },
})

const sessionLost = (device: string): Diagnostic => ({
  code: 'VanishedFromTarget',
  severity: 'error',
  message: 'it was served by the target and is gone: what its session had counted there is lost',
  hint: 'have it join anew (policy.persistSession: false), or reset the counters of an ABP device (policy.resetFrameCounters: true), in an override for it',
  subject: { device },
})

const keysReplaced = (device: string): Diagnostic => ({
  code: 'VanishedFromTarget',
  severity: 'error',
  message: "it was on the target and is gone, and the source's root keys were replaced",
  hint: 'its own keys are in the escrow: ferry escrow restore',
  subject: { device },
})

const notStopped = (device: string): Diagnostic => ({
  code: 'NotMovedByUs',
  severity: 'warning',
  message: 'the target holds it already, and not from us: its source is left as it is',
  hint: 'stop it on the source by hand if both networks answer it',
  subject: { device },
})

const expectation = (
  input: DeviceInput,
  route: Route,
  desired: Desired,
  target: DeviceRecord,
): Expectation => ({
  rootKeys: rootKeysDigest(input.source, input.digestKey),
  session: keepsKeys(route) ? sessionDigest(input.source, input.digestKey) : null,
  settings: settingsDigest(desired.record),
  target: registriesOf(target).length === 0 ? null : settingsDigest(target),
})

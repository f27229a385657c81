import { byDevEui, type ChangeSet, type DeviceChange } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { DeviceIntent, LoadedPlan, SelectableDevice, Selection } from '../../domain/migration-plan.ts'
import type { Clock, NetworkFacts } from '../../domain/ports.ts'
import type { TargetDefaults } from '../device/desired.ts'
import type { JoinHosts } from '../device/join-server.ts'
import type { Progress } from '../progress/progress.ts'
import { type ApplicationsRead, planApplication } from './application.ts'
import { withDigest } from './change-set-file.ts'
import type { Carried } from './gateway-order.ts'
import { type GatewaysRead, planGateways } from './gateways.ts'
import { withMembers } from './groups.ts'
import { guardsOf } from './guards.ts'
import { withoutTwins } from './left-alone.ts'
import { readFleet } from './read-fleet.ts'
import type { Survey, SurveyInput } from './survey.ts'

export interface PlanningInput extends SurveyInput {
  readonly survey: Survey
  /** Both applications are on one deployment, where a pair of EUIs exists once. */
  readonly sameDeployment: boolean
  /** Of the source. */
  readonly joinHosts: JoinHosts
  readonly select: (device: SelectableDevice) => Selection
  /** Findings about ids that the plan names and the source does not hold. */
  readonly unknownDevices: (isKnown: (deviceId: string) => boolean) => readonly Diagnostic[]
  readonly state: { readonly lineage: string; readonly serial: number; readonly progress: Progress }
  readonly digestKey: { readonly key: string; readonly from: 'plan' | 'derived' }
  /** Paths for people, relative where they can be. */
  readonly files: ChangeSet['files']
  readonly tool: string
  readonly clock: Clock
}

/** What was learnt of the networks on the way, for the apply that follows. */
export interface Planning {
  readonly changeSet: ChangeSet
  readonly gateways: GatewaysRead
  readonly applications: ApplicationsRead
  /** Of a device of the change set. */
  readonly intentBy: (deviceId: string) => DeviceIntent
  /** What the plan wants of a device, for one whose description is learnt only later: from the escrow. */
  readonly intentOf: (device: SelectableDevice) => DeviceIntent
  readonly targetFacts: NetworkFacts
  /** Defaults of the target for a frequency plan and PHY version. */
  readonly defaultsFor: (frequencyPlan: string, phyVersion: string) => Promise<TargetDefaults>
}

/**
 * Reads the devices of both networks and computes the change set. Writes nothing, anywhere. A device that can not be read is
 * blocked alone.
 */
export const planChanges = async (input: PlanningInput): Promise<Planning> => {
  const { source, target, state } = input
  const { targetDevices, targetFacts, formatters, gateways, applications } = input.survey
  const { changes, listed, intents, defaultsFor, carried } = await readFleet(input)
  const devices = withMembers(withoutTwins([...changes].sort(byDevEui)))
  const { plan, file, digest } = input.loaded
  const moved =
    plan.gateways === undefined
      ? undefined
      : planGateways(plan.gateways, gateways, settled(carried, devices), input.digestKey.key)
  const guards = guardsOf({
    changes: devices,
    progress: state.progress,
    sourceDevices: listed,
    targetDevices: targetDevices.count,
    limits: [plan.limits ?? {}, input.loaded.organisation?.limits ?? {}],
    ...(moved === undefined ? {} : { gateways: moved }),
  })
  const changeSet = withDigest({
    formatVersion: 1,
    tool: input.tool,
    plan: { name: plan.name, file, digest },
    source: source.identity,
    target: target.identity,
    base: { lineage: state.lineage, serial: state.serial },
    complete: true,
    findings: [
      ...input.unknownDevices((id) => listed.has(id) || state.progress.has(id)),
      ...recipientFindings(plan, devices),
      ...formatters.findings,
      ...gateways.findings,
    ],
    ...(formatters.change === undefined ? {} : { formatters: formatters.change }),
    ...(plan.application === undefined ? {} : { application: planApplication(applications) }),
    ...(moved === undefined ? {} : { gateways: moved }),
    guards,
    policy: plan.policy,
    coverage: plan.coverage,
    rollout: plan.rollout,
    files: input.files,
    digestKey: input.digestKey.from,
    devices,
  })
  const intentOf = (device: SelectableDevice): DeviceIntent => input.select(device).intent
  return { changeSet, intentBy: intents.of, intentOf, targetFacts, defaultsFor, gateways, applications }
}

/** Devices that do not move under this plan stay where they are, as far as the source serves them at all. */
const settled = (carried: readonly Carried[], changes: readonly DeviceChange[]): readonly Carried[] => {
  const staying = new Set(
    changes.filter(({ action }) => action === 'excluded' || action === 'blocked').map(({ device }) => device),
  )
  return carried.map((device) => ({ ...device, stays: staying.has(device.device) && device.stays }))
}

/** Told in the preview, for an apply would only then refuse. */
const recipientFindings = (
  plan: LoadedPlan['plan'],
  devices: readonly DeviceChange[],
): readonly Diagnostic[] =>
  plan.escrow.recipients.length > 0 || !devices.some((change) => change.steps.includes('escrow'))
    ? []
    : [
        {
          code: 'NoRecipient',
          severity: 'warning',
          message:
            'the plan names no escrow recipient: an apply needs a terminal, or an identity in FERRY_AGE_IDENTITY',
          hint: 'write the public key of ferry escrow keygen into escrow.recipients',
        },
      ]

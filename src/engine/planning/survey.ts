import type { Emit } from '../../domain/events.ts'
import type { LoadedPlan, SelectableDevice } from '../../domain/migration-plan.ts'
import type { NetworkFacts, NetworkPort } from '../../domain/ports.ts'
import { type ApplicationsRead, readApplications } from './application.ts'
import { planFormatters } from './formatters.ts'
import { type GatewaysRead, readGateways } from './gateways.ts'
import { type EuiHolders, euiHolders } from './left-alone.ts'
import { listAll } from './listing.ts'

export interface SurveyInput {
  readonly loaded: LoadedPlan
  readonly source: NetworkPort
  readonly target: NetworkPort
  /** Whether the plan moves a gateway of the source. */
  readonly selectGateway: (gatewayId: string) => boolean
  readonly emit: Emit
}

/** What both networks tell before any device is read by itself, whatever the state says. */
export interface Survey {
  readonly sourceDevices: readonly SelectableDevice[]
  /** Of the target's application alone who holds which EUIs is kept: a fleet is listed there a second time. */
  readonly targetDevices: { readonly count: number; readonly holders: EuiHolders }
  readonly targetFacts: NetworkFacts
  readonly formatters: Awaited<ReturnType<typeof planFormatters>>
  readonly gateways: GatewaysRead
  readonly applications: ApplicationsRead
}

/** @throws NetworkError where a listing can not be finished */
export const surveyNetworks = async ({
  loaded,
  source,
  target,
  selectGateway,
  emit,
}: SurveyInput): Promise<Survey> => {
  const [sourceDevices, targetDevices, targetFacts, formatters, gateways, applications] = await Promise.all([
    listToEnd(source, 'source', emit),
    listToEnd(target, 'target', emit).then((devices) => ({
      count: devices.length,
      holders: euiHolders(devices),
    })),
    target.facts(),
    planFormatters(loaded.plan, source, target),
    readGateways(loaded.plan, source, target, selectGateway),
    readApplications(loaded.plan, source, target),
  ])
  return { sourceDevices, targetDevices, targetFacts, formatters, gateways, applications }
}

const listToEnd: typeof listAll = async (network, side, emit) => {
  const devices = await listAll(network, side, emit)
  emit({ event: 'reading.done', side, devices: devices.length })
  return devices
}

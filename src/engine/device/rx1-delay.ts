import type { DeviceRecord, FieldPath, FieldValue } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Route } from '../../domain/journal.ts'
import type { Json } from '../../domain/json.ts'
import type { DeviceIntent } from '../../domain/migration-plan.ts'
import { parameters } from './mac-state.ts'
import { macState, numberField } from './records.ts'
import { activationOf, keepsSession } from './route.ts'

const DESIRED = 'mac_settings.desired_rx1_delay'

export interface Rx1Delay {
  /** MAC settings of the Network Server to set; undefined to leave one out. */
  readonly settings: readonly { readonly path: FieldPath; readonly value: FieldValue | undefined }[]
  /** Seconds to ask of the device in a MAC state that is carried; undefined where it stays as it is. */
  readonly desired: number | undefined
  readonly findings: readonly Diagnostic[]
}

const nothing: Rx1Delay = { settings: [], desired: undefined, findings: [] }

/**
 * `policy.rx1Delay`: what the target asks of the device. The delay in use never changes here: the device changes
 * it, when it answers the request (RXTimingSetupReq, LoRaWAN 1.0.x section 5.7) or joins. Delays are seconds.
 */
export const rx1Delay = (
  source: DeviceRecord,
  route: Route,
  intent: DeviceIntent,
  targetDefaults: Readonly<Record<string, Json>>,
): Rx1Delay => {
  const policy = intent.policy.rx1Delay
  // A group has no uplinks to answer.
  if (route === 'multicast') return nothing
  if (policy === 'keep') return keep(source, route, targetDefaults)
  const isAbp = route === 'abp-kept' || route === 'abp-reset' || route === 'abp-reprogrammed'
  if (isAbp && intent.set.obeysRxTimingSetup !== true) {
    // An ABP device that ignores the request would be asked with every downlink, for ever.
    return policy === 'target' ? nothing : { ...nothing, findings: [needsObedience(source, policy)] }
  }
  const wanted = policy === 'target' ? defaultDelay(targetDefaults) : policy
  return {
    settings: [{ path: DESIRED, value: policy === 'target' ? undefined : policy }],
    desired: wanted,
    findings: [],
  }
}

/**
 * A session that is carried keeps its delays in the MAC state. A device that joins anew is told a delay in the
 * join accept: the target's default, so that is overridden where it differs from what the source asked for.
 */
const keep = (
  source: DeviceRecord,
  route: Route,
  targetDefaults: Readonly<Record<string, Json>>,
): Rx1Delay => {
  // What an ABP device was asked for says nothing of how it will join.
  if (route === 'otaa-reprogrammed' && activationOf(source) === 'abp') return nothing
  if (keepsSession(route) || numberField(source, 'network-server', DESIRED) !== undefined) return nothing
  const asked = parameters(macState(source), 'desired_parameters')?.['rx1_delay']
  if (typeof asked !== 'number' || asked === defaultDelay(targetDefaults)) return nothing
  return { ...nothing, settings: [{ path: DESIRED, value: asked }] }
}

const defaultDelay = (settings: Readonly<Record<string, Json>>): number | undefined => {
  const value = settings['desired_rx1_delay'] ?? settings['rx1_delay']
  return typeof value === 'number' ? value : undefined
}

const needsObedience = (source: DeviceRecord, seconds: number): Diagnostic => ({
  code: 'Rx1DelayNeedsObedience',
  severity: 'error',
  message: `an ABP device takes an RX1 delay of ${seconds} s only where it obeys RXTimingSetupReq`,
  hint: 'set obeysRxTimingSetup: true in an override for it, or policy.rx1Delay: keep',
  subject: { device: source.ids.deviceId, path: DESIRED },
})

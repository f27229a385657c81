import type { DeviceProfile } from '../../domain/change-set.ts'
import type { Activation, DeviceRecord } from '../../domain/device.ts'
import type { Route, TargetEuis } from '../../domain/journal.ts'
import type { DeviceIntent, Policy } from '../../domain/migration-plan.ts'
import { hasSession, isTrue, textField } from './records.ts'

const NS = 'network-server'

export const activationOf = (record: DeviceRecord): Activation =>
  isTrue(record, NS, 'multicast') ? 'multicast' : isTrue(record, NS, 'supports_join') ? 'otaa' : 'abp'

/** What a reviewer judges a device by; the class is the highest that the device supports. */
export const profileOf = (record: DeviceRecord): DeviceProfile => ({
  activation: activationOf(record),
  class: isTrue(record, NS, 'supports_class_c') ? 'C' : isTrue(record, NS, 'supports_class_b') ? 'B' : 'A',
  lorawanVersion: textField(record, NS, 'lorawan_version') ?? 'MAC_UNKNOWN',
  lorawanPhyVersion: textField(record, NS, 'lorawan_phy_version') ?? 'PHY_UNKNOWN',
  frequencyPlan: textField(record, NS, 'frequency_plan_id') ?? '',
})

/** LoRaWAN minor versions in their order; The Things Stack's enum is not in it (MAC_V1_1 is 4). */
const VERSIONS = ['MAC_V1_0', 'MAC_V1_0_1', 'MAC_V1_0_2', 'MAC_V1_0_3', 'MAC_V1_0_4', 'MAC_V1_1']

/** Whether a LoRaWAN version is `floor` or newer; an unknown one is older than all. */
export const versionAtLeast = (version: string, floor: 'MAC_V1_0_4' | 'MAC_V1_1'): boolean =>
  VERSIONS.indexOf(version) >= VERSIONS.indexOf(floor)

/**
 * How a device crosses. A device that never joined has nothing to keep and joins anew; undefined where the policy
 * leaves no way (an ABP device that neither keeps its session nor is reset nor re-programmed).
 */
export const routeOf = (record: DeviceRecord, intent: DeviceIntent): Route | undefined => {
  const { policy } = intent
  switch (activationOf(record)) {
    case 'otaa':
      if (policy.rootKeys === 'generate' || becomes(record, intent) !== undefined) return 'otaa-reprogrammed'
      if (!hasSession(record)) return 'joining-anew'
      if (policy.persistSession) return 'session-kept'
      return policy.rejoin.trigger === 'source-downlink' ? 'joining-triggered' : 'joining-anew'
    case 'abp':
      if (policy.abp === 'reprogram') return 'abp-reprogrammed'
      if (policy.abp === 'to-otaa') return 'otaa-reprogrammed'
      if (policy.resetFrameCounters) return 'abp-reset'
      return policy.persistSession ? 'abp-kept' : undefined
    case 'multicast':
      return 'multicast'
  }
}

const STOPPED: readonly Route[] = ['session-kept', 'joining-anew', 'abp-kept', 'abp-reset']

/** Whether the source is stopped before the target speaks: such a device can be deleted first too. */
export const isStoppedRoute = (route: Route): boolean => STOPPED.includes(route)

/** The handover of a route under a policy, as change set and state write it. */
export const handoverOf = (route: Route, policy: Pick<Policy, 'handover'>): 'delete-first' | undefined =>
  policy.handover === 'delete-first' && isStoppedRoute(route) ? 'delete-first' : undefined

/** Whether the crossing carries the running session with its counters and MAC state, a group's too. */
export const keepsSession = (route: Route): boolean =>
  route === 'session-kept' || route === 'abp-kept' || route === 'multicast'

/** Whether DevAddr and session keys are carried (an ABP device that is reset keeps them). */
export const keepsKeys = (route: Route): boolean => keepsSession(route) || route === 'abp-reset'

/** Whether the device has to join on the target with what it holds. */
export const joinsAnew = (route: Route): boolean => route === 'joining-anew' || route === 'joining-triggered'

/** Whether somebody has to give the device other EUIs or new keys. */
export const isReprogrammed = (route: Route): boolean =>
  route === 'otaa-reprogrammed' || route === 'abp-reprogrammed'

/** EUIs of the device on the target, where they are others than the source's. */
export const becomes = ({ ids }: DeviceRecord, { set }: DeviceIntent): TargetEuis | undefined => {
  const euis = {
    ...(set.devEui === undefined || set.devEui === ids.devEui ? {} : { devEui: set.devEui }),
    ...(set.joinEui === undefined || set.joinEui === ids.joinEui ? {} : { joinEui: set.joinEui }),
  }
  return Object.keys(euis).length === 0 ? undefined : euis
}

import type { DeviceProfile } from '../../domain/change-set.ts'
import type { Activation, DeviceRecord } from '../../domain/device.ts'
import type { Route } from '../../domain/journal.ts'
import type { Policy } from '../../domain/migration-plan.ts'
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
 * leaves no way (an ABP device that neither keeps its session nor is reset).
 */
export const routeOf = (record: DeviceRecord, policy: Policy): Route | undefined => {
  switch (activationOf(record)) {
    case 'otaa':
      return policy.persistSession && hasSession(record) ? 'session-kept' : 'joining-anew'
    case 'abp':
      if (policy.resetFrameCounters) return 'abp-reset'
      return policy.persistSession ? 'abp-kept' : undefined
    case 'multicast':
      return undefined
  }
}

/** Whether the crossing carries the running session with its counters and MAC state. */
export const keepsSession = (route: Route): boolean => route === 'session-kept' || route === 'abp-kept'

/** Whether DevAddr and session keys are carried (an ABP device that is reset keeps them). */
export const keepsKeys = (route: Route): boolean => route !== 'joining-anew'

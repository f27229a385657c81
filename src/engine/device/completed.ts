import type { DeviceRecord, Fields } from '../../domain/device.ts'
import type { DeviceIntent } from '../../domain/migration-plan.ts'
import { secretField } from './records.ts'

/**
 * A device that its network registered in part, as if it were whole: with `adopt: partial`, where what is there and what
 * the plan says suffice to have it join anew on the target. Without Application Server it has no formatters; without
 * Network Server the plan says what it is. Anything else is returned as it is, and blocked by the rules.
 */
export const completed = (source: DeviceRecord, { policy, set }: DeviceIntent): DeviceRecord => {
  const { registries } = source
  if (policy.adopt !== 'partial' || registries['identity-server'] === undefined) return source
  if (secretField(source, 'join-server', 'root_keys.app_key.key') === undefined) return source
  const network = registries['network-server'] ?? networkOf(set)
  if (network === undefined) return source
  return {
    ...source,
    registries: {
      ...registries,
      'application-server': registries['application-server'] ?? {},
      'network-server': network,
    },
  }
}

const networkOf = (set: DeviceIntent['set']): Fields | undefined =>
  set.frequencyPlan === undefined || set.lorawanVersion === undefined || set.lorawanPhyVersion === undefined
    ? undefined
    : {
        supports_join: true,
        frequency_plan_id: set.frequencyPlan,
        lorawan_version: set.lorawanVersion,
        lorawan_phy_version: set.lorawanPhyVersion,
      }

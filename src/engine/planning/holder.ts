import type { DeviceRecord, Registry } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Policy } from '../../domain/migration-plan.ts'
import { field, isTrue, registriesOf, secretField } from '../device/records.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { isLetGo, isOurs, rootKeysReplaced, wasOnTarget } from '../progress/standing.ts'

/** Who holds a device on the target, and what that means for us (design, "Who holds it"). */
export type Holder =
  | { readonly presence: 'absent'; readonly vanished: boolean }
  /** Ours, wholly or in part, and not let go yet: to be completed. */
  | { readonly presence: 'ours' }
  /** Others registered it in part, with the same keys, and the plan wants it completed. */
  | { readonly presence: 'partial'; readonly held: readonly Registry[] }
  /** The same device with the same keys, let go by us or made by others: only its settings may be written. */
  | { readonly presence: 'same' }
  | { readonly presence: 'blocked'; readonly finding: Diagnostic }

const NEEDED = ['identity-server', 'application-server', 'network-server'] as const

const ROOT_KEYS = ['root_keys.app_key.key', 'root_keys.nwk_key.key'] as const
const SESSION_KEYS = ['session.keys.f_nwk_s_int_key.key'] as const

/** Compares what the target holds with what is wanted there; reads no session that lives. */
export const holderOf = (
  target: DeviceRecord,
  desired: DeviceRecord,
  progress: DeviceProgress | undefined,
  adopt: Policy['adopt'],
): Holder => {
  const device = progress?.device ?? desired.ids.deviceId
  const blocked = (code: string, message: string, hint: string): Holder => ({
    presence: 'blocked',
    finding: { code, severity: 'error', message, hint, subject: { device } },
  })
  const held = registriesOf(target)
  if (held.length === 0) return { presence: 'absent', vanished: wasOnTarget(progress) }
  const id = desired.ids.deviceId
  if (target.ids.devEui !== desired.ids.devEui || target.ids.joinEui !== desired.ids.joinEui) {
    return blocked(
      'ForeignDevice',
      `the target has a device ${id} with other EUIs`,
      'give the device another id (overrides, set.deviceId), or exclude it',
    )
  }
  if (isOurs(progress) && !isLetGo(progress)) return { presence: 'ours' }
  const otaa = isTrue(desired, 'network-server', 'supports_join')
  const missing = [
    ...NEEDED,
    ...(otaa && desired.registries['join-server'] !== undefined ? (['join-server'] as const) : []),
  ].filter((registry) => !held.includes(registry))
  const isPartial = missing.length > 0
  if (isPartial && (adopt !== 'partial' || isLetGo(progress))) {
    return blocked(
      'PartialOnTarget',
      `the target holds a part of ${id} that is not ours (${held.join(', ')}; not ${missing.join(', ')})`,
      'write policy.adopt: partial in an override for it to have it completed, delete it on the target, or exclude the device',
    )
  }
  if (isPartial && field(target, 'network-server', 'session.dev_addr') !== undefined) {
    return blocked(
      'PartialOnTarget',
      `the target serves ${id} already, and misses a part of it (${missing.join(', ')})`,
      'complete it on the target by hand, or delete it there if it is not in use',
    )
  }
  if (
    isPartial &&
    held.includes('network-server') &&
    isTrue(target, 'network-server', 'supports_join') !== otaa
  ) {
    return blocked(
      'PartialOnTarget',
      `the target's Network Server holds ${id} as a device that ${otaa ? 'does not join' : 'joins'}, which it lets nobody change`,
      'delete it on the Network Server of the target if it is not in use, or exclude the device',
    )
  }
  // New keys are compared with nothing: they were made by us, and are on the target alone.
  const areOurs = rootKeysReplaced(progress) || (isLetGo(progress) && progress?.credentials !== undefined)
  const holdsRootKeys = !isPartial || held.includes('join-server')
  if (!areOurs && holdsRootKeys && differs(target, desired, 'join-server', ROOT_KEYS)) {
    return blocked(
      'ForeignKeys',
      `the target's ${id} has the same EUIs and other root keys`,
      'delete it on the target if it is not in use, or exclude the device',
    )
  }
  if (isPartial) return { presence: 'partial', held }
  if (!otaa && !isLetGo(progress) && differs(target, desired, 'network-server', SESSION_KEYS)) {
    return blocked(
      'ForeignKeys',
      `the target's ${id} has other session keys`,
      'delete it on the target if it is not in use, or exclude the device',
    )
  }
  return { presence: 'same' }
}

const differs = (
  a: DeviceRecord,
  b: DeviceRecord,
  registry: 'join-server' | 'network-server',
  paths: readonly string[],
): boolean =>
  paths.some((path) => {
    const [one, other] = [secretField(a, registry, path), secretField(b, registry, path)]
    return one === undefined || other === undefined
      ? field(a, registry, path) !== field(b, registry, path)
      : !one.equals(other)
  })

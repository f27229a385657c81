import type { DeviceRecord, Fields, Registry } from '../../domain/device.ts'
import { notBelow } from '../crossing/target.ts'
import { fieldKind } from '../device/fields.ts'
import { carriedMacState } from '../device/mac-state.ts'
import { fieldsOfKind, sameValue } from '../device/records.ts'

const NS = 'network-server'

/**
 * What the source is to hold again: what it had, with its own root keys, and with counters, nonces and MAC state as far
 * as the target took them. Nothing is ever lowered. A device that joined on the target has another session there: of
 * that only the nonces say something to the source.
 * @param first the source before anything was changed: its own root keys and settings
 * @param last the source when it had fallen silent; the same as `first` where it never was
 * @param target what the target held when it was muted for the rollback; undefined where it held nothing
 */
export const returnedRecord = (
  first: DeviceRecord,
  last: DeviceRecord,
  target: DeviceRecord | undefined,
): DeviceRecord => {
  const registries = { ...last.registries }
  const join = last.registries['join-server'] ?? first.registries['join-server']
  if (join !== undefined)
    registries['join-server'] = {
      ...join,
      ...fieldsOfKind('join-server', first.registries['join-server'], ['root-key']),
    }
  const own: DeviceRecord = { ...first, registries: { ...first.registries, ...registries } }
  if (target === undefined) return own
  const raised = notBelow(own, target)
  const state = isSameSession(own, target) ? carriedMacState(target, undefined) : undefined
  const network = raised.registries[NS]
  if (state === undefined || network === undefined) return raised
  return { ...raised, registries: { ...raised.registries, [NS]: { ...network, mac_state: state } } }
}

const isSameSession = (a: DeviceRecord, b: DeviceRecord): boolean => {
  const [one, other] = [a, b].map((record) => fieldsOfKind(NS, record.registries[NS], ['session']))
  const paths = Object.keys({ ...one, ...other })
  return paths.length > 0 && paths.every((path) => sameValue(path, one?.[path], other?.[path]))
}

/** What of a registry that the source still has is to be written: keys that were replaced, and what moved on. */
export const returnedFields = (registry: Registry, record: DeviceRecord, there: Fields): Fields =>
  Object.fromEntries(
    Object.entries(record.registries[registry] ?? {}).filter(([path, value]) => {
      const kind = fieldKind(registry, path)
      const moves = kind === 'root-key' || kind === 'nonce' || kind === 'counter' || kind === 'mac-state'
      return moves && !sameValue(path, value, there[path])
    }),
  )

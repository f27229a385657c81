import type { DeviceRecord, Fields, Registry } from '../../domain/device.ts'
import { fieldKind } from './fields.ts'
import { MUTE } from './scheduling.ts'

/** What one registry of the source takes of a record, to hold the device again, muted. */
export interface Restorable {
  readonly fields: Fields
  /** By a write of its own: the first write of a session sets its start to now, whatever is sent. */
  readonly later: Fields
}

export const restorable = (record: DeviceRecord, registry: Registry): Restorable => {
  const writable = Object.entries(record.registries[registry] ?? {}).filter(
    ([path]) => fieldKind(registry, path) !== 'not-carried',
  )
  const isLater = (path: string): boolean => fieldKind(registry, path) === 'session-time'
  return {
    fields: {
      ...Object.fromEntries(writable.filter(([path]) => !isLater(path))),
      ...(registry === 'network-server' ? { [MUTE]: false } : {}),
    },
    later: Object.fromEntries(writable.filter(([path]) => isLater(path))),
  }
}

import type { Emit } from '../../domain/events.ts'
import type { Side } from '../../domain/journal.ts'
import type { SelectableDevice } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'

/** Every device that the application lists. @throws NetworkError where the listing can not be finished */
export const listAll = async (
  network: NetworkPort,
  side: Side,
  emit: Emit,
): Promise<readonly SelectableDevice[]> => {
  emit({ event: 'reading.started', side })
  const devices: SelectableDevice[] = []
  for await (const page of network.list()) {
    devices.push(...page)
    emit({ event: 'reading.progress', side, devices: devices.length })
  }
  return devices
}

import { createVirtualDevice, type VirtualDevice } from '../../src/simulator/index.ts'
import type { DeviceSpec } from './fleet.ts'
import { at, radioOptionsOf, type Stage } from './scenario.ts'

const text = (record: unknown, ...path: readonly string[]): string => String(at(record, ...path))

/** A device as somebody programs it with what the target holds. */
export const programmed = async (stage: Stage, spec: DeviceSpec): Promise<VirtualDevice> => {
  const [js, ns, as] = await Promise.all(
    (['js', 'ns', 'as'] as const).map((registry) => stage.held('target', registry, spec.id)),
  )
  const radio = radioOptionsOf(spec)
  if (js !== undefined) {
    const nwkKey = at(js, 'root_keys', 'nwk_key', 'key')
    return createVirtualDevice({
      ...radio,
      devEui: text(js, 'ids', 'dev_eui'),
      joinEui: text(js, 'ids', 'join_eui'),
      rootKeys: {
        appKey: text(js, 'root_keys', 'app_key', 'key'),
        ...(typeof nwkKey === 'string' ? { nwkKey } : {}),
      },
    })
  }
  const network = text(ns, 'session', 'keys', 'f_nwk_s_int_key', 'key')
  const device = createVirtualDevice({
    ...radio,
    session: {
      devAddr: text(ns, 'session', 'dev_addr'),
      keys: {
        fNwkSIntKey: network,
        sNwkSIntKey: network,
        nwkSEncKey: network,
        appSKey: text(as, 'session', 'keys', 'app_s_key', 'key'),
      },
      lastFCntUp: 0,
      lastNFCntDown: 0,
      lastAFCntDown: 0,
    },
  })
  device.resetCounters()
  return device
}

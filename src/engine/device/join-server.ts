import type { DeviceRecord } from '../../domain/device.ts'
import { textField } from './records.ts'

/** Host names under which a network's own Join Server is known; undefined where it has none. */
export type JoinHosts = readonly string[] | undefined

/** The device joins by a Join Server that is no part of the network which holds it. */
export const joinsElsewhere = (record: DeviceRecord, joinHosts: JoinHosts): boolean => {
  if (joinHosts === undefined) return true
  const address = textField(record, 'identity-server', 'join_server_address') ?? ''
  return address !== '' && !joinHosts.includes(address.replace(/:\d+$/, ''))
}

import type { Registration } from '../../domain/audit.ts'
import type { Activation, DeviceRecord, Registry } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import { euisOf } from '../device/euis.ts'
import { type JoinHosts, joinsElsewhere } from '../device/join-server.ts'
import { field, hasSession, registriesOf, textField } from '../device/records.ts'
import { activationOf } from '../device/route.ts'
import { sessionFault } from '../planning/rules/session-fault.ts'

const IS = 'identity-server'
const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

const ZERO_EUI = '0000000000000000'

/**
 * What the registries of one network hold of a device, as a class. `joinHosts` are the host names under which the
 * network's own Join Server is known, to tell the Join Server of another operator.
 */
export const classify = (record: DeviceRecord, joinHosts: JoinHosts): Registration => {
  const held = registriesOf(record)
  const ids = { deviceId: record.ids.deviceId, ...euisOf(record.ids) }
  if (held.length === 0) return { ...ids, status: 'absent', held, missing: [], hasSession: false }
  const activation = activationFrom(record)
  const needsJoin = activation === 'otaa' && !joinsElsewhere(record, joinHosts)
  const needed: readonly Registry[] = needsJoin ? [IS, JS, AS, NS] : [IS, AS, NS]
  const missing = needed.filter((registry) => !held.includes(registry))
  const session = hasSession(record) || field(record, AS, 'session.dev_addr') !== undefined
  const fault = faultOfSession(record, session || activation !== 'otaa')
  return {
    ...ids,
    status: !held.includes(IS) ? 'orphan' : missing.length > 0 ? 'half-registered' : 'complete',
    ...(activation === undefined ? {} : { activation }),
    held,
    missing,
    hasSession: session,
    ...(fault === undefined ? {} : { sessionFault: fault }),
  }
}

/** A device that can not be read is a finding. @throws the error where credentials are refused or the run is interrupted. */
export const unreadableAs = (deviceId: string, error: unknown): Registration => {
  if (!(error instanceof NetworkError) || error.refusesCredentials || error.code === 'Interrupted')
    throw error
  const { code, message, hint, fault } = error
  return {
    deviceId,
    status: code === 'IdsDiffer' ? 'ids-differ' : 'unreadable',
    held: [],
    missing: [],
    hasSession: false,
    error: {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(fault.correlationId === undefined ? {} : { correlationId: fault.correlationId }),
    },
  }
}

/**
 * The Network Server alone says how a device is activated. Without it, a record in the Join Server, the address of
 * one, or a JoinEUI says OTAA; else nothing does.
 */
const activationFrom = (record: DeviceRecord): Activation | undefined => {
  if (record.registries[NS] !== undefined) return activationOf(record)
  const joins =
    record.registries[JS] !== undefined ||
    (textField(record, IS, 'join_server_address') ?? '') !== '' ||
    (record.ids.joinEui ?? ZERO_EUI) !== ZERO_EUI
  return joins ? 'otaa' : undefined
}

/** Only where both servers hold the device, and a session is to be expected: OTAA devices that never joined have none. */
const faultOfSession = (record: DeviceRecord, isExpected: boolean): string | undefined =>
  isExpected && record.registries[NS] !== undefined && record.registries[AS] !== undefined
    ? sessionFault(record)?.code
    : undefined

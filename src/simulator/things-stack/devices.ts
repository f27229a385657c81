import { decode } from '../json/decode.ts'
import { covers, setPaths } from '../json/mask.ts'
import { at, child, type Message, textAt } from '../json/types.ts'
import { requestInvalid, validate, wrapInvalid } from '../json/validate.ts'
import { deviceKey, type Network } from '../network.ts'
import type { RecordStore } from '../store.ts'
import { bodyObject, type Call, param } from './call.ts'
import { type ErrorDefinition, fail, type StackError } from './errors.ts'

/** The end device of a request body, decoded; path variables overwrite its identifiers (API notes, section 1.3). */
export const bodyDevice = (call: Call): Message => {
  const body = bodyObject(call, 'end_device', 'endDevice')
  const device = body === undefined ? {} : decode('EndDevice', body, 'end_device')
  const ids = child(device, 'ids') ?? {}
  const application = call.params['application'] ?? textAt(ids, 'application_ids.application_id')
  const id = call.params['device'] ?? textAt(ids, 'device_id')
  const { dev_eui, join_eui, dev_addr } = ids
  const fixed: Message = {
    ...(id === undefined ? {} : { device_id: id }),
    ...(application === undefined ? {} : { application_ids: { application_id: application } }),
    ...(dev_eui === undefined ? {} : { dev_eui }),
    ...(join_eui === undefined ? {} : { join_eui }),
    ...(dev_addr === undefined ? {} : { dev_addr }),
  }
  return { ...device, ids: fixed }
}

/** Identifiers of a request whose path names the device. */
const pathIds = (call: Call): Message => ({
  device_id: param(call, 'device'),
  application_ids: { application_id: param(call, 'application') },
})

/** Validates a device inside a request: all of it, or the masked paths and the two ids. */
export const checkDevice = (request: string, device: Message, mask: readonly string[]): void => {
  const paths = mask.length === 0 ? [] : [...mask, 'ids.application_ids', 'ids.device_id']
  const cause = validate('EndDevice', device, paths)
  if (cause !== undefined) throw wrapInvalid(request, 'end_device', cause)
}

/** Validates the identifiers of a request that has no device. */
export const checkIds = (request: string, call: Call, field = 'end_device_ids'): void => {
  const cause = validate('EndDeviceIdentifiers', pathIds(call))
  if (cause === undefined) return
  throw field === '' ? cause : wrapInvalid(request, field, cause)
}

/** Validates an application id of the path. */
export const checkApplicationId = (request: string, application: string): void => {
  const cause = validate('ApplicationIdentifiers', { application_id: application })
  if (cause !== undefined) throw wrapInvalid(request, 'application_ids', cause)
}

/** 1 to 20 device ids of a batch request. */
export const batchIds = (call: Call, request: string): readonly string[] => {
  const ids = call.query.getAll('device_ids')
  if (ids.length < 1 || ids.length > 20) {
    throw requestInvalid(request, 'device_ids', 'value must contain between 1 and 20 items, inclusive')
  }
  for (const [index, id] of ids.entries()) {
    if (id.length > 36)
      throw requestInvalid(request, `device_ids[${index}]`, 'value length must be at most 36 runes')
    if (!/^[a-z0-9](?:[-]?[a-z0-9]){2,}$/.test(id)) {
      throw requestInvalid(
        request,
        `device_ids[${index}]`,
        'value does not match regex pattern "^[a-z0-9](?:[-]?[a-z0-9]){2,}$"',
      )
    }
  }
  return ids
}

/** What a registry answers: identifiers, timestamps and the masked paths of the stored record. */
export const view = (record: Message, mask: readonly string[]): Message => {
  const shown: Message = {}
  setPaths('EndDevice', shown, record, ['ids', 'created_at', 'updated_at', ...mask])
  return shown
}

/**
 * The conflict of a new record whose pair of JoinEUI and DevEUI is held by another device, in any application; a
 * record without one of the two conflicts with nothing (API notes, section 3.4).
 */
export const euiConflict = (
  store: RecordStore,
  record: Message,
  definition: ErrorDefinition,
): StackError | undefined => {
  const joinEui = textAt(record, 'ids.join_eui')
  const devEui = textAt(record, 'ids.dev_eui')
  if (joinEui === undefined || devEui === undefined) return undefined
  const own = deviceKey(
    textAt(record, 'ids.application_ids.application_id') ?? '',
    textAt(record, 'ids.device_id') ?? '',
  )
  const holder = store.withEuis(joinEui, devEui).find(([key]) => key !== own)
  if (holder === undefined) return undefined
  return fail(definition, {
    join_eui: joinEui,
    dev_eui: devEui,
    device_id: textAt(holder[1], 'ids.device_id'),
    application_id: textAt(holder[1], 'ids.application_ids.application_id'),
  })
}

/** The first identifier that a mask covers and that differs from the stored one. */
export const changedId = (stored: Message, device: Message, mask: readonly string[]): string | undefined =>
  ['ids.join_eui', 'ids.dev_eui'].find((path) => covers(mask, path) && at(device, path) !== at(stored, path))

/** The rate-limit name of a device. */
export const deviceEntity = (call: Call): string =>
  `end device:${param(call, 'application')}.${param(call, 'device')}`

/** The rate-limit name of an application. */
export const applicationEntity = (call: Call): string => `application:${param(call, 'application')}`

/** The Identity Server's devices of one application. */
export const devicesOf = (network: Network, application: string): Message[] =>
  network.identityServer.entries(`${application}/`).map(([, record]) => record)

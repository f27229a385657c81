import type { DeviceIds, Registry } from '../../domain/device.ts'
import type { RegistryWrite } from '../../domain/ports.ts'
import type { Api, Call } from './api.ts'
import { ownError, registryName } from './errors.ts'
import { deviceBody, refusedPaths } from './records.ts'

const refuseUnwritable = (
  api: Api,
  write: RegistryWrite,
  call: Pick<Call, 'method' | 'registry' | 'path'>,
) => {
  const refused = refusedPaths(write.registry, write.fields, write.clear)
  if (refused.length === 0) return
  throw ownError(
    'ForbiddenPath',
    `the ${registryName(write.registry)} is not to be sent ${refused.join(', ')}`,
    api.asked(call),
    'this is a mistake of the tool: report it with the name of the field',
  )
}

/**
 * One write on one registry, with a mask of exactly the fields that are set or cleared. Creating on the Identity
 * Server is a POST without mask; the other registries create what they do not know.
 */
export const writeDevice = async (api: Api, write: RegistryWrite): Promise<void> => {
  const { registry, ids, fields, clear = [] } = write
  const create = registry === 'identity-server' && write.create === true
  const call = {
    method: create ? 'POST' : 'PUT',
    registry,
    path: api.devicesPath(registry, create ? undefined : ids.deviceId),
  } as const
  refuseUnwritable(api, write, call)
  const paths = [...Object.keys(fields), ...clear]
  await api.call({
    ...call,
    body: {
      end_device: deviceBody(api.application, ids, fields),
      ...(create ? {} : { field_mask: { paths } }),
    },
  })
}

/** Deletes the device on one registry; `absent` where it was not known there. */
export const removeDevice = async (
  api: Api,
  registry: Registry,
  ids: DeviceIds,
): Promise<'done' | 'absent'> => {
  const path = api.devicesPath(registry, ids.deviceId)
  const answer = await api.callDevice({ method: 'DELETE', registry, path })
  return answer === undefined ? 'absent' : 'done'
}

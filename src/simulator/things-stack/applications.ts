import { decode } from '../json/decode.ts'
import { pathsBelow, setPaths } from '../json/mask.ts'
import { type Message, textAt } from '../json/types.ts'
import { validate, wrapInvalid } from '../json/validate.ts'
import { deviceKey, type Network } from '../network.ts'
import { blockedIds } from './blocked-ids.ts'
import {
  bodyMask,
  bodyObject,
  type Call,
  type Prepared,
  param,
  queryMask,
  type Route,
  requireAllowed,
} from './call.ts'
import { applicationEntity, checkApplicationId } from './devices.ts'
import { errors, fail } from './errors.ts'
import { pageReply, readPage, sortRecords } from './paging.ts'
import { applicationRights, requireApplication, requireUser } from './rights.ts'

const service = '/ttn.lorawan.v3.ApplicationRegistry'
const allPaths = new Set(pathsBelow('Application', ''))
const writePaths = new Set([...allPaths].filter((path) => path !== 'dev_eui_counter'))
const always = ['ids', 'created_at', 'updated_at']
const publicPaths = new Set([
  ...always,
  'ids.application_id',
  'administrative_contact',
  'technical_contact',
  'deleted_at',
])
const orders = ['application_id', 'name', 'created_at']

const view = (record: Message, mask: readonly string[]): Message => {
  const shown: Message = {}
  setPaths('Application', shown, record, [...always, ...mask])
  return shown
}

const applicationOf = (network: Network, id: string): Message => {
  const record = network.applications.get(id)
  if (record === undefined) throw fail(errors.applicationNotFound, { application_id: id })
  return record
}

const route = (method: Route['method'], path: string, rpc: string, prepare: Route['prepare']): Route => ({
  method,
  path,
  rpc: `${service}/${rpc}`,
  registry: 'is',
  prepare,
})

const bodyApplication = (call: Call): Message => {
  const application = decode('Application', bodyObject(call, 'application') ?? {}, 'application')
  const id = call.params['application'] ?? textAt(application, 'ids.application_id')
  return id === undefined ? application : { ...application, ids: { application_id: id } }
}

/** Registers an application; used by the route and by the sample. */
export const createApplication = (network: Network, owner: string, application: Message): Message => {
  const id = textAt(application, 'ids.application_id') ?? ''
  if (network.applications.has(id) || network.deletedApplications.has(id)) {
    throw fail(errors.idTaken, undefined, fail(errors.alreadyExists))
  }
  const now = network.clock.micros()
  const contact = { user_ids: { user_id: owner } }
  const record: Message = decode('Application', {
    administrative_contact: contact,
    technical_contact: contact,
    ...application,
    created_at: now,
    updated_at: now,
  })
  network.applications.set(id, record)
  network.applicationOwners.set(id, owner)
  return record
}

const create = route('POST', '/users/:user/applications', 'Create', (call) => {
  const application = bodyApplication(call)
  const invalid = validate('Application', application)
  if (invalid !== undefined) throw wrapInvalid('CreateApplicationRequest', 'application', invalid)
  return {
    entity: `user:${param(call, 'user')}`,
    run: () => {
      const owner = param(call, 'user')
      requireUser(call.credentials(), owner)
      if (!call.network.users.has(owner)) throw fail(errors.userNotFound, { user_id: owner })
      const id = textAt(application, 'ids.application_id') ?? ''
      if (blockedIds.has(id)) throw fail(errors.forbiddenId, { id })
      return { body: createApplication(call.network, owner, application) }
    },
  }
})

const listFor = (call: Call, owner: (call: Call) => string | undefined): Prepared => {
  const mask = queryMask(call)
  requireAllowed(mask, allPaths)
  const page = readPage(call, 'ListApplicationsRequest', orders)
  return {
    run: () => {
      const user = owner(call)
      if (user === undefined) return { body: {} }
      const { network } = call
      const own = network.applications.entries().filter(([id]) => network.applicationOwners.get(id) === user)
      const sorted = sortRecords(
        own.map(([, record]) => record),
        page.order,
        'application_id',
      )
      return pageReply(
        'applications',
        sorted.map((record) => view(record, mask)),
        page,
      )
    },
  }
}

const list = route('GET', '/applications', 'List', (call) =>
  listFor(call, () => {
    const { key } = call.credentials()
    return key?.entity.kind === 'user' ? key.entity.id : undefined
  }),
)

const listOfUser = route('GET', '/users/:user/applications', 'List', (call) =>
  listFor(call, () => {
    requireUser(call.credentials(), param(call, 'user'))
    return param(call, 'user')
  }),
)

const get = route('GET', '/applications/:application', 'Get', (call) => {
  const mask = queryMask(call)
  requireAllowed(mask, allPaths)
  checkApplicationId('GetApplicationRequest', param(call, 'application'))
  return {
    entity: applicationEntity(call),
    run: () => {
      const id = param(call, 'application')
      const caller = call.credentials()
      if (caller.key === undefined) throw fail(errors.unauthenticated)
      if (!mask.every((path) => publicPaths.has(path))) requireApplication(call.network, caller, id, 'INFO')
      return { body: view(applicationOf(call.network, id), mask) }
    },
  }
})

const update = route('PUT', '/applications/:application', 'Update', (call) => {
  const application = bodyApplication(call)
  const mask = bodyMask(call)
  requireAllowed(mask, writePaths)
  const invalid = validate('Application', application, mask.length === 0 ? [] : [...mask, 'ids'])
  if (invalid !== undefined) throw wrapInvalid('UpdateApplicationRequest', 'application', invalid)
  return {
    entity: applicationEntity(call),
    run: () => {
      const id = param(call, 'application')
      requireApplication(call.network, call.credentials(), id, 'SETTINGS_BASIC')
      const record = applicationOf(call.network, id)
      setPaths(
        'Application',
        record,
        application,
        mask.filter((path) => !always.includes(path.split('.')[0] ?? '')),
      )
      const next: Message = { ...record, updated_at: call.network.clock.micros() }
      call.network.applications.set(id, next)
      return { body: view(next, mask) }
    },
  }
})

const remove = route('DELETE', '/applications/:application', 'Delete', (call) => ({
  entity: applicationEntity(call),
  run: () => {
    const id = param(call, 'application')
    requireApplication(call.network, call.credentials(), id, 'DELETE')
    applicationOf(call.network, id)
    const count = call.network.identityServer.count(`${id}/`)
    if (count > 0) throw fail(errors.applicationHasDevices, { count })
    call.network.applications.delete(id)
    call.network.deletedApplications.add(id)
    return { body: {} }
  },
}))

const purge = route('DELETE', '/applications/:application/purge', 'Purge', (call) => ({
  entity: applicationEntity(call),
  run: () => {
    if (!call.credentials().admin) throw fail(errors.adminsPurge('applications'))
    const id = param(call, 'application')
    const known = call.network.applications.delete(id)
    if (!call.network.deletedApplications.delete(id) && !known)
      throw fail(errors.applicationNotFound, { application_id: id })
    for (const [key] of call.network.identityServer.entries(`${id}/`)) call.network.identityServer.delete(key)
    return { body: {} }
  },
}))

const rights = route('GET', '/applications/:application/rights', 'ListRights', (call) => ({
  entity: applicationEntity(call),
  run: () => {
    const caller = call.credentials()
    if (caller.admin) applicationOf(call.network, param(call, 'application'))
    const held = [...applicationRights(call.network, caller, param(call, 'application'))]
    return { body: held.length === 0 ? {} : { rights: held } }
  },
}))

const devEui = route('POST', '/applications/:application/dev-eui', 'IssueDevEUI', (call) => ({
  entity: applicationEntity(call),
  run: () => {
    requireApplication(call.network, call.credentials(), param(call, 'application'), 'DEVICES_WRITE')
    throw fail(errors.devEuiIssuing)
  },
}))

const access = (
  method: 'GET' | 'PUT',
  rpc: string,
  run: (call: Call, application: string) => Message,
): Route => ({
  ...route(method, '/applications/:application/collaborators', rpc, (call) => ({
    entity: applicationEntity(call),
    run: () => {
      const application = param(call, 'application')
      requireApplication(call.network, call.credentials(), application, 'SETTINGS_COLLABORATORS')
      return { body: run(call, application) }
    },
  })),
  rpc: `/ttn.lorawan.v3.ApplicationAccess/${rpc}`,
})

const collaboratorIds = (user: string): Message => ({ ids: { user_ids: { user_id: user } } })

/** The owner has all rights; others what they were given, and none once that is nothing. */
const listCollaborators = access('GET', 'ListCollaborators', ({ network }, application) => {
  const owner = network.applicationOwners.get(application)
  const others = network.collaborators.entries(`${application}/`).map(([, record]) => record)
  const all = owner === undefined ? [] : [{ ...collaboratorIds(owner), rights: ['RIGHT_ALL'] }]
  return { collaborators: [...all, ...others] }
})

const setCollaborator = access('PUT', 'SetCollaborator', (call, application) => {
  const { network } = call
  const given = bodyObject(call, 'collaborator') ?? {}
  const user = textAt(given, 'ids.user_ids.user_id') ?? ''
  if (!network.users.has(user)) throw fail(errors.userNotFound, { user_id: user })
  const rights = given['rights']
  const key = deviceKey(application, user)
  if (!Array.isArray(rights) || rights.length === 0) network.collaborators.delete(key)
  else network.collaborators.set(key, { ...collaboratorIds(user), rights })
  return {}
})

/** The application registry (API notes, section 13.1). */
export const applicationRoutes: readonly Route[] = [
  listCollaborators,
  setCollaborator,
  create,
  listOfUser,
  list,
  rights,
  devEui,
  purge,
  get,
  update,
  remove,
]

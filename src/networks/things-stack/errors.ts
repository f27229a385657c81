import type { Registry } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { HttpAnswer } from '../../http/index.ts'
import { type ErrorDetails, errorDetailsOf } from './error-details.ts'

/** Where an answer came from, for its error. */
export interface Asked {
  readonly registry?: Registry
  readonly host: string
  /** `METHOD path` without query values. */
  readonly request: string
  readonly read: boolean
}

interface Meaning {
  readonly code: string
  readonly says: string
  readonly hint: string
  /** The sentence begins with the host alone, for the registry is not there. */
  readonly ofHost?: true
}

type Explain = (details: ErrorDetails, asked: Asked) => Meaning

const REGISTRY_NAMES: { readonly [R in Registry]: string } = {
  'identity-server': 'Identity Server',
  'join-server': 'Join Server',
  'network-server': 'Network Server',
  'application-server': 'Application Server',
}

export const registryName = (registry: Registry | undefined): string =>
  registry === undefined ? 'server' : REGISTRY_NAMES[registry]

/** The server answered that there is nothing of that name. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof NetworkError && error.fault.status === 404

const listOf = (value: string | number | readonly string[] | undefined): string =>
  typeof value === 'object' ? value.join(', ') : String(value ?? '')

const constant =
  (code: string, says: string, hint: string): Explain =>
  () => ({ code, says, hint })

const KEY_HINT =
  'create an API key of the application with the rights that the documentation lists, and name it in the plan'
const credential = (says: string) => constant('CredentialRefused', `refuses the API key: ${says}`, KEY_HINT)

const invalidField: Explain = ({ field, reason }) => ({
  code: 'InvalidField',
  says:
    field === undefined
      ? 'could not read the request'
      : `refuses the value of ${field}${reason === undefined ? '' : `: ${reason}`}`,
  hint: 'correct the field on the source, or set another value for this device in overrides',
})

const forbiddenPath: Explain = ({ attributes }) => ({
  code: 'ForbiddenPath',
  says: `does not take ${listOf(attributes['forbidden_paths'] ?? attributes['path']) || 'one of the fields'}`,
  hint: 'the server may be older or newer than this tool knows: compare the versions',
})

const addressMismatch: Explain = ({ attributes }) => ({
  code: 'ServerAddressMismatch',
  says: `takes only devices of ${listOf(attributes['expected'])}, not of ${listOf(attributes['address'])}`,
  hint: 'the application is bound to other server addresses: use that cluster as url, or change the application',
})

const absentDevice = constant(
  'DeviceNotFound',
  'does not know the device',
  'plan anew: it was deleted meanwhile',
)

/** By the name of the error. Namespaces move between versions, so they only decide where names are ambiguous. */
const BY_NAME: Readonly<Record<string, Explain>> = {
  end_device_euis_taken: ({ attributes }) => ({
    code: 'EuisTaken',
    says: `knows these EUIs already: device ${listOf(attributes['device_id'])} of application ${listOf(attributes['application_id'])} holds them`,
    hint: 'a pair of EUIs exists once in a deployment: delete that device, or leave this one out of the plan',
  }),
  id_taken: constant(
    'IdTaken',
    'has a device with this id in the application already',
    'set another deviceId for it in overrides, or leave it out of the plan',
  ),
  end_device_not_found: absentDevice,
  device_not_found: absentDevice,
  application_not_found: ({ attributes }) => ({
    code: 'ApplicationNotFound',
    says: `does not know the application ${listOf(attributes['application_id'])}`,
    hint: 'check application in the plan, or create it on the network first',
  }),
  insufficient_application_rights: ({ attributes }) => ({
    code: 'MissingRight',
    says: `asks for ${listOf(attributes['missing']) || 'a right'}, which the API key does not have`,
    hint: 'add the right to the API key',
  }),
  no_application_rights: ({ attributes }) => ({
    code: 'NoApplicationRights',
    says: `grants the API key no right on the application ${listOf(attributes['uid'])}, if there is one`,
    hint: 'check application in the plan, and that the API key belongs to it',
  }),
  token: credential('it is not of the form NNSXS.ID.SECRET'),
  api_key_not_found: credential('it does not exist there'),
  invalid_authorization: credential('its secret part is wrong'),
  api_key_expired: credential('it has expired'),
  token_not_found: credential('the token does not exist there'),
  token_expired: credential('the token has expired'),
  unsupported_authorization: credential('it is of a kind that the server does not take'),
  unauthenticated: credential('it was not recognised'),
  user_requested: credential('the account waits for approval'),
  user_rejected: credential('the account was rejected'),
  user_suspended: credential('the account is suspended'),
  validation: invalidField,
  field_value: invalidField,
  read_only_field: ({ field }) => ({
    code: 'FieldFixed',
    says: `keeps ${field ?? 'a field'} as it is once a device exists`,
    hint: 'another device may hold the id there: compare the EUIs of both',
  }),
  field_mask_paths: forbiddenPath,
  non_zero_path: forbiddenPath,
  no_join_eui: constant('InvalidField', 'needs a JoinEUI for the device', 'set the JoinEUI on the source'),
  no_dev_eui: constant('InvalidField', 'needs a DevEUI for the device', 'set the DevEUI on the source'),
  no_band_version: ({ attributes }) => ({
    code: 'InvalidField',
    says: `has no ${listOf(attributes['ver'])} for the band ${listOf(attributes['id'])}`,
    hint: 'set lorawanPhyVersion for this device in overrides',
  }),
  network_server_address_mismatch: addressMismatch,
  application_server_address_mismatch: addressMismatch,
  join_server_address_mismatch: addressMismatch,
  forbidden_id: ({ attributes }) => ({
    code: 'IdForbidden',
    says: `does not allow the id ${listOf(attributes['id'])}`,
    hint: 'set another deviceId for it in overrides',
  }),
  no_device_session: constant(
    'NoDeviceSession',
    'has no session of the device that a downlink could be queued for',
    'have the device join or send first, or queue the downlink later',
  ),
  key_not_found: ({ attributes }) => ({
    code: 'WrappedKey',
    says: `cannot unwrap a key of the device, it has no key encryption key ${listOf(attributes['label'])}`,
    hint: 'have the operator of the network restore it, or give the device new root keys',
  }),
  rate_limit_exceeded: constant(
    'RateLimited',
    'still refuses because of its rate limit',
    'run the command again later, or lower rollout.maxConcurrency',
  ),
  transaction_failed: constant(
    'ConcurrentWrite',
    'was writing the device for someone else at the same time',
    'run the command again',
  ),
}

const PLAN_UNKNOWN: Explain = ({ attributes }) => ({
  code: 'FrequencyPlanUnknown',
  says: `does not know the frequency plan ${listOf(attributes['id']) || '(none was given)'}`,
  hint: 'set frequencyPlan for this device in overrides to one that the network has',
})

const NOT_SERVED: Explain = (_, { registry }) => ({
  code: 'RegistryNotServed',
  says: `does not serve the ${registryName(registry)}`,
  ofHost: true,
  hint: 'check url, or name the host that serves it under servers; the Identity Server of the Cloud and the Sandbox is in eu1',
})

const byStatus = (status: number, details: ErrorDetails): Explain => {
  const told = details.name === undefined ? '' : ` (${details.namespace ?? ''}:${details.name})`
  if (status === 400 && details.name === undefined) return invalidField
  if (status === 401) return credential('it was not recognised')
  if (status === 403)
    return constant('MissingRight', `denies the request${told}`, 'check the rights of the API key')
  if (status === 429) return BY_NAME['rate_limit_exceeded'] as Explain
  if (status === 501) {
    return constant(
      'ApiUnsupported',
      'does not offer this request',
      'the server may be older than this tool knows',
    )
  }
  if (status >= 500) {
    return constant(
      'ServerError',
      `answered ${status}${told}`,
      'run the command again later; with the correlation id the operator finds it in the log',
    )
  }
  return constant(
    'Refused',
    `answered ${status}${told}`,
    'look up the name of the error in the documentation',
  )
}

const explainOf = (status: number, details: ErrorDetails): Explain => {
  const { name, namespace } = details
  if (status === 404 && name === undefined) return NOT_SERVED
  if (name === 'not_found')
    return namespace?.endsWith('frequencyplans') === true ? PLAN_UNKNOWN : absentDevice
  return (name === undefined ? undefined : BY_NAME[name]) ?? byStatus(status, details)
}

const ABORTED = 10

/** A refusal had no effect; after a timeout, an aborted transaction or a failure of the server it is not known. */
const effectOf = (status: number, details: ErrorDetails, read: boolean): 'none' | 'unknown' => {
  if (read || status === 429 || status === 501) return 'none'
  if (status >= 500 || status === 408 || status === 425 || status === 499) return 'unknown'
  return details.grpc === ABORTED ? 'unknown' : 'none'
}

/** The answer as the exception that the engine knows; nothing in it quotes a value that was sent. */
export const errorOf = (answer: HttpAnswer, asked: Asked): NetworkError => {
  const details = errorDetailsOf(answer.body)
  const { code, says, hint, ofHost } = explainOf(answer.status, details)(details, asked)
  const { namespace, name, correlationId, attributes, field } = details
  const told = field === undefined ? attributes : { ...attributes, field }
  return new NetworkError(
    code,
    `${ofHost ? '' : `the ${registryName(asked.registry)} at `}${asked.host} ${says}`,
    {
      effect: effectOf(answer.status, details, asked.read),
      request: asked.request,
      status: answer.status,
      ...(asked.registry === undefined ? {} : { registry: asked.registry }),
      ...(namespace === undefined || name === undefined ? {} : { name: `${namespace}:${name}` }),
      ...(Object.keys(told).length === 0 ? {} : { attributes: told }),
      ...(correlationId === undefined ? {} : { correlationId }),
    },
    { hint },
  )
}

/** A finding of the adapter itself, about one registry, before or in place of a request. */
export const ownError = (code: string, message: string, asked: Asked, hint: string): NetworkError =>
  new NetworkError(
    code,
    message,
    {
      effect: 'none',
      request: asked.request,
      ...(asked.registry === undefined ? {} : { registry: asked.registry }),
    },
    { hint },
  )

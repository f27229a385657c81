/** One entry of the error catalogue (API notes, section 3.3). */
export interface ErrorDefinition {
  readonly namespace: string
  readonly name: string
  readonly format: string
  readonly code: number
}

const define = (code: number, namespace: string, name: string, format: string): ErrorDefinition => ({
  namespace: `pkg/${namespace}`,
  name,
  format,
  code,
})

const unknown = 2
const invalid = 3
const notFound = 5
const exists = 6
const denied = 7
const precondition = 9
const unauthenticated = 16

/** The errors that the simulator answers with; names and formats are those of the recordings and the API notes. */
export const errors = {
  validation: define(invalid, 'errors', 'validation', 'invalid `{field}`: {reason}'),
  fieldMaskPaths: define(
    invalid,
    'rpcmiddleware/validator',
    'field_mask_paths',
    'forbidden path(s) in field mask',
  ),
  nonZeroPath: define(invalid, 'rpcmiddleware/validator', 'non_zero_path', 'path `{path}` is not zero'),
  token: define(invalid, 'auth', 'token', 'invalid token'),
  apiKeyNotFound: define(unauthenticated, 'identityserver', 'api_key_not_found', 'API key not found'),
  storeApiKeyNotFound: define(
    notFound,
    'identityserver/store',
    'api_key_not_found',
    'api key with id `{api_key_id}` not found',
  ),
  tokenNotFound: define(unauthenticated, 'identityserver', 'token_not_found', 'token not found'),
  invalidAuthorization: define(
    unauthenticated,
    'identityserver',
    'invalid_authorization',
    'invalid authorization',
  ),
  unsupportedAuthorization: define(
    unauthenticated,
    'identityserver',
    'unsupported_authorization',
    'unsupported authorization method',
  ),
  unauthenticated: define(unauthenticated, 'identityserver', 'unauthenticated', 'unauthenticated'),
  apiKeyExpired: define(unauthenticated, 'identityserver', 'api_key_expired', 'api key expired'),
  noApplicationRights: define(
    denied,
    'auth/rights',
    'no_application_rights',
    'no rights for application `{uid}`',
  ),
  insufficientApplicationRights: define(
    denied,
    'auth/rights',
    'insufficient_application_rights',
    'insufficient rights for application `{uid}`',
  ),
  noGatewayRights: define(denied, 'auth/rights', 'no_gateway_rights', 'no rights for gateway `{uid}`'),
  insufficientGatewayRights: define(
    denied,
    'auth/rights',
    'insufficient_gateway_rights',
    'insufficient rights for gateway `{uid}`',
  ),
  noUserRights: define(denied, 'auth/rights', 'no_user_rights', 'no rights for user `{uid}`'),
  adminsPurge: (entities: string): ErrorDefinition =>
    define(denied, 'identityserver', `admins_purge_${entities}`, `${entities} may only be purged by admins`),
  idTaken: define(exists, 'util/store', 'id_taken', 'ID already taken, choose a different one and try again'),
  alreadyExists: define(exists, 'util/store', 'already_exists', 'already exists'),
  isEuisTaken: define(
    exists,
    'identityserver',
    'end_device_euis_taken',
    'an end device with JoinEUI `{join_eui}` and DevEUI `{dev_eui}` is already registered as `{device_id}` in application `{application_id}`',
  ),
  euisTaken: define(
    exists,
    'internal/registry',
    'end_device_euis_taken',
    'an end device with JoinEUI `{join_eui}` and DevEUI `{dev_eui}` is already registered as `{device_id}` in application `{application_id}`',
  ),
  gatewayEuiTaken: define(
    exists,
    'identityserver',
    'gateway_eui_taken',
    'a gateway with EUI `{gateway_eui}` is already registered (by you or someone else) as `{gateway_id}`',
  ),
  endDeviceNotFound: define(
    notFound,
    'identityserver/store',
    'end_device_not_found',
    'end device with id `{device_id}` not found in application with id `{application_id}`',
  ),
  applicationNotFound: define(
    notFound,
    'identityserver/store',
    'application_not_found',
    'application with id `{application_id}` not found',
  ),
  pubSubNotFound: define(notFound, 'applicationserver/io/pubsub', 'pub_sub_not_found', 'pub/sub not found'),
  webhookNotFound: define(notFound, 'applicationserver/io/web', 'webhook_not_found', 'webhook not found'),
  gatewayNotFound: define(
    notFound,
    'identityserver/store',
    'gateway_not_found',
    'gateway with id `{gateway_id}` not found',
  ),
  userNotFound: define(
    notFound,
    'identityserver/store',
    'user_not_found',
    'user with id `{user_id}` not found',
  ),
  redisNotFound: define(notFound, 'redis', 'not_found', 'entity not found'),
  nsDeviceNotFound: define(notFound, 'networkserver', 'device_not_found', 'device not found'),
  jsDeviceNotFound: define(notFound, 'joinserver', 'device_not_found', 'device not found'),
  asDeviceNotFound: define(
    notFound,
    'applicationserver',
    'device_not_found',
    'device `{device_uid}` not found',
  ),
  asNoFPort: define(invalid, 'applicationserver', 'no_f_port', 'no FPort'),
  asNoPayload: define(invalid, 'applicationserver', 'no_payload', 'no payload'),
  asNoDeviceSession: define(
    precondition,
    'applicationserver',
    'no_device_session',
    'no device session; check device activation',
  ),
  asRebuild: define(10, 'applicationserver', 'rebuild', 'rebuild device session; check device address'),
  asFetchAppSKey: define(2, 'applicationserver', 'app_s_key', 'get AppSKey'),
  asMaxRetries: define(
    invalid,
    'applicationserver',
    'downlink_max_retries_invalid',
    'downlink maximum retries exceed configured maximum of {max}',
  ),
  nsDownlinkTooLong: define(
    invalid,
    'networkserver',
    'application_downlink_too_long',
    "application downlink payload length `{length}` exceeds maximum '{max}'",
  ),
  nsConfirmedMulticast: define(
    invalid,
    'networkserver',
    'confirmed_multicast_downlink',
    'confirmed downlink queued for multicast device',
  ),
  nsNoPath: define(notFound, 'networkserver', 'no_downlink_path', 'no downlink path available'),
  nsExpiredDownlink: define(precondition, 'networkserver', 'downlink_expired', 'queued downlink is expired'),
  nsUnknownMacState: define(precondition, 'networkserver', 'unknown_mac_state', 'MAC state is unknown'),
  planNotFound: define(notFound, 'frequencyplans', 'not_found', 'frequency plan `{id}` not found'),
  notConnected: define(notFound, 'gatewayserver', 'not_connected', 'gateway `{gateway_uid}` not connected'),
  someGatewaysNotFound: define(
    notFound,
    'identityserver',
    'some_gateways_not_found',
    'some gateways not found',
  ),
  nsFieldValue: define(invalid, 'networkserver', 'field_value', 'invalid value of field `{field}`'),
  nsFieldIsZero: define(invalid, 'networkserver', 'field_is_zero', 'field `{name}` is zero'),
  nsFieldNotZero: define(invalid, 'networkserver', 'field_not_zero', 'field `{name}` is not zero'),
  fieldBound: define(invalid, 'ttnpb', 'field_bound', '`{field}` should be between `{min}` and `{max}`'),
  noBandVersion: define(
    invalid,
    'networkserver/internal',
    'no_band_version',
    'specified version `{ver}` of band `{id}` does not exist',
  ),
  bandMismatch: define(
    invalid,
    'networkserver',
    'device_and_frequency_plan_band_mismatch',
    'device band ID and frequency plan band ID do not match',
  ),
  jsFieldValue: define(invalid, 'joinserver', 'field_value', 'invalid value of field `{field}`'),
  asFieldValue: define(invalid, 'applicationserver', 'field_value', 'invalid value of field `{field}`'),
  noJoinEui: define(invalid, 'joinserver', 'no_join_eui', 'no JoinEUI specified'),
  noDevEui: define(invalid, 'joinserver', 'no_dev_eui', 'no DevEUI specified'),
  nsReadOnly: define(invalid, 'networkserver/redis', 'read_only_field', 'read-only field `{field}`'),
  jsReadOnly: define(invalid, 'joinserver/redis', 'read_only_field', 'read-only field `{field}`'),
  asReadOnly: define(invalid, 'applicationserver/redis', 'read_only_field', 'read-only field `{field}`'),
  pictureNotFetched: define(unknown, 'blob', 'not_found', 'blob not found'),
  forbiddenId: define(
    invalid,
    'identityserver/blocklist',
    'forbidden_id',
    'the ID `{id}` can not be registered',
  ),
  addressMismatch: (server: string): ErrorDefinition =>
    define(
      invalid,
      'identityserver',
      `${server}_server_address_mismatch`,
      `${server} server address \`{address}\` does not match \`{expected}\``,
    ),
  applicationHasDevices: define(
    precondition,
    'identityserver',
    'application_has_devices',
    'application still has `{count}` devices',
  ),
  devEuiIssuing: define(
    precondition,
    'identityserver',
    'dev_eui_issuing_not_enabled',
    'DevEUI issuing not configured',
  ),
  rateLimitExceeded: define(
    8,
    'ratelimit',
    'rate_limit_exceeded',
    'rate limit of `{rate}` accesses per minute exceeded for resource `{key}`',
  ),
}

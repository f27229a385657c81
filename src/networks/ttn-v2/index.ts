import type { DeviceRecord } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { TtnV2End } from '../../domain/migration-plan.ts'
import type { Formatters, NetworkPort } from '../../domain/ports.ts'
import type { Secret } from '../../domain/secret.ts'
import { createHttpClient, type Environment, systemTiming, type Wait } from '../../http/index.ts'
import { type Api, createApi } from './api.ts'
import { unsupported } from './errors.ts'
import { listDevices } from './listing.ts'
import { recordOf } from './mapping.ts'
import { formattersOf } from './payload-functions.ts'
import { createThrottle, requestsPerSecond } from './throttle.ts'
import { clearKeys, putBack, replaceAppKey } from './writing.ts'

export interface TtnV2Options {
  readonly end: TtnV2End
  readonly accessKey: Secret
  readonly maxConcurrency: number
  readonly env: Environment
  readonly ca?: string
  readonly signal?: AbortSignal
  readonly onWait?: (wait: Wait) => void
}

/** The host by which a plan knows it: that of the handler, or of the discovery server that names it. */
export const v2Host = ({ address }: TtnV2End): string =>
  new URL('handler' in address ? address.handler : address.discovery).host

/** The application's own record, for which a key needs the right settings. */
const readFormatters = async (api: Api): Promise<Formatters | undefined> => {
  const { body } = await api.call({ method: 'GET', path: api.applicationPath })
  const held = (body ?? {}) as Readonly<Record<string, unknown>>
  const text = (name: string): string => (typeof held[name] === 'string' ? held[name] : '')
  return formattersOf({
    format: text('payload_format'),
    decoder: text('decoder'),
    converter: text('converter'),
    validator: text('validator'),
    encoder: text('encoder'),
  })
}

/** One device of the list shows whether the key may read; each refusal a finding. */
const preflight = async (api: Api): Promise<readonly Diagnostic[]> => {
  try {
    await api.call({ method: 'GET', path: api.devicesPath(), query: { limit: '1' } })
    return []
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    const isMistake = error.refusesCredentials || error.code === 'ApplicationNotFound'
    if (!isMistake) throw error
    const { code, message, hint } = error
    return [{ code, severity: 'error', message, ...(hint === undefined ? {} : { hint }) }]
  }
}

/**
 * An application of a The Things Network Stack V2 as the engine sees it: it can be read and left. Its devices are
 * stopped by clearing, for it can not be told to be silent. Throws `FerryError` for a key or an address that can not be
 * used at all; nothing is asked before the first method.
 */
export const createTtnV2 = (options: TtnV2Options): NetworkPort => {
  const { end } = options
  const host = v2Host(end)
  const client = createHttpClient({
    env: options.env,
    maxConcurrency: options.maxConcurrency,
    insecure: end.insecure,
    ca: options.ca,
    signal: options.signal,
    onWait: options.onWait,
  })
  const api = createApi({
    end,
    accessKey: options.accessKey,
    client,
    pace: createThrottle(requestsPerSecond(options.env), options.signal),
    sleep: (milliseconds) => systemTiming.sleep(milliseconds, options.signal),
  })
  const read = async (deviceId: string): Promise<DeviceRecord> => {
    const answer = await api.callDevice({ method: 'GET', path: api.devicesPath(deviceId) })
    return answer === undefined ? { ids: { deviceId }, registries: {} } : recordOf(answer.body, end.defaults)
  }
  const never = (what: string) => async (): Promise<never> => {
    throw unsupported(what, host)
  }
  return {
    identity: { network: end.network, host, application: end.application },
    preflight: () => preflight(api),
    facts: async () => ({ devAddrPrefixes: [], frequencyPlans: [], phyVersions: {}, serverAddresses: {} }),
    defaultMacSettings: async () => ({}),
    list: () => listDevices(api),
    elsewhere: async () => [],
    read,
    readSession: async (deviceId) => (await read(deviceId)).registries['network-server'],
    formatters: () => readFormatters(api),
    downlinkQueue: async () => undefined,
    pushDownlinks: never('be sent downlinks over its HTTP API'),
    replaceDownlinks: never('be sent downlinks over its HTTP API'),
    newDevAddr: never('give a DevAddr'),
    write: (write) => replaceAppKey(api, host, read, write),
    // All that it holds of a device is one record.
    remove: async (_registry, { deviceId }) =>
      (await api.callDevice({ method: 'DELETE', path: api.devicesPath(deviceId) })) === undefined
        ? 'absent'
        : 'done',
    clearing: {
      clearKeys: (seen) => clearKeys(api, seen),
      putBack: (record) => putBack(api, record),
    },
    close: () => client.close(),
  }
}

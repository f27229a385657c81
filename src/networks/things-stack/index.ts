import { REGISTRIES } from '../../domain/device.ts'
import type { Json } from '../../domain/json.ts'
import type { ThingsStackEnd } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'
import type { Secret } from '../../domain/secret.ts'
import { createHttpClient, type Environment, type HttpOptions, type Wait } from '../../http/index.ts'
import { createApi } from './api.ts'
import { applicationOf } from './application.ts'
import { readElsewhere } from './elsewhere.ts'
import { readDefaultMacSettings, readFacts, readNewDevAddr } from './facts.ts'
import { readFormatters, writeFormatters } from './formatters.ts'
import { gatewaysOf } from './gateways.ts'
import { listDevices, readLastSeen } from './listing.ts'
import { preflight } from './preflight.ts'
import { pushDownlinks, readDownlinkQueue, replaceDownlinks } from './queue.ts'
import { createDeviceReader, readSession } from './reading.ts'
import { refuseUnsafe, serverUrls } from './servers.ts'
import { removeDevice, writeDevice } from './writing.ts'

export { serverUrls } from './servers.ts'

export interface ThingsStackOptions {
  readonly end: ThingsStackEnd
  readonly apiKey: Secret
  /** Requests at once for each host, at most. */
  readonly maxConcurrency: number
  /** For the proxy variables. */
  readonly env: Environment
  /** Content of the file that `end.caFile` names. */
  readonly ca?: string
  readonly signal?: AbortSignal
  /** Told whenever a request waits before it is tried again. */
  readonly onWait?: (wait: Wait) => void
  /** Timeouts and patience of the HTTP client, for tests. */
  readonly http?: Partial<Pick<HttpOptions, 'patience' | 'timing' | 'answerTimeout' | 'connectTimeout'>>
}

/**
 * An application of a The Things Stack (3.12 and newer) as the engine sees it. Throws `FerryError` for a
 * credential, a CA file, an address or a proxy that cannot be used at all; nothing is asked before the first method.
 */
export const createThingsStack = (options: ThingsStackOptions): NetworkPort => {
  const { end } = options
  const urls = serverUrls(end)
  refuseUnsafe(end, urls)
  const client = createHttpClient({
    env: options.env,
    maxConcurrency: options.maxConcurrency,
    insecure: end.insecure,
    ca: options.ca,
    signal: options.signal,
    onWait: options.onWait,
    ...options.http,
  })
  const api = createApi(client, urls, end.application, options.apiKey)
  // Its devices join by one that is no part of the network.
  const registries = REGISTRIES.filter((name) => name !== 'join-server' || end.joinServer !== 'none')
  const defaults = new Map<string, Promise<Readonly<Record<string, Json>>>>()
  return {
    identity: { network: end.network, host: new URL(urls.network).host, application: end.application },
    preflight: (intent, needs = []) => preflight(api, registries, intent, needs, Date.now()),
    facts: () => readFacts(api),
    defaultMacSettings: (frequencyPlan, phyVersion) => {
      const key = `${frequencyPlan} ${phyVersion}`
      const known = defaults.get(key)
      if (known !== undefined) return known
      const asked = readDefaultMacSettings(api, frequencyPlan, phyVersion)
      defaults.set(key, asked)
      asked.catch(() => defaults.delete(key))
      return asked
    },
    list: () => listDevices(api),
    elsewhere: () =>
      readElsewhere(api, (application) => createApi(client, urls, application, options.apiKey)),
    read: createDeviceReader(api, registries),
    readSession: (deviceId) => readSession(api, deviceId),
    downlinkQueue: (deviceId) => readDownlinkQueue(api, deviceId),
    pushDownlinks: (deviceId, downlinks) => pushDownlinks(api, deviceId, downlinks),
    replaceDownlinks: (deviceId, downlinks) => replaceDownlinks(api, deviceId, downlinks),
    newDevAddr: () => readNewDevAddr(api),
    formatters: () => readFormatters(api),
    setFormatters: (formatters) => writeFormatters(api, formatters),
    lastSeen: () => readLastSeen(api),
    application: applicationOf(api),
    gateways: gatewaysOf(api),
    write: (write) => writeDevice(api, write),
    remove: (registry, ids) => removeDevice(api, registry, ids),
    close: () => client.close(),
  }
}

import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { QueuedDownlink } from '../../domain/ports.ts'
import type { Api } from './api.ts'
import { arrayOf, type JsonObject, objectOf, textOf } from './json-tree.ts'

const REGISTRY = 'application-server'

/** Correlation ids that the servers add to a downlink by themselves (`pkg/events`): those of one network's calls. */
const OF_THE_NETWORK = /^(?:rpc:\/|(?:as|gs|js|ns):[a-z_:]+:[0-9A-Z]{26}$)/

const downlinkOf = (item: Json): QueuedDownlink => {
  const { f_port, frm_payload, confirmed, priority, class_b_c, correlation_ids } = objectOf(item) ?? {}
  const classBC = objectOf(class_b_c)
  const named = textOf(priority)
  return {
    fPort: typeof f_port === 'number' ? f_port : 0,
    payload: textOf(frm_payload) ?? '',
    confirmed: confirmed === true,
    ...(named === undefined ? {} : { priority: named }),
    ...(classBC === undefined ? {} : { classBC }),
    correlationIds: arrayOf(correlation_ids).filter(
      (id): id is string => typeof id === 'string' && !OF_THE_NETWORK.test(id),
    ),
  }
}

/**
 * The queue of a device, decrypted by the Application Server, which tells the downlinks of the session that it would
 * send in and no others; where payloads pass it encrypted (`skip_payload_crypto`), they stay so. Empty for a device
 * that it does not know or that has no session. Undefined where the credential may not see it
 * (`RIGHT_APPLICATION_TRAFFIC_READ`).
 */
export const readDownlinkQueue = async (
  api: Api,
  deviceId: string,
): Promise<readonly QueuedDownlink[] | undefined> => {
  const path = `${api.devicesPath(REGISTRY, deviceId)}/down`
  try {
    const answer = await api.callDevice({ method: 'GET', registry: REGISTRY, path })
    return arrayOf(objectOf(answer?.body)?.['downlinks']).map(downlinkOf)
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    if (error.code === 'MissingRight') return undefined
    if (error.code === 'NoDeviceSession') return []
    throw error
  }
}

const bodyOf = ({
  fPort,
  payload,
  confirmed,
  priority,
  classBC,
  correlationIds,
}: QueuedDownlink): JsonObject => ({
  f_port: fPort,
  frm_payload: payload,
  ...(confirmed ? { confirmed } : {}),
  ...(priority === undefined ? {} : { priority }),
  ...(classBC === undefined ? {} : { class_b_c: classBC }),
  ...(correlationIds.length === 0 ? {} : { correlation_ids: correlationIds }),
})

/**
 * Appends downlinks to the queue of a device, in one request, which the server takes whole or not at all. A POST:
 * the HTTP client sends it again only where it certainly had no effect.
 */
export const pushDownlinks = async (
  api: Api,
  deviceId: string,
  downlinks: readonly QueuedDownlink[],
): Promise<void> => {
  if (downlinks.length > 0) await send(api, deviceId, 'push', downlinks)
}

/** The queue of a device becomes these downlinks; can be sent again. */
export const replaceDownlinks = (
  api: Api,
  deviceId: string,
  downlinks: readonly QueuedDownlink[],
): Promise<void> => send(api, deviceId, 'replace', downlinks)

const send = async (
  api: Api,
  deviceId: string,
  verb: 'push' | 'replace',
  downlinks: readonly QueuedDownlink[],
): Promise<void> => {
  const path = `${api.devicesPath(REGISTRY, deviceId)}/down/${verb}`
  await api.call({ method: 'POST', registry: REGISTRY, path, body: { downlinks: downlinks.map(bodyOf) } })
}

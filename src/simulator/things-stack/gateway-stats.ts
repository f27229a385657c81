import { isMessage, type Message } from '../json/types.ts'
import { requestInvalid } from '../json/validate.ts'
import { type Call, param, type Route } from './call.ts'
import { errors, fail } from './errors.ts'
import { gatewayOf } from './gateways.ts'
import { requireGateway } from './rights.ts'

const stats: Route = {
  method: 'GET',
  path: '/gs/gateways/:gateway/connection/stats',
  rpc: '/ttn.lorawan.v3.Gs/GetGatewayConnectionStats',
  registry: 'gs',
  prepare: (call) => ({
    entity: `gateway:${param(call, 'gateway')}`,
    run: () => {
      const id = param(call, 'gateway')
      requireGateway(call.network, call.credentials(), id, 'STATUS_READ')
      gatewayOf(call.network, id)
      const found = call.network.gatewayStats.get(id)
      if (found === undefined)
        throw fail(errors.notConnected, { gateway_uid: id }, fail(errors.redisNotFound))
      return { body: found }
    },
  }),
}

const batchRequest = 'BatchGetGatewayConnectionStatsRequest'

const readIds = ({ body }: Call): readonly string[] => {
  const given = body['gateway_ids']
  const ids = Array.isArray(given)
    ? given.map((item) => (isMessage(item) ? String(item['gateway_id'] ?? '') : ''))
    : []
  if (ids.length >= 1 && ids.length <= 100) return ids
  throw requestInvalid(batchRequest, 'gateway_ids', 'value must contain between 1 and 100 items, inclusive')
}

const batchStats: Route = {
  method: 'POST',
  path: '/gs/gateways/connection/stats',
  rpc: '/ttn.lorawan.v3.Gs/BatchGetGatewayConnectionStats',
  registry: 'gs',
  prepare: (call) => {
    const ids = readIds(call)
    return {
      run: () => {
        if (!ids.every((id) => call.network.gateways.has(id))) throw fail(errors.someGatewaysNotFound)
        for (const id of ids) requireGateway(call.network, call.credentials(), id, 'STATUS_READ')
        const entries = ids.flatMap((id): [string, Message][] => {
          const found = call.network.gatewayStats.get(id)
          return found === undefined ? [] : [[id, found]]
        })
        return { body: entries.length === 0 ? {} : { entries: Object.fromEntries(entries) } }
      },
    }
  },
}

/** Connection statistics of gateways (API notes, section 13.2). */
export const gatewayStatsRoutes: readonly Route[] = [batchStats, stats]

import { notFound, plainText } from './errors.ts'
import { answered, type V2Answer } from './handler.ts'
import type { V2Network } from './network.ts'

interface Announced {
  readonly id: string
  readonly service_name: string
  readonly service_version: string
  readonly net_address: string
  readonly public_key: string
  readonly certificate: string
  readonly api_address?: string
  readonly metadata?: readonly Readonly<Record<string, string>>[]
}

const announced = (service: string, id: string, port: number): Announced => ({
  id,
  service_name: service,
  service_version: '2.x.x-simulated',
  net_address: `localhost:${port}`,
  public_key: '-----BEGIN PUBLIC KEY-----\nsimulated\n-----END PUBLIC KEY-----\n',
  certificate: '-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----\n',
})

/** What has announced itself: one of each component. The handler names its applications. */
const servicesOf = (network: V2Network, kind: string, handlerUrl: string): readonly Announced[] => {
  switch (kind) {
    case 'handler': {
      const metadata = [...network.applications.keys()].map((app_id) => ({ app_id }))
      const handler = { ...announced('handler', network.handlerId, 1904), api_address: handlerUrl }
      return [metadata.length === 0 ? handler : { ...handler, metadata }]
    }
    case 'broker':
      return [{ ...announced('broker', 'local-broker', 1902), metadata: [{ dev_addr_prefix: 'FCYAAAA=' }] }]
    case 'router':
      return [announced('router', 'local-router', 1901)]
    default:
      return []
  }
}

const ROUTE = /^\/announcements\/(?<kind>[a-z]+)(?:\/(?<id>[^/]+))?$/

/** Answers one request of the discovery server, which asks nobody who they are (V2 notes, section 2). */
export const answerDiscovery = (
  network: V2Network,
  handlerUrl: string,
  method: string,
  target: string,
): V2Answer => {
  const { kind, id } = ROUTE.exec(target.split('?')[0] ?? '')?.groups ?? {}
  if (kind === undefined) return plainText(404, 'Not Found')
  if (method !== 'GET') return plainText(405, 'Method Not Allowed')
  const services = servicesOf(network, kind, handlerUrl)
  if (id === undefined) return answered(() => ({ body: services.length === 0 ? {} : { services } }))
  return answered(() => {
    const found = services.find((service) => service.id === id)
    if (found === undefined) throw notFound(`discovery:announcement:${kind}:${id}`)
    return { body: found }
  })
}

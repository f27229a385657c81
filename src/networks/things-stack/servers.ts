import type { Registry } from '../../domain/device.ts'
import { identityOriginOf, isLoopback } from '../../domain/hosts.ts'
import type { ServerUrls, ThingsStackEnd } from '../../domain/migration-plan.ts'
import { refuseUnsafe as refuseUnsafeOrigin } from '../sending.ts'

/**
 * The origin of each registry: what the plan names as `servers`, else the origin of `url`. In the Cloud and the
 * Sandbox the Identity Server of every region is that of eu1 (documentation of the vendor, server addresses).
 */
export const serverUrls = (end: ThingsStackEnd): ServerUrls => {
  const url = new URL(end.url)
  const named = (origin: string | undefined) => (origin === undefined ? undefined : new URL(origin).origin)
  return {
    identity: named(end.servers.identity) ?? identityOriginOf(url),
    join: named(end.servers.join) ?? url.origin,
    network: named(end.servers.network) ?? url.origin,
    application: named(end.servers.application) ?? url.origin,
  }
}

export const originOf = (urls: ServerUrls, registry: Registry): string => {
  switch (registry) {
    case 'identity-server':
      return urls.identity
    case 'join-server':
      return urls.join
    case 'network-server':
      return urls.network
    case 'application-server':
      return urls.application
  }
}

/** Before any registry gets the API key. */
export const refuseUnsafe = (end: ThingsStackEnd, urls: ServerUrls): void => {
  for (const origin of Object.values(urls) as readonly string[])
    refuseUnsafeOrigin(origin, end.insecure, 'API key')
}

/**
 * What a device of this network carries as server addresses. They are host names without port, for a port in them
 * would be that of gRPC; a server on plain http or on this machine has no address that others could use, and is
 * left out.
 */
export const serverAddresses = (urls: ServerUrls): Record<string, string> => {
  const addresses: Record<string, string> = {}
  const tell = (field: string, origin: string) => {
    const url = new URL(origin)
    if (url.protocol === 'https:' && !isLoopback(url.hostname)) addresses[field] = url.hostname
  }
  tell('network_server_address', urls.network)
  tell('application_server_address', urls.application)
  tell('join_server_address', urls.join)
  return addresses
}

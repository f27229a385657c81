import { accessRoutes } from './access.ts'
import { applicationServerRoutes } from './application-server.ts'
import { applicationRoutes } from './applications.ts'
import type { Route } from './call.ts'
import { configurationRoutes } from './configuration.ts'
import { downlinkQueueRoutes } from './downlink-queue.ts'
import { gatewayStatsRoutes } from './gateway-stats.ts'
import { gatewayRoutes } from './gateways.ts'
import { identityServerRoutes } from './identity-server.ts'
import { joinServerRoutes } from './join-server.ts'
import { networkServerRoutes } from './network-server.ts'

interface Compiled {
  readonly route: Route
  readonly pattern: RegExp
  readonly names: readonly string[]
}

const compile = (route: Route): Compiled => {
  const names: string[] = []
  const pattern = route.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    names.push(name)
    return '([^/]+)'
  })
  return { route, pattern: new RegExp(`^${pattern}$`), names }
}

const table: readonly Compiled[] = [
  ...identityServerRoutes,
  ...networkServerRoutes,
  ...joinServerRoutes,
  ...downlinkQueueRoutes,
  ...applicationServerRoutes,
  ...accessRoutes,
  ...applicationRoutes,
  ...gatewayStatsRoutes,
  ...gatewayRoutes,
  ...configurationRoutes,
].map(compile)

/** What the router found: a route, a known path with another verb (501), or nothing (404). */
export type Match =
  | { readonly found: 'route'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly found: 'other-verb'; readonly route: Route }
  | { readonly found: 'nothing' }

/** Finds the route of a request; the path is without `/api/v3`. Earlier rows win. */
export const matchRoute = (method: string, path: string): Match => {
  let other: Route | undefined
  for (const { route, pattern, names } of table) {
    const hit = pattern.exec(path)
    if (hit === null) continue
    if (route.method !== method) {
      other ??= route
      continue
    }
    const params = Object.fromEntries(
      names.map((name, index) => [name, decodeURIComponent(hit[index + 1] ?? '')]),
    )
    return { found: 'route', route, params }
  }
  return other === undefined ? { found: 'nothing' } : { found: 'other-verb', route: other }
}

import type { ThingsStackEnd } from '../../../src/domain/migration-plan.ts'
import type { NetworkPort } from '../../../src/domain/ports.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { createThingsStack } from '../../../src/networks/things-stack/index.ts'
import { fakeTiming } from '../http/clock.ts'
import { json, type Seen, startServer, type TestServer } from '../http/servers.ts'

/** Status, body and headers; undefined is a route that the host does not serve. */
export type Reply =
  | readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>]
  | undefined

export interface Stub extends TestServer {
  open(servers?: ThingsStackEnd['servers']): NetworkPort
}

export const API_KEY = `NNSXS.${'K'.repeat(39)}.${'S'.repeat(52)}`

export const notFound = (namespace: string, name: string): Reply => [
  404,
  { code: 5, message: 'error', details: [{ namespace, name, correlation_id: '1'.repeat(32), code: 5 }] },
]

/** A host that answers as a table tells; the port is opened on the application `app`. */
export const startStub = async (reply: (seen: Seen, url: URL) => Reply): Promise<Stub> => {
  const server = await startServer((seen, response) => {
    const found = reply(seen, new URL(seen.path, 'http://stub'))
    if (found === undefined) return json(response, 404, { code: 5, message: 'Not Found' })
    const [status, body, headers] = found
    json(response, status, body, headers)
  })
  const ports: NetworkPort[] = []
  return {
    ...server,
    open: (servers = {}) => {
      const port = createThingsStack({
        end: {
          network: 'things-stack',
          url: server.url,
          servers,
          application: 'app',
          apiKey: { env: 'KEY' },
          insecure: true,
        },
        apiKey: new Secret(API_KEY),
        maxConcurrency: 4,
        env: {},
        http: { timing: fakeTiming(), patience: { attempts: 3 } },
      })
      ports.push(port)
      return port
    },
    close: async () => {
      for (const port of ports) await port.close()
      await server.close()
    },
  }
}

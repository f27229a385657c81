import { randomBytes } from 'node:crypto'
import type { ThingsStackEnd } from '../../src/domain/migration-plan.ts'
import type { NetworkPort } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createThingsStack } from '../../src/networks/things-stack/index.ts'

/** A server to hold the adapter against, with a key that has all rights of a user. */
export interface Server {
  readonly url: string
  readonly apiKey: string
}

/** A fresh application on a server, and what is needed to look at it from outside the adapter. */
export interface Bench {
  readonly application: string
  readonly key: Secret
  /** The adapter on this application, or on another, with this key or another. */
  open(options?: { readonly key?: Secret; readonly application?: string }): NetworkPort
  /** A key of the application with these rights. */
  keyWith(rights: readonly string[], application?: string): Promise<Secret>
  newApplication(): Promise<string>
  api(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }>
  close(): Promise<void>
}

const endOf = (url: string, application: string): ThingsStackEnd => ({
  network: 'things-stack',
  url,
  servers: {},
  application,
  apiKey: { env: 'UNUSED' },
  insecure: true,
})

export const randomId = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`

/** EUIs of the documentation's range would clash between runs; these are locally administered and random. */
export const randomEui = (): string => `FE${randomBytes(7).toString('hex').toUpperCase()}`
export const randomKey = (): string => randomBytes(16).toString('hex').toUpperCase()

const PREFIXES = ['/as', '/ns', '/js', '']

export const createBench = async (server: Server): Promise<Bench> => {
  const api: Bench['api'] = async (method, path, body) => {
    const answer = await fetch(`${server.url}/api/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${server.apiKey}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const must = async (method: string, path: string, body?: unknown, tries = 5): Promise<unknown> => {
    const answer = await api(method, path, body)
    if (answer.status >= 500 && tries > 1) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return must(method, path, body, tries - 1)
    }
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body
  }
  const applications: string[] = []
  const ports: NetworkPort[] = []
  const newApplication = async (): Promise<string> => {
    const application = randomId('ferry-contract')
    await must('POST', '/users/admin/applications', {
      application: { ids: { application_id: application } },
    })
    applications.push(application)
    return application
  }
  const emptied = async (application: string) => {
    for (;;) {
      const listed = (await must('GET', `/applications/${application}/devices?limit=20`)) as {
        readonly end_devices?: readonly { readonly ids: { readonly device_id: string } }[]
      }
      const ids = (listed.end_devices ?? []).map((device) => `device_ids=${device.ids.device_id}`)
      if (ids.length === 0) return
      for (const prefix of PREFIXES) {
        await must('DELETE', `${prefix}/applications/${application}/devices/batch?${ids.join('&')}`)
      }
    }
  }
  const application = await newApplication()
  const key = new Secret(server.apiKey)
  return {
    application,
    key,
    api,
    newApplication,
    open: (options = {}) => {
      const port = createThingsStack({
        end: endOf(server.url, options.application ?? application),
        apiKey: options.key ?? key,
        maxConcurrency: 16,
        env: {},
      })
      ports.push(port)
      return port
    },
    keyWith: async (rights, of = application) => {
      const made = await must('POST', `/applications/${of}/api-keys`, { name: 'contract', rights })
      return new Secret((made as { readonly key: string }).key)
    },
    close: async () => {
      for (const port of ports) await port.close()
      for (const one of applications) {
        await emptied(one)
        await must('DELETE', `/applications/${one}`)
        await api('DELETE', `/applications/${one}/purge`)
      }
    },
  }
}

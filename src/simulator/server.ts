import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HttpBindings, serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { type ControlAnswer, type ControlState, control, type PortState } from './control.ts'
import { type Answer, dispatch, routeRequest, type Serves } from './dispatch.ts'
import type { Fault } from './faults.ts'
import type { Registry } from './things-stack/call.ts'

/** A request as it came in; names of headers in lower case. */
interface PortRequest {
  readonly method: string
  /** Path behind the prefix of the API, with its query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One network behind one port. */
export interface Port {
  readonly state: PortState
  readonly latencyMs: number
  /** Before every path of its API; what lies elsewhere comes with an empty target. */
  readonly prefix: string
  /** Which part of the network a request is for, where it has parts. */
  readonly registryOf: (method: string, target: string) => Registry | undefined
  /** @param stale answer reads with the values before the last write */
  readonly answer: (request: PortRequest, stale: boolean) => Answer
  readonly control: (method: string, path: string, text: string) => ControlAnswer
  /** Told of each request, in the order of the answers. */
  readonly onAnswer?: (request: AnsweredRequest) => void
}

/** A request to the API as a port received it, and how it was answered. */
export interface AnsweredRequest {
  readonly method: string
  /** Absolute path with query. */
  readonly path: string
  readonly body: string
  /** 0 where the answer was kept back or torn. */
  readonly status: number
}

/** A simulated The Things Stack, or some of its registries. */
export const stackPort = (state: ControlState, serves: Serves, latencyMs: number): Port => ({
  state,
  latencyMs,
  prefix: '/api/v3',
  registryOf: (method, target) => {
    const match = routeRequest(serves, method, target)
    return match.found === 'nothing' ? undefined : match.route.registry
  },
  answer: ({ method, target, headers, body }, stale) => {
    const match = routeRequest(serves, method, target)
    const request = { method, target, authorization: headers['authorization'], body }
    return dispatch(state.network, state.limiter, match, request, stale)
  },
  control: (method, path, text) => control(state, method, path, text),
})

type Env = { Bindings: HttpBindings }

const controlPrefix = '/simulator/v1'

const send = (answer: Answer): Response =>
  new Response(answer.body, { status: answer.status, headers: answer.headers })

const truncate = (context: Context<Env>, answer: Answer): Response => {
  const { outgoing } = context.env
  const bytes = Buffer.from(answer.body)
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': String(bytes.length + 16) })
  outgoing.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => outgoing.destroy())
  return RESPONSE_ALREADY_SENT
}

const reset = (context: Context<Env>): Response => {
  const { incoming, outgoing } = context.env
  incoming.socket.resetAndDestroy()
  outgoing.destroy()
  return RESPONSE_ALREADY_SENT
}

const hold = (state: PortState, token: string): Promise<void> =>
  new Promise((resolve) => {
    state.held.set(token, [...(state.held.get(token) ?? []), resolve])
  })

/** Carries a fault out. The answer is what the client gets instead, or undefined when the request goes on. */
const strike = async (
  port: Port,
  context: Context<Env>,
  fault: Fault,
  answer: Answer,
): Promise<Response | undefined> => {
  const { action } = fault
  switch (action.kind) {
    case 'status': {
      const body = typeof action.body === 'string' ? action.body : JSON.stringify(action.body)
      return send({
        status: action.status,
        headers: { 'content-type': 'application/json', ...action.headers },
        body,
      })
    }
    case 'html':
      return send({
        status: action.status,
        headers: { 'content-type': 'text/html' },
        body: '<html><body><h1>Error</h1></body></html>',
      })
    case 'reset':
      return reset(context)
    case 'truncate':
      return truncate(context, answer)
    case 'hang':
      await sleep(action.milliseconds)
      return undefined
    case 'hold':
      await hold(port.state, action.token)
      return undefined
    case 'kill':
      process.kill(action.pid, 'SIGKILL')
      return fault.when === 'before' ? reset(context) : undefined
    case 'stale':
      return undefined
  }
}

const nothingYet: Answer = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"ids":{"device_id":"cut-o',
}

const answerApi = async (port: Port, context: Context<Env>, target: string): Promise<Response> => {
  const { state } = port
  const { method } = context.req
  const body = await context.req.text()
  if (port.latencyMs > 0) await sleep(port.latencyMs)
  const registry = port.registryOf(method, target)
  const faults = state.faults.meet({ method, path: target, registry })
  let isLogged = false
  const log = (status: number): void => {
    if (isLogged) return
    isLogged = true
    state.requests.push({ method, path: target, status })
    port.onAnswer?.({ method, path: `${port.prefix}${target}`, body, status })
  }
  // Whoever waits for the answer of a request that hangs may look at the log meanwhile.
  if (faults.some(({ action }) => action.kind === 'hang')) log(0)
  for (const fault of faults.filter(({ when }) => when === 'before')) {
    const instead = await strike(port, context, fault, nothingYet)
    if (instead === undefined) continue
    log(instead === RESPONSE_ALREADY_SENT ? 0 : instead.status)
    return instead
  }
  const stale = faults.some(({ action }) => action.kind === 'stale')
  const answer = port.answer({ method, target, headers: context.req.header(), body }, stale)
  for (const fault of faults.filter(({ when }) => when === 'after')) {
    const instead = await strike(port, context, fault, answer)
    if (instead === undefined) continue
    log(instead === RESPONSE_ALREADY_SENT ? 0 : instead.status)
    return instead
  }
  log(answer.status)
  return send(answer)
}

const createApp = (port: Port): Hono<Env> => {
  const app = new Hono<Env>()
  app.all('*', async (context) => {
    const url = new URL(context.req.url)
    if (url.pathname.startsWith(`${controlPrefix}/`)) {
      const { status, body } = port.control(
        context.req.method,
        url.pathname.slice(controlPrefix.length),
        await context.req.text(),
      )
      return send({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    }
    const target = url.pathname.startsWith(`${port.prefix}/`)
      ? url.pathname.slice(port.prefix.length) + url.search
      : ''
    return answerApi(port, context, target)
  })
  return app
}

export interface Listening {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves a network on 127.0.0.1.
 * @param port 0 for any free one
 * @throws when the port is taken
 */
export const listen = (served: Port, port: number): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const server = serve(
      { fetch: createApp(served).fetch, hostname: '127.0.0.1', port },
      (info: AddressInfo) => {
        resolve({
          url: `http://127.0.0.1:${info.port}`,
          close: () =>
            new Promise((done) => {
              server.close(() => done())
              ;(server as Server).closeAllConnections()
            }),
        })
      },
    )
    server.once('error', reject)
  })

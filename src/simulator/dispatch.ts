import { randomBytes } from 'node:crypto'
import { parseJson } from './json/go-json.ts'
import { isMessage, type Message } from './json/types.ts'
import { type Network, storesOf } from './network.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { Call, Registry, Reply } from './things-stack/call.ts'
import { decodeError, errorBody, StackError, statusOf } from './things-stack/errors.ts'
import { authenticate, type Credentials } from './things-stack/rights.ts'
import { type Match, matchRoute } from './things-stack/routes.ts'

/**
 * Which registries a port serves: all, the Identity Server alone, or everything else (as the Cloud splits them), less
 * those that are left out.
 */
export interface Serves {
  readonly part: 'all' | 'identity' | 'cluster'
  readonly without?: readonly Registry[]
}

export interface Request {
  readonly method: string
  /** Path without `/api/v3`, with its query. */
  readonly target: string
  readonly authorization: string | undefined
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const serves = ({ part, without = [] }: Serves, registry: Registry): boolean =>
  registry === 'all' ||
  (!without.includes(registry) && (part === 'all' || (registry === 'is') === (part === 'identity')))

/** Routes a request on a port; a registry that the port does not serve is not found. */
export const routeRequest = (port: Serves, method: string, target: string): Match => {
  const match = matchRoute(method, target.split('?')[0] ?? '')
  return match.found === 'nothing' || serves(port, match.route.registry) ? match : { found: 'nothing' }
}

const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-request-id': randomBytes(16).toString('hex'),
    ...headers,
  },
  body: JSON.stringify(body),
})

const tokenId = (authorization: string | undefined): string | undefined =>
  /^Bearer \w+\.(\w+)\./i.exec(authorization ?? '')?.[1]

const readBody = (request: Request): Message => {
  if (request.method === 'GET' || request.method === 'DELETE') return {}
  const parsed = parseJson(request.body)
  if (!parsed.ok) throw decodeError(parsed.message)
  if (!isMessage(parsed.value)) throw decodeError('json: cannot unmarshal value into request')
  return parsed.value
}

const withStale = <T>(network: Network, stale: boolean, run: () => T): T => {
  const stores = storesOf(network)
  for (const store of stores) store.stale = stale
  try {
    return run()
  } finally {
    for (const store of stores) store.stale = false
  }
}

/**
 * Answers one API request. The order of checks is the real server's: route, JSON and query, field mask and message,
 * rate limit, token and rights, handler (API notes, section 1.2).
 * @param stale answer reads with the values before the last write
 */
export const dispatch = (
  network: Network,
  limiter: RateLimiter,
  match: Match,
  request: Request,
  stale: boolean,
): Answer => {
  if (match.found === 'nothing') return answer(404, { code: 5, message: 'Not Found' })
  if (match.found === 'other-verb') return answer(501, { code: 12, message: 'Method Not Allowed' })
  let headers: Readonly<Record<string, string>> = {}
  try {
    let caller: Credentials | undefined
    const call: Call = {
      network,
      params: match.params,
      query: new URLSearchParams(request.target.split('?').slice(1).join('?')),
      body: readBody(request),
      authorization: request.authorization,
      credentials: () => {
        caller ??= authenticate(network, request.authorization)
        return caller
      },
    }
    const prepared = match.route.prepare(call)
    const verdict = limiter.check(match.route.rpc, prepared.entity, tokenId(request.authorization))
    headers = verdict?.headers ?? {}
    if (verdict?.error !== undefined) throw verdict.error
    const reply: Reply = withStale(network, stale, () => prepared.run())
    return answer(200, reply.body, { ...headers, ...reply.headers })
  } catch (error) {
    if (!(error instanceof StackError)) throw error
    const status = statusOf(error.code)
    const challenge = status === 401 ? { 'www-authenticate': error.message } : {}
    return answer(status, errorBody(error), { ...headers, ...challenge })
  }
}

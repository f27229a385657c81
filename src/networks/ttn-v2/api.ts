import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { TtnV2End } from '../../domain/migration-plan.ts'
import type { Secret } from '../../domain/secret.ts'
import type { HttpAnswer, HttpClient } from '../../http/index.ts'
import { headerText, refuseUnsafe } from '../sending.ts'
import { type Asked, errorOf } from './errors.ts'

interface Call {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  /** Behind the address of the handler. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Json
}

/** The handler of one application. Throws `NetworkError` for everything but 200. */
export interface Api {
  readonly application: string
  readonly applicationPath: string
  /** The path of its devices, or of one. */
  devicesPath(deviceId?: string): string
  call(call: Call): Promise<HttpAnswer>
  /** As `call`; undefined where the device is not there. */
  callDevice(call: Call): Promise<HttpAnswer | undefined>
}

interface ApiOptions {
  readonly end: TtnV2End
  readonly accessKey: Secret
  readonly client: HttpClient
  /** Resolves when the next request may leave. */
  readonly pace: () => Promise<void>
  readonly sleep: (milliseconds: number) => Promise<void>
}

/** Milliseconds until a request that was refused for the rate limit is tried again. */
const RATE_LIMIT_PAUSE = 1_000
/** So often; a minute of being refused is no passing trouble. */
const RATE_LIMIT_TRIES = 60
/** How often a reading is tried while the handler does not reach its network server. */
const READ_TRIES = 3

const FORM = 'an access key of a Stack V2 is one line of the form ttn-account-v2.SECRET'

const HANDLERS = '/announcements/handler'

/** The handler's address, as the discovery server announces it for the application. */
const discover = async ({ client, end }: ApiOptions, discovery: string): Promise<string> => {
  const answer = await client.request({ method: 'GET', url: `${discovery}${HANDLERS}`, headers: {} })
  const { services = [] } = (answer.body ?? {}) as { readonly services?: readonly Json[] }
  const found = (Array.isArray(services) ? services : []).find((service) =>
    metadataOf(service).some(({ app_id }) => app_id === end.application),
  ) as { readonly api_address?: unknown } | undefined
  const address = found?.api_address
  const host = new URL(discovery).host
  const fault = { effect: 'none', request: `GET ${HANDLERS}` } as const
  if (found === undefined)
    throw new NetworkError(
      'ApplicationNotFound',
      `the discovery server at ${host} names no handler for the application ${end.application}`,
      fault,
      {
        hint: 'check application in the plan; a new one is announced after a minute',
      },
    )
  if (typeof address !== 'string' || !URL.canParse(address))
    throw new NetworkError(
      'HandlerWithoutApi',
      `the handler of ${end.application} announces no HTTP API at ${host}`,
      fault,
      {
        hint: 'write the address of its HTTP API as url, instead of discovery',
      },
    )
  return new URL(address).origin
}

const metadataOf = (service: Json): readonly { readonly app_id?: unknown }[] => {
  const metadata = (service as { readonly metadata?: unknown } | null)?.metadata
  return Array.isArray(metadata) ? (metadata as { readonly app_id?: unknown }[]) : []
}

export const createApi = (options: ApiOptions): Api => {
  const { end, client, pace, sleep } = options
  const headers = { authorization: `Key ${headerText(options.accessKey, 'access key', FORM)}` }
  let known: Promise<string> | undefined
  const handler = (): Promise<string> => {
    known ??=
      'handler' in end.address
        ? Promise.resolve(end.address.handler)
        : discover(options, end.address.discovery)
    known.catch(() => {
      known = undefined
    })
    return known
  }
  if ('handler' in end.address) refuseUnsafe(end.address.handler, end.insecure, 'access key')

  const once = async (one: Call, origin: string, asked: Asked): Promise<HttpAnswer> => {
    await pace()
    const query = new URLSearchParams(one.query).toString()
    const answer = await client.request({
      method: one.method,
      url: `${origin}${one.path}${query === '' ? '' : `?${query}`}`,
      headers: one.body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: one.body === undefined ? undefined : JSON.stringify(one.body),
      // Nearly all failures are a 500: which of them may pass is decided here.
      attempts: 1,
    })
    if (answer.status !== 200) throw errorOf(answer, asked)
    return answer
  }

  const call = async (one: Call): Promise<HttpAnswer> => {
    const origin = await handler()
    refuseUnsafe(origin, end.insecure, 'access key')
    const read = one.method === 'GET'
    const asked: Asked = {
      host: new URL(origin).host,
      application: end.application,
      request: `${one.method} ${one.path}`,
      read,
    }
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(one, origin, asked)
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error
        const isRefused = error.code === 'RateLimited' && tries < RATE_LIMIT_TRIES
        const mayPass = read && isPassing(error) && tries < READ_TRIES
        if (!isRefused && !mayPass) throw error
        await sleep(RATE_LIMIT_PAUSE)
      }
    }
  }
  return {
    application: end.application,
    applicationPath: `/applications/${encodeURIComponent(end.application)}`,
    devicesPath: (deviceId) =>
      `/applications/${encodeURIComponent(end.application)}/devices${deviceId === undefined ? '' : `/${encodeURIComponent(deviceId)}`}`,
    call,
    callDevice: async (one) => {
      try {
        return await call(one)
      } catch (error) {
        if (error instanceof NetworkError && error.code === 'DeviceNotFound') return undefined
        throw error
      }
    },
  }
}

/** Trouble that the next reading may not meet. */
const isPassing = ({ code, fault }: NetworkError): boolean =>
  ['ConnectionLost', 'AnswerTimeout', 'NotJson', 'HostUnreachable'].includes(code) ||
  (code === 'ServerError' && (fault.status === undefined || fault.status >= 500))

import type { FieldPath, Registry } from '../../domain/device.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { ServerUrls } from '../../domain/migration-plan.ts'
import type { Secret } from '../../domain/secret.ts'
import type { HttpAnswer, HttpClient } from '../../http/index.ts'
import { headerText } from '../sending.ts'
import { type Asked, errorOf } from './errors.ts'
import { originOf } from './servers.ts'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Decides the host; the paths of a registry begin with its prefix. */
  readonly registry: Registry
  /** Below `/api/v3`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Json
  /** Attempts in all, where it is to give up earlier than others. */
  readonly attempts?: number
}

/** One network's API with its credential: paths, query and errors of The Things Stack over the HTTP client. */
export interface Api {
  readonly application: string
  readonly urls: ServerUrls
  /** Path of the application's devices, or of one, on a registry. */
  devicesPath(registry: Registry, deviceId?: string): string
  /** Throws `NetworkError` for every status but 2xx. */
  call(call: Call): Promise<HttpAnswer>
  /** As `call`; undefined where the registry says that it does not know the device. */
  callDevice(call: Call): Promise<HttpAnswer | undefined>
  /** For findings that the adapter makes itself. */
  asked(call: Pick<Call, 'method' | 'registry' | 'path'>): Asked
}

const PREFIX: { readonly [R in Registry]: string } = {
  'identity-server': '',
  'join-server': '/js',
  'network-server': '/ns',
  'application-server': '/as',
}

export const maskQuery = (paths: readonly FieldPath[]): Readonly<Record<string, string>> => ({
  field_mask: paths.join(','),
})

const FORM = 'an API key of The Things Stack is one line of the form NNSXS.ID.SECRET'

export const createApi = (client: HttpClient, urls: ServerUrls, application: string, apiKey: Secret): Api => {
  const headers = { authorization: `Bearer ${headerText(apiKey, 'API key', FORM)}` }
  const asked: Api['asked'] = ({ method, registry, path }) => ({
    registry,
    host: new URL(originOf(urls, registry)).host,
    request: `${method} /api/v3${path}`,
    read: method === 'GET',
  })
  const call = async (one: Call): Promise<HttpAnswer> => {
    const query = new URLSearchParams(one.query).toString()
    const answer = await client
      .request({
        method: one.method,
        kind: kindOf(one),
        url: `${originOf(urls, one.registry)}/api/v3${one.path}${query === '' ? '' : `?${query}`}`,
        headers: one.body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: one.body === undefined ? undefined : JSON.stringify(one.body),
        ...(one.attempts === undefined ? {} : { attempts: one.attempts }),
      })
      .catch((error: unknown) => {
        throw error instanceof NetworkError ? withRegistry(error, one.registry) : error
      })
    if (answer.status < 200 || answer.status > 299) throw errorOf(answer, asked(one))
    return answer
  }
  return {
    application,
    urls,
    asked,
    call,
    devicesPath: (registry, deviceId) =>
      `${PREFIX[registry]}/applications/${encodeURIComponent(application)}/devices${
        deviceId === undefined ? '' : `/${encodeURIComponent(deviceId)}`
      }`,
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

/** What tells the methods of the API apart, which is what servers limit. */
const kindOf = ({ method, registry, path }: Call): string =>
  `${method} ${registry} ${path
    .replace(/\/applications\/[^/]+/, '')
    .replace(/\/(device|gateway)s\/[^/]+/, '/$1')}`

const withRegistry = (error: NetworkError, registry: Registry): NetworkError =>
  new NetworkError(
    error.code,
    error.message,
    { ...error.fault, registry },
    {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.cause === undefined ? {} : { cause: error.cause }),
    },
  )

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A server for states and files, as others are: the protocol of Terraform with locking, and files by PUT and GET.
 * webdav: LOCK and UNLOCK, 423 with the holder's document; all of it is compared when a lock is given back, and a post
 * without the lock answers 400 (as nimbolus/terraform-backend does). gitlab: POST and DELETE at `/lock`, 409; each field of
 * the lock's document is asked for, and no serial is taken a second time.
 */
export type Flavour = 'webdav' | 'gitlab'

export interface StateServer {
  readonly flavour: Flavour
  readonly url: string
  readonly user: string
  readonly password: string
  /** The state that is held, as text; undefined for none. */
  state(): string | undefined
  setState(text: string | undefined): void
  /** Documents in the order in which they were posted. */
  readonly posts: readonly string[]
  /** `METHOD path` of every request, in their order. */
  readonly requests: readonly string[]
  readonly files: ReadonlyMap<string, Buffer>
  /** The document of who holds the lock. */
  lock(): string | undefined
  unlock(): void
  /** Decides over a request before it is answered; `after`: once it had its effect. */
  fault: (request: string, when: 'before' | 'after') => number | 'drop' | undefined
  /** Remembers what is held; the answer puts it back. */
  snapshot(): () => void
  close(): Promise<void>
}

const LOCK_FIELDS = ['ID', 'Operation', 'Info', 'Who', 'Version', 'Created', 'Path']

interface Answer {
  readonly status: number
  readonly body?: string | Buffer
}

export const startStateServer = async (flavour: Flavour = 'webdav'): Promise<StateServer> => {
  let state: string | undefined
  let lock: string | undefined
  let files = new Map<string, Buffer>()
  const posts: string[] = []
  const requests: string[] = []
  const [user, password] = ['made-up', 'made-up-password']
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

  const idOf = (document: string): string => (JSON.parse(document) as { readonly ID: string }).ID

  const locking = (method: string, id: string | null, body: string): Answer => {
    if (method === 'take') {
      const document = JSON.parse(body) as Readonly<Record<string, unknown>>
      const missing = LOCK_FIELDS.filter((field) => typeof document[field] !== 'string')
      if (missing.length > 0) return { status: 400, body: `${missing.join(', ')} is missing` }
      if (lock !== undefined && (flavour === 'gitlab' || lock !== body))
        return { status: flavour === 'gitlab' ? 409 : 423, body: lock }
      lock = body
      return { status: 200, body: flavour === 'gitlab' ? body : '' }
    }
    if (lock === undefined) return { status: flavour === 'gitlab' ? 200 : 400 }
    const isSame = flavour === 'gitlab' ? idOf(lock) === id : lock === body
    if (!isSame) return { status: flavour === 'gitlab' ? 409 : 400, body: lock }
    lock = undefined
    return { status: 200 }
  }

  const post = (id: string | null, body: string): Answer => {
    if (lock === undefined || idOf(lock) !== id) return { status: flavour === 'gitlab' ? 409 : 400 }
    const serial = (text: string): unknown => (JSON.parse(text) as { readonly serial: unknown }).serial
    if (flavour === 'gitlab' && posts.some((posted) => serial(posted) === serial(body)))
      return { status: 422, body: '{"message":"Version has already been taken"}' }
    state = body
    posts.push(body)
    return { status: 200 }
  }

  const answerOf = (method: string, url: URL, body: Buffer): Answer => {
    const id = url.searchParams.get('ID')
    const { pathname: path } = url
    if (path.startsWith('/files/')) {
      if (method === 'PUT') {
        files.set(path.slice('/files/'.length), body)
        return { status: 201, body: '{"message":"201 Created"}' }
      }
      const file = files.get(path.slice('/files/'.length))
      return file === undefined ? { status: 404 } : { status: 200, body: file }
    }
    const [take, give] =
      flavour === 'gitlab' ? ['POST /state/lock', 'DELETE /state/lock'] : ['LOCK /state', 'UNLOCK /state']
    switch (`${method} ${path}`) {
      case 'GET /state':
        if (state !== undefined) return { status: 200, body: state }
        return { status: flavour === 'gitlab' ? 204 : 404 }
      case 'POST /state':
        return post(id, body.toString())
      case take:
        return locking('take', id, body.toString())
      case give:
        return locking('give', id, body.toString())
      default:
        return { status: 405 }
    }
  }

  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request)
      const url = new URL(request.url ?? '/', 'http://127.0.0.1')
      const told = `${request.method ?? ''} ${url.pathname}`
      requests.push(told)
      const fail = (when: 'before' | 'after'): boolean => {
        const fault = server_.fault(told, when)
        if (fault === undefined) return false
        if (fault === 'drop') request.socket.destroy()
        else response.writeHead(fault).end()
        return true
      }
      if (fail('before')) return
      const answer =
        request.headers.authorization === authorization
          ? answerOf(request.method ?? '', url, body)
          : { status: 401 }
      if (fail('after')) return
      response.writeHead(answer.status, { 'content-type': 'application/octet-stream' }).end(answer.body)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const server_: StateServer = {
    flavour,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    user,
    password,
    state: () => state,
    setState: (text) => {
      state = text
    },
    posts,
    requests,
    get files() {
      return files
    },
    lock: () => lock,
    unlock: () => {
      lock = undefined
    },
    fault: () => undefined,
    snapshot: () => {
      const kept = { state, lock, files: new Map(files), posts: [...posts] }
      return () => {
        state = kept.state
        lock = kept.lock
        files = new Map(kept.files)
        posts.splice(0, posts.length, ...kept.posts)
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return server_
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

/** `state` of a plan that lies at the server, with the password by reference. */
export const stateAt = ({ url, user, flavour }: StateServer): string =>
  `state: { http: { address: "${url}/state", lockAddress: "${url}/state${flavour === 'gitlab' ? '/lock' : ''}", ` +
  `${flavour === 'gitlab' ? 'lockMethod: POST, unlockMethod: DELETE, ' : ''}` +
  `username: ${user}, password: { env: STATE_PASSWORD }, insecure: true } }`

/** `escrow.http` of a plan, with its files at the server. */
export const escrowAt = ({ url, user }: StateServer): string =>
  `http: { address: "${url}/files", username: ${user}, password: { env: STATE_PASSWORD }, insecure: true }`

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Which request is not carried out, and the status that it is answered with. */
export interface Refusal {
  readonly method: string
  readonly path: RegExp
  readonly status: number
}

export interface Echo {
  readonly url: string
  /** Every key that was in a request which was refused: some were generated, and are in no store. */
  readonly keys: Set<string>
  refuse(refusal: Refusal | undefined): void
  /** How many requests were refused since the last call. */
  refused(): number
  close(): Promise<void>
}

/**
 * Stands before a network. A request that it refuses is answered as the worst server would: with all that the
 * request held, its key included, as text and in every encoding.
 */
export const startEcho = async (network: string): Promise<Echo> => {
  const keys = new Set<string>()
  let refusal: Refusal | undefined
  let count = 0
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request)
      const { method = '', url = '', headers } = request
      if (refusal?.method === method && refusal.path.test(url)) {
        count += 1
        for (const [key] of body.toString().matchAll(/(?<=")[0-9A-F]{32}(?=")/gi)) keys.add(key)
        response.writeHead(refusal.status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(echoOf(refusal.status, body, String(headers.authorization))))
        return
      }
      const answer = await fetch(`${network}${url}`, {
        method,
        headers: { authorization: String(headers.authorization), 'content-type': 'application/json' },
        ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      })
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'application/json',
      })
      response.end(Buffer.from(await answer.arrayBuffer()))
    })().catch(() => response.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    refuse: (next) => {
      refusal = next
    },
    refused: () => {
      const since = count
      count = 0
      return since
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const echoOf = (status: number, body: Buffer, authorization: string): object => {
  const said = `${authorization} sent ${body.toString()}`
  // Each key by itself too: cut out of its JSON it is told by its form alone.
  const keys = [...body.toString().matchAll(/(?<=")[0-9A-F]{32}(?=")/gi)].flatMap(([key]) => {
    const bytes = Buffer.from(key, 'hex')
    return [key.toLowerCase(), bytes.toString('base64'), bytes.toString('base64url')]
  })
  return {
    code: status === 409 ? 6 : status === 401 ? 16 : 13,
    message: `error:pkg/echo:refused (${keys.join(' ')} ${said})`,
    details: [
      {
        '@type': 'type.googleapis.com/ttn.lorawan.v3.ErrorDetails',
        namespace: 'pkg/echo',
        name: `refused ${keys.join(' ')}`,
        message_format: `refused ${said}`,
        attributes: attributesOf(said, keys),
        correlation_id: keys[0]?.toUpperCase() ?? authorization,
        cause: {
          name: said,
          attributes: { ...attributesOf(said, keys), reason: `sent ${keys[0]} (${said})` },
        },
      },
    ],
  }
}

/** Those whose value is told to the user, and one of another name. */
const attributesOf = (said: string, keys: readonly string[]): object => ({
  said,
  whole: Buffer.from(said).toString('base64'),
  path: said,
  id: keys[0],
  address: Buffer.from(said).toString('base64'),
  field: keys[1] ?? said,
  name: keys[2] ?? said,
  label: Buffer.from(said).toString('hex'),
  missing: keys,
  forbidden_paths: [...keys, said],
})

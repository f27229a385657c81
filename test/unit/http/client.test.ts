import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { NetworkError } from '../../../src/domain/errors.ts'
import { createHttpClient, type HttpClient, type HttpOptions, type Wait } from '../../../src/http/client.ts'
import { fakeTiming } from './clock.ts'
import { type Answer, json, startServer, type TestServer } from './servers.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const serve = async (answer: Answer): Promise<TestServer> => {
  const server = await startServer(answer)
  cleanups.push(server.close)
  return server
}

const client = (options: Partial<HttpOptions> = {}): HttpClient => {
  const made = createHttpClient({ env: {}, maxConcurrency: 8, timing: fakeTiming(), ...options })
  cleanups.push(() => made.close())
  return made
}

const failing = async (work: Promise<unknown>): Promise<NetworkError> => {
  const error: unknown = await work.then(
    () => new Error('did not fail'),
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(NetworkError)
  return error as NetworkError
}

const SECRET = 'A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3'
const write = (url: string) =>
  ({
    method: 'PUT',
    url: `${url}/api/v3/devices/a?secret=${SECRET}`,
    body: `{"key":"${SECRET}"}`,
    headers: { authorization: `Bearer ${SECRET}` },
  }) as const
const read = (url: string) =>
  ({
    method: 'GET',
    url: `${url}/api/v3/devices/a?secret=${SECRET}`,
    headers: { authorization: `Bearer ${SECRET}` },
  }) as const

const withoutSecrets = (error: NetworkError) => {
  const shown = [error.message, error.hint, error.stack, JSON.stringify(error), inspect(error, { depth: 6 })]
  expect(shown.join('\n')).not.toContain(SECRET)
}

describe('an answer', () => {
  test('comes decoded, with its headers, whatever its status', async () => {
    const server = await serve((_, response) => json(response, 404, { code: 5 }, { 'X-Total-Count': '3' }))
    const answer = await client().request(read(server.url))
    expect(answer).toMatchObject({ status: 404, body: { code: 5 }, headers: { 'x-total-count': '3' } })
    expect(server.seen[0]?.headers['user-agent']).toBe('lorawan-ferry')
  })

  test('may be empty where a write is answered', async () => {
    const server = await serve((_, response) => response.writeHead(200).end())
    expect((await client().request(write(server.url))).body).toBeUndefined()
  })

  test('is not followed to another address', async () => {
    const server = await serve((_, response) =>
      response.writeHead(302, { location: `https://elsewhere.example.org/login?token=${SECRET}` }).end(),
    )
    const error = await failing(client().request(write(server.url)))
    expect(error).toMatchObject({ code: 'Redirected', fault: { effect: 'none', status: 302 } })
    expect(error.message).toContain('https://elsewhere.example.org')
    withoutSecrets(error)
  })

  test.each([
    ['200 of a login page', 200, 'text/html; charset=utf-8', '<html>', 'NotJson', 'unknown', 'text/html'],
    ['403 of a firewall', 403, 'text/html', '<html>', 'NotJson', 'none', 'text/html'],
    ['502 of a proxy', 502, 'text/html', '<html>', 'ServerError', 'unknown', 'text/html'],
    ['200 with half of an object', 200, 'application/json', '{"a":', 'NotJson', 'unknown', 'broken'],
    ['407 of a proxy', 407, 'text/plain', 'no', 'ProxyRefused', 'none', 'proxy'],
  ])('that is no JSON is told as such: %s', async (_, status, type, body, code, effect, says) => {
    const server = await serve((_seen, response) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    )
    const error = await failing(client().request(write(server.url)))
    expect(error).toMatchObject({ code, fault: { effect, status, request: 'PUT /api/v3/devices/a' } })
    expect(error.message).toContain(says)
    expect(error.hint).toBeTruthy()
    withoutSecrets(error)
    expect(server.seen).toHaveLength(1)
  })

  test('larger than the limit is not read to the end', async () => {
    const server = await serve((_, response) => json(response, 200, { a: 'x'.repeat(100_000) }))
    const error = await failing(client({ bodyLimit: 10_000 }).request(read(server.url)))
    expect(error).toMatchObject({ code: 'AnswerTooLarge', fault: { effect: 'none' } })
    expect(server.seen).toHaveLength(1)
  })
})

describe('a read is tried again', () => {
  test.each([429, 500, 502, 503, 504])('after %i', async (status) => {
    const server = await serve((_, response, count) => json(response, count < 3 ? status : 200, { count }))
    const waits: Wait[] = []
    const answer = await client({ onWait: (wait) => waits.push(wait) }).request(read(server.url))
    expect(answer.body).toEqual({ count: 3 })
    expect(waits.map(({ reason }) => reason)).toEqual(
      Array(2).fill(status === 429 ? 'RateLimited' : 'ServerError'),
    )
    expect(waits[0]?.request).toBe('GET /api/v3/devices/a')
  })

  test('after a lost connection and after half an answer', async () => {
    const server = await serve((_, response, count) => {
      if (count === 1) response.socket?.destroy()
      else if (count === 2) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        response.write('{"half":')
        setTimeout(() => response.socket?.destroy(), 20)
      } else json(response, 200, { count })
    })
    expect((await client().request(read(server.url))).body).toEqual({ count: 3 })
  })

  test('after no answer in time', async () => {
    const server = await serve((_, response, count) => {
      if (count > 1) json(response, 200, { count })
    })
    expect((await client({ answerTimeout: 300 }).request(read(server.url))).body).toEqual({ count: 2 })
  })

  test('not for ever', async () => {
    const server = await serve((_, response) => json(response, 503, {}))
    const answer = await client({ patience: { attempts: 4 } }).request(read(server.url))
    expect(answer.status).toBe(503)
    expect(server.seen).toHaveLength(4)
  })

  test('twice at most after 500, and not after 404, 401 or 501', async () => {
    for (const [status, times] of [
      [500, 3],
      [404, 1],
      [401, 1],
      [501, 1],
    ] as const) {
      const server = await serve((_, response) => json(response, status, {}))
      expect((await client().request(read(server.url))).status).toBe(status)
      expect(server.seen).toHaveLength(times)
    }
  })
})

describe('a write leaves once', () => {
  test.each([500, 502, 503, 504])('where the server answers %i', async (status) => {
    const server = await serve((_, response) => json(response, status, {}))
    expect((await client().request(write(server.url))).status).toBe(status)
    expect(server.seen).toHaveLength(1)
  })

  test.each(['POST', 'PUT', 'DELETE'] as const)('where the connection is lost: %s', async (method) => {
    const server = await serve((_, response) => response.socket?.destroy())
    const error = await failing(client().request({ ...write(server.url), method }))
    expect(error).toMatchObject({ code: 'ConnectionLost', fault: { effect: 'unknown' } })
    withoutSecrets(error)
    expect(server.seen).toHaveLength(1)
  })

  test('where no answer comes in time', async () => {
    const server = await serve(() => {})
    const error = await failing(client({ answerTimeout: 300 }).request(write(server.url)))
    expect(error).toMatchObject({ code: 'AnswerTimeout', fault: { effect: 'unknown' } })
    expect(server.seen).toHaveLength(1)
  })

  test('where the answer is cut short', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"half":')
      setTimeout(() => response.socket?.destroy(), 20)
    })
    const error = await failing(client().request(write(server.url)))
    expect(error).toMatchObject({ code: 'ConnectionLost', fault: { effect: 'unknown' } })
    expect(server.seen).toHaveLength(1)
  })

  test('but again, whole, where the server refused it by 429', async () => {
    const server = await serve((_, response, count) => json(response, count < 3 ? 429 : 200, {}))
    expect((await client().request(write(server.url))).status).toBe(200)
    expect(server.seen.map(({ body }) => body)).toEqual(Array(3).fill(`{"key":"${SECRET}"}`))
  })

  test('but again where nobody took the connection', async () => {
    const gone = await startServer(() => {})
    await gone.close()
    const timing = fakeTiming()
    const error = await failing(client({ timing, patience: { attempts: 3 } }).request(write(gone.url)))
    expect(error).toMatchObject({ code: 'HostUnreachable', fault: { effect: 'none' } })
    expect(timing.waits).toHaveLength(2)
  })
})

describe('waiting', () => {
  test.each([
    ['x-rate-limit-retry', { 'x-rate-limit-retry': '19', 'x-rate-limit-reset': '59' }, 19_000],
    ['Retry-After in seconds', { 'retry-after': '7' }, 7_000],
    ['Retry-After as a date', { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    ['x-rate-limit-reset alone', { 'x-rate-limit-retry': '0', 'x-rate-limit-reset': '5' }, 5_000],
  ])('is as long as the server asks by %s', async (_, headers, expected) => {
    const server = await serve((_seen, response, count) => json(response, count < 2 ? 429 : 200, {}, headers))
    const timing = fakeTiming(0)
    const waits: Wait[] = []
    await client({ timing, onWait: (wait) => waits.push(wait) }).request(write(server.url))
    expect(timing.waits).toEqual([expected])
    expect(waits).toMatchObject([{ reason: 'RateLimited', waitMs: expected, askedMs: expected }])
  })

  test('is cut at the longest wait, and says so', async () => {
    const server = await serve((_, response, count) =>
      json(response, count < 2 ? 429 : 200, {}, { 'retry-after': '3600' }),
    )
    const waits: Wait[] = []
    await client({ onWait: (wait) => waits.push(wait) }).request(read(server.url))
    expect(waits).toMatchObject([{ waitMs: 120_000, askedMs: 3_600_000 }])
  })

  test('for a rate limit ends after a quarter of an hour, without counting attempts', async () => {
    const server = await serve((_, response) =>
      json(response, 429, { code: 8 }, { 'x-rate-limit-retry': '60' }),
    )
    const timing = fakeTiming(0)
    expect((await client({ timing }).request(write(server.url))).status).toBe(429)
    expect(timing.waits).toHaveLength(15)
  })

  test('for an empty bucket ends after a quarter of an hour, and holds no request of another kind', async () => {
    const empty = { 'x-rate-limit-limit': '100', 'x-rate-limit-available': '0', 'x-rate-limit-retry': '60' }
    const server = await serve((seen, response) =>
      seen.method === 'GET' ? json(response, 200, {}) : json(response, 429, { code: 8 }, empty),
    )
    const timing = fakeTiming(0)
    const http = client({ timing, maxConcurrency: 1 })
    const [refused, other] = await Promise.all([
      http.request(write(server.url)),
      http.request(read(server.url)),
    ])
    expect([refused.status, other.status]).toEqual([429, 200])
    expect(server.seen.findIndex(({ method }) => method === 'GET')).toBeLessThan(2)
    expect(timing.waits).toHaveLength(15)
  })

  test('without a hint grows with full jitter', async () => {
    const server = await serve((_, response) => json(response, 503, {}))
    const timing = fakeTiming(0.999)
    await client({ timing, patience: { attempts: 5 } }).request(read(server.url))
    expect(timing.waits).toEqual([999, 1998, 3996, 7992])
  })

  test('ends at once when the run is interrupted, as do requests under way', async () => {
    const abort = new AbortController()
    const { signal } = abort
    const server = await serve(() => setTimeout(() => abort.abort(new Error('stop')), 20))
    const http = client({ signal })
    const [sent, waiting] = await Promise.all([
      failing(http.request(write(server.url))),
      failing(http.request(read(server.url))),
    ])
    expect(sent).toMatchObject({ code: 'Interrupted', fault: { effect: 'unknown' } })
    expect(waiting).toMatchObject({ code: 'Interrupted', fault: { effect: 'none' } })
    const after = await failing(http.request(write(server.url)))
    expect(after).toMatchObject({ code: 'Interrupted', fault: { effect: 'none' } })
    withoutSecrets(sent)
  })
})

describe('what cannot be reached', () => {
  test('is a host that is not known', async () => {
    const error = await failing(client().request(read('http://ferry-test.invalid')))
    expect(error).toMatchObject({ code: 'HostUnreachable', fault: { effect: 'none' } })
    expect(error.message).toContain('ferry-test.invalid')
    withoutSecrets(error)
  })

  test('is a port without TLS', async () => {
    const server = await serve((_, response) => json(response, 200, {}))
    const error = await failing(client().request(write(server.url.replace('http:', 'https:'))))
    expect(error).toMatchObject({ code: 'NotTls', fault: { effect: 'none' } })
  })
})

describe('a proxy', () => {
  const startProxy = async (): Promise<{ readonly url: string; readonly asked: string[] }> => {
    const asked: string[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (data) => {
        asked.push(data.toString('latin1').split('\r\n')[0] ?? '')
        if (asked.length > 1) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        return socket.on('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => server.close(resolve)))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return { url: `http://127.0.0.1:${address.port}`, asked }
  }

  test.each(['HTTP_PROXY', 'http_proxy'])(
    'is used where %s names one, and its refusal told',
    async (name) => {
      const proxy = await startProxy()
      const http = client({ env: { [name]: proxy.url }, maxConcurrency: 1 })
      expect((await http.request(read('http://stack.example.org'))).status).toBe(200)
      expect(proxy.asked).toEqual(['CONNECT stack.example.org:80 HTTP/1.1'])
      const error = await failing(http.request(write('http://other.example.org')))
      expect(error).toMatchObject({ code: 'ProxyRefused', fault: { effect: 'none' } })
      withoutSecrets(error)
    },
  )

  test('is passed by for loopback and for hosts of NO_PROXY', async () => {
    const proxy = await startProxy()
    const server = await serve((_, response) => json(response, 200, {}))
    const env = { HTTP_PROXY: proxy.url, NO_PROXY: 'ferry-test.invalid' }
    await client({ env }).request(read(server.url))
    await failing(client({ env, patience: { attempts: 1 } }).request(read('http://ferry-test.invalid')))
    expect(proxy.asked).toEqual([])
  })

  test('whose address cannot be read is refused at the start', () => {
    expect(() => client({ env: { HTTPS_PROXY: 'not an address' } })).toThrow(
      expect.objectContaining({ code: 'ProxyInvalid', kind: 'usage' }),
    )
  })
})

describe('requests at once', () => {
  test('are bounded, and become more while answers are quick', async () => {
    let [now, most] = [0, 0]
    const server = await serve((_, response) => {
      now += 1
      most = Math.max(most, now)
      setTimeout(() => {
        now -= 1
        json(response, 200, {})
      }, 5)
    })
    const http = client({ maxConcurrency: 12 })
    expect(http.concurrency(server.url)).toBe(4)
    await Promise.all(Array.from({ length: 120 }, () => http.request(read(server.url))))
    expect(most).toBe(12)
    expect(http.concurrency(server.url)).toBe(12)
  })

  test('are halved by 429', async () => {
    const server = await serve((_, response, count) => json(response, count === 1 ? 429 : 200, {}))
    const http = client()
    await http.request(read(server.url))
    expect(http.concurrency(server.url)).toBe(2)
  })
})

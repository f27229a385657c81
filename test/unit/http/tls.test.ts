import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { FerryError, type NetworkError } from '../../../src/domain/errors.ts'
import { createHttpClient, type HttpOptions } from '../../../src/http/client.ts'
import { createAuthority, issue } from '../../support/certificates.ts'
import { fakeTiming } from './clock.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const serve = async (certificate: { readonly cert: string; readonly key: string }): Promise<string> => {
  const server = createServer(certificate, (_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(resolve)
      }),
  )
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const ask = async (url: string, options: Partial<HttpOptions> = {}): Promise<unknown> => {
  const client = createHttpClient({ env: {}, maxConcurrency: 2, timing: fakeTiming(), ...options })
  cleanups.push(() => client.close())
  try {
    return (await client.request({ method: 'PUT', url: `${url}/x`, body: '{}', headers: {} })).body
  } catch (error) {
    return error
  }
}

const refused = { code: 'CertificateRefused', fault: { effect: 'none', request: 'PUT /x' } }

describe('a certificate', () => {
  test('of an own authority is trusted where its file is given, and only there [edge 95]', async () => {
    const authority = createAuthority('Own Authority')
    const url = await serve(issue(authority, '127.0.0.1'))
    expect(await ask(url)).toMatchObject(refused)
    expect(await ask(url, { ca: authority.pem })).toEqual({ ok: true })
    const two = `# comment\n${createAuthority('Another').pem}\n${authority.pem}`
    expect(await ask(url, { ca: two })).toEqual({ ok: true })
    expect(await ask(url, { ca: createAuthority('Own Authority').pem })).toMatchObject(refused)
  })

  test('is not looked at where the plan says insecure', async () => {
    expect(await ask(await serve(issue(createAuthority('Own'), 'x')), { insecure: true })).toEqual({
      ok: true,
    })
  })

  test('for another host, and one that has expired, are told apart [edge 95]', async () => {
    const authority = createAuthority('Own Authority')
    const other = await ask(await serve(issue(authority, 'stack.example.org')), { ca: authority.pem })
    expect(other).toMatchObject(refused)
    expect((other as NetworkError).message).toContain('another host name')
    const expired = await ask(await serve(issue(authority, '127.0.0.1', '20210101000000Z')), {
      ca: authority.pem,
    })
    expect(expired).toMatchObject(refused)
    expect((expired as NetworkError).message).toContain('expired')
  })
})

describe('a file of authorities', () => {
  test.each([
    ['holds none', 'hello'],
    ['holds a broken one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ])('that %s is refused at the start', async (_, ca) => {
    const make = () => createHttpClient({ env: {}, maxConcurrency: 1, ca })
    expect(make).toThrow(FerryError)
    expect(make).toThrow(expect.objectContaining({ code: 'CaFileInvalid', kind: 'plan-invalid' }))
  })
})

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/domain/json.ts'
import { errorOf } from '../../../src/networks/things-stack/errors.ts'
import { type Exchange, recordedExchanges } from './recordings.ts'

const asked = (method: string, path: string) => ({
  registry: 'network-server' as const,
  host: 'stack.example.org',
  request: `${method} ${path}`,
  read: method === 'GET',
})

const errorFor = ({ request, response }: Exchange) =>
  errorOf(response, asked(request.method, request.path.split('?')[0] ?? ''))

const detailOf = (body: Json) =>
  (
    body as {
      readonly details?: readonly {
        readonly namespace: string
        readonly name: string
        readonly correlation_id: string
      }[]
    }
  ).details?.[0]

const failed = recordedExchanges.filter(({ response }) => response.status >= 400)

describe('a recorded failure', () => {
  test('is there to be told', () => expect(failed.length).toBeGreaterThan(60))

  test.each(failed.map((one) => ({ ...one, title: `${one.file} ${one.index}` })))(
    'keeps namespace, name and correlation id: $title',
    (exchange) => {
      const error = errorFor(exchange)
      const detail = detailOf(exchange.response.body)
      expect(error.fault.name).toBe(detail === undefined ? undefined : `${detail.namespace}:${detail.name}`)
      expect(error.fault.correlationId).toBe(detail?.correlation_id)
      expect(error.fault.status).toBe(exchange.response.status)
      expect(error.fault.effect).toBe('none')
      expect(error.code).toMatch(/^[A-Z][A-Za-z]+$/)
      expect(error.message).toMatch(/stack\.example\.org [a-z]/)
      expect(error.message).not.toMatch(/undefined|\.$|error:/)
      expect(error.hint).toBeTruthy()
    },
  )

  test('shows no key that the request held', () => {
    for (const exchange of failed) {
      const keys = JSON.stringify(exchange.request.body ?? null).match(/(?<="key":")[^"]+/g) ?? []
      const error = errorFor(exchange)
      const shown = inspect(error, { depth: 10 }) + JSON.stringify(error)
      for (const key of keys) expect(shown).not.toContain(key)
    }
  })

  test('has a meaning of its own, apart from the few that need none', () => {
    const others = failed
      .filter((one) => errorFor(one).code === 'Refused')
      .map((one) => errorFor(one).fault.name)
    // Gateways are not asked for anything yet.
    expect(new Set(others)).toEqual(
      new Set([
        'pkg/identityserver:gateway_eui_taken',
        'pkg/identityserver/store:gateway_not_found',
        'pkg/gatewayserver:not_connected',
      ]),
    )
  })
})

const answer = (status: number, body: Json) => ({ status, headers: {}, body })
const details = (namespace: string, name: string, rest: Record<string, Json> = {}): Json => ({
  code: 3,
  message: `error:${namespace}:${name} (secret A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3)`,
  details: [{ namespace, name, correlation_id: '0'.repeat(32), ...rest }],
})

describe('an error', () => {
  test('names the holder of EUIs that are taken', () => {
    const attributes = { device_id: 'meter-1', application_id: 'other', dev_eui: '70B3D57ED0000001' }
    const error = errorOf(
      answer(409, details('pkg/internal/registry', 'end_device_euis_taken', { attributes })),
      asked('PUT', '/x'),
    )
    expect(error).toMatchObject({ code: 'EuisTaken', fault: { attributes } })
    expect(error.message).toContain('device meter-1 of application other')
  })

  test('names rights that are missing', () => {
    const attributes = { missing: ['RIGHT_APPLICATION_DEVICES_WRITE'], uid: 'app@tenant' }
    const error = errorOf(
      answer(403, details('pkg/auth/rights', 'insufficient_application_rights', { attributes })),
      asked('PUT', '/x'),
    )
    expect(error).toMatchObject({ code: 'MissingRight', refusesCredentials: true })
    expect(error.message).toContain('RIGHT_APPLICATION_DEVICES_WRITE')
  })

  test('tells a wrapped key, and does not take it for a device that is not there', () => {
    const attributes = { label: 'is/old' }
    const error = errorOf(
      answer(404, details('pkg/crypto/cryptoutil', 'key_not_found', { attributes })),
      asked('GET', '/x'),
    )
    expect(error).toMatchObject({ code: 'WrappedKey' })
    expect(error.message).toContain('is/old')
  })

  test('takes the names of older versions, whose namespaces differ', () => {
    const error = errorOf(answer(404, details('pkg/store', 'end_device_not_found')), asked('GET', '/x'))
    expect(error).toMatchObject({ code: 'DeviceNotFound', fault: { name: 'pkg/store:end_device_not_found' } })
  })

  test.each([
    [400, 'none'],
    [404, 'none'],
    [408, 'unknown'],
    [409, 'none'],
    [425, 'unknown'],
    [429, 'none'],
    [499, 'unknown'],
    [500, 'unknown'],
    [501, 'none'],
    [503, 'unknown'],
  ])('of status %i tells that the effect of a write is %s, and of a read none', (status, effect) => {
    expect(errorOf(answer(status, {}), asked('PUT', '/x')).fault.effect).toBe(effect)
    expect(errorOf(answer(status, {}), asked('GET', '/x')).fault.effect).toBe('none')
  })

  test('of a transaction that was aborted leaves the effect open', () => {
    const body = { ...(details('pkg/redis', 'transaction_failed') as object), code: 10 }
    expect(errorOf(answer(409, body), asked('PUT', '/x'))).toMatchObject({
      code: 'ConcurrentWrite',
      fault: { effect: 'unknown' },
    })
  })

  test('passes on no attribute that may hold a value, and no reason that does', () => {
    const key = 'A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3'
    const body = details('pkg/networkserver', 'field_value', {
      attributes: { field: 'session.keys', value: key, other: key },
      cause: { name: 'validation', attributes: { reason: `must not be ${key}` } },
    })
    const error = errorOf(answer(400, body), asked('PUT', '/x'))
    expect(inspect(error, { depth: 10 })).not.toContain(key)
    expect(error.message).toContain('session.keys')
  })

  test('whose own words quote what was sent shows none of it', () => {
    const key = 'A0B1C2D3E4F5A0B1C2D3E4F5A0B1C2D3'
    const apiKey = 'NNSXS.ABCDEFGHIJKLMNOPQRST.UVWXYZ234567ABCDEFGHIJKLMNOPQRST'
    for (const said of [key, key.toLowerCase(), Buffer.from(key, 'hex').toString('base64'), apiKey]) {
      const attributes = { field: said, path: said, missing: [said] }
      // A key in small letters looks as a correlation id does, and can not be told from one.
      const correlation_id = said === key.toLowerCase() ? '0'.repeat(32) : said
      const rest = { attributes, correlation_id, cause: { name: said, attributes: { field: said } } }
      for (const body of [details('pkg/echo', said, rest), details(said, 'validation', rest)])
        expect(inspect(errorOf(answer(400, body), asked('PUT', '/x')), { depth: 10 })).not.toContain(said)
    }
  })

  test('of the JSON decoder gives the path of the field and not its value', () => {
    const key = 'A0B1C2'
    const message = `unmarshal error at path "end_device.root_keys.app_key.key": invalid ${key}`
    const error = errorOf(answer(400, { code: 3, message }), asked('PUT', '/x'))
    expect(error).toMatchObject({
      code: 'InvalidField',
      fault: { attributes: { field: 'root_keys.app_key.key' } },
    })
    expect(inspect(error)).not.toContain(key)
  })

  test('is made of anything', () => {
    for (const body of [null, 'x', [], 7, { details: 'x' }, { details: [7] }, { details: [{}] }, undefined]) {
      for (const status of [400, 403, 404, 409, 418, 500]) {
        expect(errorOf({ status, headers: {}, body }, asked('PUT', '/x')).code).toMatch(/^[A-Z]/)
      }
    }
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningSimulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts'

let simulator: RunningSimulator
const start = async (options: SimulatorOptions = {}): Promise<void> => {
  simulator = await startSimulator(options)
}
beforeEach(() => start())
afterEach(() => simulator.close())

const source = () => simulator.networks[0]
const url = (): string => source().url

const api = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${url()}/api/v3${path}`, {
    method,
    headers: { authorization: `Bearer ${source().apiKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const arm = async (...faults: readonly object[]): Promise<void> => {
  const response = await fetch(`${url()}/simulator/v1/faults`, {
    method: 'POST',
    body: JSON.stringify({ faults }),
  })
  expect(response.status, await response.clone().text()).toBe(200)
}

const rename = (name: string): Promise<Response> =>
  api('PUT', '/applications/building-a/devices/meter-102', {
    end_device: { name },
    field_mask: { paths: ['name'] },
  })

const nameOf = async (): Promise<unknown> => {
  const response = await api('GET', '/applications/building-a/devices/meter-102?field_mask=name')
  return ((await response.json()) as { name?: string }).name
}

describe('faults', () => {
  it('answer with a status before the effect, so that nothing happens', async () => {
    await arm({
      registry: 'is',
      method: 'PUT',
      times: 1,
      when: 'before',
      do: { status: 503, headers: { 'Retry-After': '1' } },
    })
    const refused = await rename('new')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await nameOf()).toBe('Meter 102')
    expect((await rename('new')).status).toBe(200)
  })

  it('answer with a status after the effect, so that the write was made', async () => {
    await arm({ registry: 'is', method: 'PUT', when: 'after', do: { status: 504, body: { code: 4 } } })
    const lost = await rename('new')
    expect(lost.status).toBe(504)
    expect(await lost.json()).toEqual({ code: 4 })
    expect(await nameOf()).toBe('new')
  })

  it('meet the nth request of a registry and path alone', async () => {
    await arm({ registry: 'ns', path: 'meter-102', nth: 2, do: { status: 500 } })
    const read = () =>
      api('GET', '/ns/applications/building-a/devices/meter-102').then(({ status }) => status)
    expect(
      await api('GET', '/js/applications/building-a/devices/meter-102').then(({ status }) => status),
    ).toBe(200)
    expect([await read(), await read(), await read()]).toEqual([200, 500, 200])
  })

  it('meet the nth request and those after it, as often as they are told', async () => {
    await arm({ path: '/auth_info', nth: 2, times: 2, do: { status: 429 } })
    const read = () => api('GET', '/auth_info').then(({ status }) => status)
    expect([await read(), await read(), await read(), await read()]).toEqual([200, 429, 429, 200])
  })

  it('are cleared', async () => {
    await arm({ do: { status: 500 } })
    expect((await api('GET', '/auth_info')).status).toBe(500)
    await fetch(`${url()}/simulator/v1/faults`, { method: 'DELETE' })
    expect((await api('GET', '/auth_info')).status).toBe(200)
  })

  it('reset the connection after the effect', async () => {
    await arm({ method: 'PUT', when: 'after', do: { reset: true } })
    await expect(rename('new')).rejects.toThrow()
    expect(await nameOf()).toBe('new')
  })

  it('cut an answer short', async () => {
    await arm({ method: 'GET', times: 1, when: 'after', do: { truncate: true } })
    const response = await api('GET', '/applications/building-a/devices')
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  })

  it('answer with a page of HTML', async () => {
    await arm({ do: { html: 502 } })
    const response = await api('GET', '/auth_info')
    expect(response.status).toBe(502)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(await response.text()).toContain('<html>')
  })

  it('let a request hang, then answer it', async () => {
    await arm({ times: 1, do: { hang: 150 } })
    await expect(api('GET', '/auth_info').then(({ status }) => status)).resolves.toBe(200)
    await arm({ times: 1, do: { hang: 60_000 } })
    await expect(fetch(`${url()}/api/v3/auth_info`, { signal: AbortSignal.timeout(100) })).rejects.toThrow()
  })

  it('hold a request until its token is released', async () => {
    await arm({ method: 'PUT', when: 'before', do: { hold: 'gate' } })
    const waiting = rename('held')
    const release = () =>
      fetch(`${url()}/simulator/v1/release`, {
        method: 'POST',
        body: JSON.stringify({ token: 'gate' }),
      }).then((response) => response.json())
    let released = 0
    while (released === 0) {
      expect(await nameOf()).toBe('Meter 102')
      released = ((await release()) as { released: number }).released
    }
    expect((await waiting).status).toBe(200)
    expect(await nameOf()).toBe('held')
  })

  it('answer reads with the value before the last write', async () => {
    await arm({ method: 'GET', nth: 1, do: { stale: true } })
    expect((await rename('new')).status).toBe(200)
    expect(await nameOf()).toBe('Meter 102')
    expect(await nameOf()).toBe('new')
  })

  const victim = async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    return { pid: child.pid, ended: once(child, 'exit') }
  }

  it('kill the client after the effect, which stays', async () => {
    const { pid, ended } = await victim()
    await arm({ method: 'PUT', when: 'after', do: { kill: pid } })
    expect((await rename('written')).status).toBe(200)
    expect((await ended)[1]).toBe('SIGKILL')
    expect(await nameOf()).toBe('written')
  })

  it('kill the client before the effect, which does not come', async () => {
    const { pid, ended } = await victim()
    await arm({ method: 'PUT', when: 'before', times: 1, do: { kill: pid } })
    await expect(rename('written')).rejects.toThrow()
    expect((await ended)[1]).toBe('SIGKILL')
    expect(await nameOf()).toBe('Meter 102')
  })

  it('are refused when they can not be read', async () => {
    for (const fault of [
      { do: { explode: true } },
      { path: '(', do: { reset: true } },
      { registry: 'xs', do: { reset: true } },
      { when: 'later', do: { reset: true } },
      {},
    ]) {
      const response = await fetch(`${url()}/simulator/v1/faults`, {
        method: 'POST',
        body: JSON.stringify({ faults: [fault] }),
      })
      expect(response.status, JSON.stringify(fault)).toBe(400)
    }
    expect((await api('GET', '/auth_info')).status).toBe(200)
  })
})

describe('the control API', () => {
  it('lists the requests with their status, without bodies', async () => {
    await rename('new')
    await api('GET', '/no/such/path')
    const { requests } = (await (await fetch(`${url()}/simulator/v1/requests`)).json()) as {
      requests: unknown
    }
    expect(requests).toEqual([
      { method: 'PUT', path: '/applications/building-a/devices/meter-102', status: 200 },
      { method: 'GET', path: '/no/such/path', status: 404 },
    ])
  })

  it('shows the stores of the four registries as they are', async () => {
    const store = (await (await fetch(`${url()}/simulator/v1/store`)).json()) as Record<
      string,
      Record<string, Record<string, unknown>>
    >
    expect(Object.keys(store['identityServer'] ?? {}).length).toBe(simulator.sampleDevices.length)
    expect(store['networkServer']?.['building-a/sensor-half']).toBeUndefined()
    expect(store['joinServer']?.['building-a/meter-102']).toMatchObject({
      root_keys: { app_key: { key: 'A1'.repeat(16) } },
    })
    expect(store['identityServer']?.['building-a/meter-102']).not.toHaveProperty('root_keys')
  })
})

describe('the options', () => {
  it('empty leaves the applications out', async () => {
    await simulator.close()
    await start({ empty: true })
    expect(simulator.sampleDevices).toEqual([])
    const response = await api('GET', '/applications')
    expect(response.headers.get('x-total-count')).toBe('0')
    const created = await api('POST', '/users/admin/applications', {
      application: { ids: { application_id: 'building-a' } },
    })
    expect(created.status).toBe(200)
  })

  it('latency delays each answer', async () => {
    await simulator.close()
    await start({ latencyMs: 60 })
    const before = performance.now()
    await api('GET', '/auth_info')
    expect(performance.now() - before).toBeGreaterThanOrEqual(59)
  })

  it('split serves the Identity Server of the target on a port of its own', async () => {
    await simulator.close()
    await start({ split: true })
    const [first, target] = simulator.networks
    expect(first.identityUrl).toBeUndefined()
    const get = async (base: string | undefined, path: string) => {
      const response = await fetch(`${base}/api/v3${path}`, {
        headers: { authorization: `Bearer ${target.apiKey}` },
      })
      return { status: response.status, body: await response.json() }
    }
    const notServed = { status: 404, body: { code: 5, message: 'Not Found' } }
    expect(await get(target.url, '/auth_info')).toEqual(notServed)
    expect(await get(target.url, '/applications/building-a/devices')).toEqual(notServed)
    expect(await get(target.identityUrl, '/ns/net_id')).toEqual(notServed)
    expect(await get(target.identityUrl, '/js/applications/building-a/devices/a-device')).toEqual(notServed)
    expect((await get(target.identityUrl, '/applications/building-a/devices')).status).toBe(200)
    expect((await get(target.url, '/ns/net_id')).body).toEqual({ net_id: '000013' })
    expect((await get(target.url, '/configuration/phy-versions')).status).toBe(200)
    expect((await get(target.identityUrl, '/configuration/phy-versions')).status).toBe(200)
  })

  it('port fixes the first port', async () => {
    await simulator.close()
    const tries = Array.from({ length: 20 }, (_, index) => 20_000 + ((process.pid + index * 251) % 10_000))
    const ports = async (): Promise<number> => {
      for (const port of tries) {
        const started = await startSimulator({ port }).catch(() => undefined)
        if (started === undefined) continue
        simulator = started
        return port
      }
      throw new Error('every port that was tried is taken')
    }
    const port = await ports()
    expect(simulator.networks.map((network) => Number(new URL(network.url).port))).toEqual([port, port + 1])
    await expect(startSimulator({ port })).rejects.toThrow()
  })

  it('rate limits each method, entity and token apart', async () => {
    await simulator.close()
    await start({ rate: { limit: 2, windowMs: 60_000 } })
    const read = (device: string) => api('GET', `/ns/applications/building-a/devices/${device}`)
    expect((await read('meter-102')).headers.get('x-rate-limit-available')).toBe('1')
    expect((await read('meter-102')).headers.get('x-rate-limit-available')).toBe('0')
    const refused = await read('meter-102')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('x-rate-limit-retry'))).toBeGreaterThan(0)
    expect((await read('meter-103')).status).toBe(200)
    expect(
      (
        await api('PUT', '/ns/applications/building-a/devices/meter-102', {
          end_device: {},
          field_mask: { paths: [] },
        })
      ).status,
    ).toBe(200)
    const target = simulator.networks[1]
    const elsewhere = await fetch(`${target.url}/api/v3/applications/building-a/devices`, {
      headers: { authorization: `Bearer ${target.apiKey}` },
    })
    expect(elsewhere.headers.get('x-rate-limit-available')).toBe('1')
  })

  it('clock gives the time of the networks', async () => {
    await simulator.close()
    await start({ clock: () => new Date('2030-05-06T07:08:09.123Z') })
    const { body } = { body: (await (await rename('new')).json()) as { updated_at: string } }
    expect(body.updated_at).toMatch(/^2030-05-06T07:08:09\.\d{6}Z$/)
  })
})

import { describe, expect, test } from 'vitest'
import type { ThingsStackEnd } from '../../../src/domain/migration-plan.ts'
import { serverAddresses, serverUrls } from '../../../src/networks/things-stack/servers.ts'

const end = (url: string, servers: ThingsStackEnd['servers'] = {}): ThingsStackEnd => ({
  network: 'things-stack',
  url,
  servers,
  application: 'app',
  apiKey: { env: 'KEY' },
  insecure: false,
})

const all = (origin: string) => ({ identity: origin, join: origin, network: origin, application: origin })

describe('the servers of an end', () => {
  test.each([
    ['https://stack.example.org', 'https://stack.example.org'],
    ['https://stack.example.org/console/', 'https://stack.example.org'],
    ['https://stack.example.org:8885', 'https://stack.example.org:8885'],
    ['http://127.0.0.1:1885', 'http://127.0.0.1:1885'],
    ['https://acme.eu1.cloud.thethings.industries', 'https://acme.eu1.cloud.thethings.industries'],
    ['https://eu1.cloud.thethings.network', 'https://eu1.cloud.thethings.network'],
    ['https://nam1.cloud.thethings.network.example.org', 'https://nam1.cloud.thethings.network.example.org'],
  ])('are all at one host for %s', (url, origin) => {
    expect(serverUrls(end(url))).toEqual(all(origin))
  })

  test.each([
    ['https://acme.nam1.cloud.thethings.industries', 'https://acme.eu1.cloud.thethings.industries'],
    ['https://acme-2.eu2.cloud.thethings.industries', 'https://acme-2.eu1.cloud.thethings.industries'],
    ['https://au1.cloud.thethings.network', 'https://eu1.cloud.thethings.network'],
  ])('have their Identity Server in eu1 for %s', (url, identity) => {
    expect(serverUrls(end(url))).toEqual({ ...all(url), identity })
  })

  test('are those that the plan names', () => {
    const servers = { identity: 'https://is.example.org/', join: 'https://js.example.org:8885' }
    expect(serverUrls(end('https://nam1.cloud.thethings.network', servers))).toEqual({
      identity: 'https://is.example.org',
      join: 'https://js.example.org:8885',
      network: 'https://nam1.cloud.thethings.network',
      application: 'https://nam1.cloud.thethings.network',
    })
  })
})

describe('server addresses of a device', () => {
  test('are host names of the registries', () => {
    const urls = serverUrls(end('https://acme.nam1.cloud.thethings.industries'))
    expect(serverAddresses(urls)).toEqual({
      network_server_address: 'acme.nam1.cloud.thethings.industries',
      application_server_address: 'acme.nam1.cloud.thethings.industries',
      join_server_address: 'acme.nam1.cloud.thethings.industries',
    })
  })

  test('hold no port, which would be that of gRPC', () => {
    const urls = serverUrls(end('https://stack.example.org:8885'))
    expect(serverAddresses(urls)).toHaveProperty('network_server_address', 'stack.example.org')
  })

  test.each(['http://127.0.0.1:1885', 'https://127.0.0.1:8885', 'https://localhost', 'https://[::1]:1'])(
    'are left out for %s',
    (url) => expect(serverAddresses(serverUrls(end(url)))).toEqual({}),
  )
})

import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { type NetworkError, type NetworkPort, Secret, type TtnV2End } from '../../src/index.ts'
import { errorOf } from '../../src/networks/ttn-v2/errors.ts'
import { createTtnV2 } from '../../src/networks/ttn-v2/index.ts'
import { type RunningSimulator, type SimulatedV2, startSimulator } from '../../src/simulator/index.ts'
import { call } from '../support/stack-api.ts'
import { callV2 } from '../support/v2.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const start = async (devices = 0): Promise<SimulatedV2> => {
  const running: RunningSimulator = await startSimulator({
    empty: true,
    ttnV2: { requestsPerSecond: 1_000, devices },
  })
  cleanups.push(() => running.close())
  if (running.v2 === undefined) throw new Error('no Stack V2 was started')
  return running.v2
}

const portTo = (v2: SimulatedV2, end: Partial<TtnV2End> = {}, key = v2.accessKey): NetworkPort => {
  const port = createTtnV2({
    end: {
      network: 'ttn-v2',
      address: { handler: v2.url },
      application: v2.application,
      apiKey: { env: 'V2_ACCESS_KEY' },
      defaults: {
        frequencyPlan: 'EU_863_870_TTN',
        lorawanVersion: 'MAC_V1_0_2',
        lorawanPhyVersion: 'PHY_V1_0_2_REV_B',
      },
      payloadFunctions: 'ignore',
      insecure: true,
      ...end,
    },
    accessKey: new Secret(key),
    maxConcurrency: 16,
    env: { FERRY_V2_REQUESTS_PER_SECOND: '1000' },
  })
  cleanups.push(() => port.close())
  return port
}

const listed = async (port: NetworkPort): Promise<readonly string[]> => {
  const ids: string[] = []
  for await (const page of port.list()) ids.push(...page.map(({ deviceId }) => deviceId))
  return ids
}

describe('a Stack V2 as the engine sees it', () => {
  it('is found by its discovery server, which knows the handler of the application', async () => {
    const v2 = await start()
    const port = portTo(v2, { address: { discovery: v2.discoveryUrl } })
    expect(await port.preflight('read-source')).toEqual([])
    expect(port.identity.host).toBe(new URL(v2.discoveryUrl).host)
    const other = portTo(v2, { address: { discovery: v2.discoveryUrl }, application: 'another' })
    expect(await other.preflight('read-source')).toMatchObject([{ code: 'ApplicationNotFound' }])
  })

  it('lists 1 200 devices in pages, each once, in their order [edge 78]', async () => {
    const port = portTo(await start(1_200))
    const found = await listed(port)
    expect(found).toHaveLength(1_200)
    expect(found).toEqual([...new Set(found)].sort())
  })

  it('lists anew where a device is deleted between two pages, which hides another', async () => {
    const v2 = await start(1_001)
    const network = { ...v2, apiKey: v2.accessKey }
    await call(network, 'POST', '/simulator/v1/faults', {
      faults: [{ path: 'offset=1000', nth: 1, times: 1, do: { hold: 'second page' } }],
    })
    const listing = listed(portTo(v2))
    await callV2(network, 'DELETE', '/devices/device-000000')
    let released = 0
    while (released === 0)
      released = Number(
        (await call(network, 'POST', '/simulator/v1/release', { token: 'second page' }))['released'],
      )
    const found = await listing
    expect(found).toHaveLength(1_000)
    expect(found).toContain('device-001000')
  })

  it.each([
    ['another key', 'ttn-account-v2.NOT-THE-KEY', 'CredentialRefused'],
    ['a key of another account server', 'another-issuer.NOT-THE-KEY', 'CredentialRefused'],
  ])('tells %s before anything is read, as a finding', async (_what, key, code) => {
    const v2 = await start()
    const findings = await portTo(v2, {}, key).preflight('read-source')
    expect(findings).toMatchObject([{ code, severity: 'error' }])
    expect(JSON.stringify(findings)).not.toContain('NOT-THE-KEY')
  })

  it('refuses to send the key over plain http to another machine', async () => {
    const v2 = await start()
    expect(() => portTo(v2, { address: { handler: 'http://v2.example.com:8084' } })).toThrow(
      /over plain http/,
    )
  })
})

describe('what a real Stack V2 answers', () => {
  const folder = 'test/recordings/ttn-v2'
  const codes: Readonly<Record<string, string>> = {
    '001-app-get-not-registered': 'ApplicationNotFound',
    '012-app-get-devices-only-key': 'MissingRight',
    '040-auth-none': 'CredentialRefused',
    '041-auth-key-wrong-secret': 'CredentialRefused',
    '042-auth-key-unknown-issuer': 'CredentialRefused',
    '045-auth-key-missing-devices-right': 'MissingRight',
    '048-auth-bearer-expired': 'CredentialRefused',
    '052-auth-bearer-with-access-key': 'CredentialRefused',
    '060-device-unknown': 'DeviceNotFound',
    '066-device-id-uppercase': 'InvalidField',
    '071-create-bad-hex': 'InvalidField',
    '078-create-six-attributes': 'InvalidField',
    '111-upd-fcnt-overflow': 'InvalidField',
    '117-get-deleted': 'DeviceNotFound',
    '130-rate-limited': 'RateLimited',
    '160-ns-down-get': 'ServerError',
    '170-list-40000-unpaged': 'ServerError',
  }

  it.each(Object.entries(codes))('%s is %s', (name, code) => {
    const { response } = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as {
      readonly response: { readonly status: number; readonly body_json: never }
    }
    const answer = { status: response.status, headers: {}, body: response.body_json }
    const asked = { host: 'v2.example.com', application: 'field-app', request: 'GET /x', read: true }
    const error: NetworkError = errorOf(answer, asked)
    expect(error.code).toBe(code)
    expect(error.hint).toMatch(/\S/)
    expect(error.refusesCredentials).toBe(code === 'CredentialRefused' || code === 'MissingRight')
  })

  it('leaves no recorded failure without a code of its own', () => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const { response } = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as {
        readonly response: { readonly status: number; readonly body_json?: never }
      }
      if (response.status !== 500 || response.body_json === undefined) continue
      const answer = { status: 500, headers: {}, body: response.body_json }
      const asked = { host: 'v2.example.com', application: 'field-app', request: 'PUT /x', read: false }
      expect(errorOf(answer, asked).message, file).not.toMatch(/answered 500/)
    }
  })
})

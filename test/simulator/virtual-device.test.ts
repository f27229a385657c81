import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type RunningSimulator,
  radioOf,
  type SampleDevice,
  type Send,
  startSimulator,
  virtualDeviceOf,
} from '../../src/simulator/index.ts'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'

let simulator: RunningSimulator
beforeEach(async () => {
  simulator = await startSimulator()
})
afterEach(() => simulator.close())

const sample = (id: string): SampleDevice => {
  const found = sampleDevices.find((device) => device.id === id)
  if (found === undefined) throw new Error(`no sample device ${id}`)
  return found
}

const send = (): Send => radioOf(simulator.networks[0])

const api = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
  const [{ url, apiKey }] = simulator.networks
  const response = await fetch(`${url}/api/v3${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(response.status, `${method} ${path}: ${await response.clone().text()}`).toBe(200)
  return (await response.json()) as Record<string, unknown>
}

const read = (registry: '' | 'ns' | 'js' | 'as', id: string, mask: string) =>
  api(
    'GET',
    `${registry === '' ? '' : `/${registry}`}/applications/building-a/devices/${id}?field_mask=${mask}`,
  )
const setNetwork = (id: string, device: object, ...paths: readonly string[]) =>
  api('PUT', `/ns/applications/building-a/devices/${id}`, { end_device: device, field_mask: { paths } })
const mute = (id: string) =>
  setNetwork(id, { mac_settings: { schedule_downlinks: false } }, 'mac_settings.schedule_downlinks')

const active = sampleDevices.filter(
  ({ session, multicast, id }) => session !== undefined && !multicast && id !== 'meter-muted',
)
const joining = sampleDevices.filter(
  ({ rootKeys, registeredOn, id }) =>
    rootKeys !== undefined && registeredOn === 'all' && id !== 'meter-muted',
)

describe('a device with a session', () => {
  it.each(active.map(({ id, about }) => [id, about]))(
    '%s (%s) is heard, decrypted and answered with the next counter',
    async (id) => {
      const device = virtualDeviceOf(sample(id))
      const before = sample(id).session
      const outcome = await device.uplink(send(), { confirmed: true, payload: Buffer.from('hello') })
      expect(outcome).toMatchObject({ accepted: true, fCnt: (before?.lastFCntUp ?? 0) + 1, missed: [] })
      expect(Buffer.from(outcome.uplink?.frmPayload ?? '', 'base64').toString()).toBe('hello')
      expect(outcome.downlinks).toMatchObject([{ ack: true, fCnt: (before?.lastNFCntDown ?? 0) + 1 }])
      const { session } = await read('ns', id, 'session.last_f_cnt_up,session.last_n_f_cnt_down')
      expect(session).toEqual({ last_f_cnt_up: outcome.fCnt, last_n_f_cnt_down: outcome.downlinks[0]?.fCnt })
    },
  )

  it('is told apart by its integrity code', async () => {
    const stranger = virtualDeviceOf({
      ...sample('meter-102'),
      session: {
        ...(sample('meter-103').session ?? never()),
        devAddr: sample('meter-102').session?.devAddr ?? '',
      },
    })
    expect(await stranger.uplink(send())).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('integrity code'),
    })
  })

  it('may not use a counter twice, nor leave a gap of more than 16384 below LoRaWAN 1.0.4', async () => {
    const at = (id: string, lastFCntUp: number) =>
      virtualDeviceOf({ ...sample(id), session: { ...(sample(id).session ?? never()), lastFCntUp } })
    expect(await at('meter-102', 1233).uplink(send())).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('already been used'),
    })
    expect((await at('meter-102', 1000).uplink(send())).accepted).toBe(false)
    expect((await at('meter-102', 1234 + 16_384).uplink(send())).accepted).toBe(false)
    expect((await at('meter-102', 1233 + 16_384).uplink(send())).accepted).toBe(true)
    expect((await at('meter-104', 311 + 20_000).uplink(send())).accepted).toBe(true)
  })

  it('is not heard on a channel that the network does not know of', async () => {
    const device = virtualDeviceOf(sample('valve-abp'))
    expect(await device.uplink(send(), { frequency: 867_100_000 })).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('channels'),
    })
    expect((await device.uplink(send(), { frequency: 868_300_000 })).accepted).toBe(true)
  })

  it('is not heard through a gateway of another network', async () => {
    const [source, target] = simulator.networks
    const stray = radioOf({ url: source.url, gatewayEui: target.gatewayEui })
    expect(await virtualDeviceOf(sample('meter-102')).uplink(stray)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('gateway'),
    })
  })

  it('starts again at 0 only where resets_f_cnt allows it', async () => {
    const allowed = virtualDeviceOf(sample('valve-resets'))
    allowed.resetCounters()
    expect(await allowed.uplink(send(), { confirmed: true })).toMatchObject({ accepted: true, fCnt: 0 })
    const forbidden = virtualDeviceOf(sample('valve-abp'))
    forbidden.resetCounters()
    expect((await forbidden.uplink(send())).accepted).toBe(false)
  })

  it('with 16-bit counters is lost when they start again, unless its network resets them', async () => {
    const device = virtualDeviceOf(sample('valve-16-bit'))
    expect((await device.uplink(send())).accepted).toBe(true)
    expect((await device.uplink(send())).accepted).toBe(true)
    expect(await device.uplink(send())).toMatchObject({ accepted: false, fCnt: 0 })
    await setNetwork('valve-16-bit', { mac_settings: { resets_f_cnt: true } }, 'mac_settings.resets_f_cnt')
    expect((await device.uplink(send())).accepted).toBe(true)
  })

  it('learns another RX1 delay, and is answered after it from then on', async () => {
    const device = virtualDeviceOf(sample('meter-102'))
    const first = await device.uplink(send(), { confirmed: true })
    expect(first.downlinks[0]?.commands.map(({ id }) => id)).toContain(8)
    expect((await read('ns', 'meter-102', 'mac_state.current_parameters.rx1_delay'))['mac_state']).toEqual({
      current_parameters: { rx1_delay: 1 },
    })
    expect(device.rx1Delay).toBe(5)
    const second = await device.uplink(send(), { confirmed: true })
    expect(second).toMatchObject({ accepted: true, missed: [] })
    expect(second.downlinks.length).toBe(1)
    expect((await read('ns', 'meter-102', 'mac_state.current_parameters.rx1_delay'))['mac_state']).toEqual({
      current_parameters: { rx1_delay: 5 },
    })
  })

  it('whose RX timing answer is on its way is understood, since the request is pending', async () => {
    const device = virtualDeviceOf({ ...sample('meter-timing'), rx1Delay: 5 })
    const state = await read('ns', 'meter-timing', 'mac_state.pending_requests')
    expect(state['mac_state']).toEqual({
      pending_requests: [{ cid: 'CID_RX_TIMING_SETUP', rx_timing_setup_req: { delay: 5 } }],
    })
    expect((await device.uplink(send(), { confirmed: true })).missed.join()).toContain('listens after 5 s')
  })

  it('misses what is sent after another delay than its own', async () => {
    await setNetwork(
      'meter-103',
      { mac_state: { current_parameters: { rx1_delay: 1 } } },
      'mac_state.current_parameters.rx1_delay',
    )
    const outcome = await virtualDeviceOf(sample('meter-103')).uplink(send(), { confirmed: true })
    expect(outcome).toMatchObject({
      accepted: true,
      downlinks: [],
      missed: [expect.stringContaining('1 s after the uplink')],
    })
  })

  it('is counted but not answered while it is muted', async () => {
    await mute('meter-103')
    const device = virtualDeviceOf(sample('meter-103'))
    expect(await device.uplink(send(), { confirmed: true })).toMatchObject({
      accepted: true,
      downlinks: [],
      missed: [],
    })
    expect((await read('ns', 'meter-103', 'session.last_f_cnt_up'))['session']).toEqual({
      last_f_cnt_up: 70_001,
    })
    await setNetwork('meter-103', {}, 'mac_settings.schedule_downlinks')
    expect((await device.uplink(send(), { confirmed: true })).downlinks).toMatchObject([
      { ack: true, fCnt: 813 },
    ])
  })

  it('gets queued application downlinks, with its counter', async () => {
    await api('POST', '/as/applications/building-a/devices/meter-103/down/push', {
      downlinks: [
        { f_port: 9, frm_payload: 'AQID' },
        { f_port: 10, frm_payload: 'BA==', confirmed: true },
      ],
    })
    const device = virtualDeviceOf(sample('meter-103'))
    const first = await device.uplink(send())
    expect(first.downlinks).toMatchObject([
      { fPort: 9, fCnt: 813, ack: false, confirmed: false, payload: Buffer.from([1, 2, 3]) },
    ])
    const second = await device.uplink(send(), { confirmed: true })
    expect(second.downlinks).toMatchObject([
      { fPort: 10, fCnt: 814, ack: true, confirmed: true, payload: Buffer.from([4]) },
    ])
    expect(await api('GET', '/as/applications/building-a/devices/meter-103/down')).toEqual({})
  })

  it('uses counters of their own for application downlinks from LoRaWAN 1.1 on', async () => {
    await api('POST', '/as/applications/building-a/devices/sensor-110/down/push', {
      downlinks: [{ f_port: 9, frm_payload: 'AQID' }],
    })
    const device = virtualDeviceOf(sample('sensor-110'))
    expect((await device.uplink(send())).downlinks).toMatchObject([
      { fPort: 9, fCnt: 7, payload: Buffer.from([1, 2, 3]) },
    ])
    expect((await device.uplink(send(), { confirmed: true })).downlinks).toMatchObject([
      { fPort: undefined, fCnt: 15, ack: true },
    ])
  })

  it('reaches no application while the session key ids differ', async () => {
    await api('PUT', '/as/applications/building-a/devices/meter-103', {
      end_device: { session: { keys: { session_key_id: 'AAAAAAAAAAAAAAAAAAAA/w==' } } },
      field_mask: { paths: ['session.keys.session_key_id'] },
    })
    const outcome = await virtualDeviceOf(sample('meter-103')).uplink(send())
    expect(outcome.accepted).toBe(true)
    expect(outcome.uplink).toBeUndefined()
  })

  it('that is imported without activated_at is activated by its first uplink', async () => {
    await api('POST', '/applications/building-a/devices', {
      end_device: { ids: { device_id: 'fresh-1', dev_eui: '70B3D57ED01000F1' } },
    })
    const session = { dev_addr: '270000F1', keys: { f_nwk_s_int_key: { key: 'F1'.repeat(16) } } }
    await setNetwork(
      'fresh-1',
      {
        ids: { dev_eui: '70B3D57ED01000F1' },
        supports_join: false,
        lorawan_version: 'MAC_V1_0_3',
        lorawan_phy_version: 'PHY_V1_0_3_REV_A',
        frequency_plan_id: 'EU_863_870_TTN',
        session,
      },
      'supports_join',
      'lorawan_version',
      'lorawan_phy_version',
      'frequency_plan_id',
      'session.dev_addr',
      'session.keys.f_nwk_s_int_key.key',
    )
    await api('PUT', '/as/applications/building-a/devices/fresh-1', {
      end_device: {
        ids: { dev_eui: '70B3D57ED01000F1' },
        session: { dev_addr: '270000F1', keys: { app_s_key: { key: 'F2'.repeat(16) } } },
      },
      field_mask: { paths: ['session.dev_addr', 'session.keys.app_s_key.key'] },
    })
    expect(await read('', 'fresh-1', 'activated_at,last_seen_at')).not.toHaveProperty('activated_at')
    const keys = {
      fNwkSIntKey: 'F1'.repeat(16),
      sNwkSIntKey: 'F1'.repeat(16),
      nwkSEncKey: 'F1'.repeat(16),
      appSKey: 'F2'.repeat(16),
    }
    const device = virtualDeviceOf({
      ...sample('valve-abp'),
      session: { devAddr: '270000F1', keys, lastFCntUp: 0, lastNFCntDown: 0, lastAFCntDown: 0 },
    })
    device.resetCounters()
    expect(await device.uplink(send())).toMatchObject({ accepted: true, fCnt: 0 })
    const seen = await read('', 'fresh-1', 'activated_at,last_seen_at')
    expect(seen).toHaveProperty('activated_at')
    expect(seen).toHaveProperty('last_seen_at')
  })
})

describe('a device that joins', () => {
  it.each(joining.map(({ id, about }) => [id, about]))(
    '%s (%s) takes the accept, and its first uplink makes the session',
    async (id) => {
      const device = virtualDeviceOf(sample(id))
      const joined = await device.join(send())
      expect(joined).toMatchObject({ accepted: true, joined: true, missed: [] })
      const pending = await read('ns', id, 'session.dev_addr,pending_session.dev_addr')
      expect(pending['pending_session']).toEqual({ dev_addr: joined.accept?.devAddr })
      expect(pending['session']).toEqual(
        sample(id).session === undefined ? undefined : { dev_addr: sample(id).session?.devAddr },
      )
      const first = await device.uplink(send(), { confirmed: true, payload: Buffer.from('first') })
      expect(first).toMatchObject({
        accepted: true,
        fCnt: 0,
        missed: [],
        downlinks: [{ ack: true, fCnt: 0 }],
      })
      expect(Buffer.from(first.uplink?.frmPayload ?? '', 'base64').toString()).toBe('first')
      const now = await read(
        'ns',
        id,
        'session.dev_addr,session.last_f_cnt_up,pending_session.dev_addr,pending_mac_state',
      )
      expect(now['session']).toEqual({ dev_addr: joined.accept?.devAddr })
      expect(now).not.toHaveProperty('pending_session')
      expect(now).not.toHaveProperty('pending_mac_state')
      const application = await read('as', id, 'session,pending_session')
      expect(application).toMatchObject({ session: { dev_addr: joined.accept?.devAddr } })
      expect(application).not.toHaveProperty('pending_session')
      expect((await device.uplink(send(), { confirmed: true })).downlinks).toMatchObject([
        { ack: true, fCnt: 1 },
      ])
    },
  )

  it('may not use a DevNonce twice', async () => {
    const again = (id: string, lastDevNonce: number) =>
      virtualDeviceOf({ ...sample(id), lastDevNonce, lastJoinNonce: 0 }).join(send())
    expect(await again('meter-103', 1901)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('already been used'),
    })
    expect((await again('meter-103', 99)).accepted).toBe(true)
    expect(await again('meter-104', 11)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('too small'),
    })
    expect((await again('meter-104', 12)).accepted).toBe(true)
  })

  it('needs its own root key, and the NwkKey where one is stored', async () => {
    const wrong = virtualDeviceOf({ ...sample('meter-103'), rootKeys: { appKey: 'EE'.repeat(16) } })
    expect(await wrong.join(send())).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('integrity code'),
    })
    const withAppKey = virtualDeviceOf({
      ...sample('sensor-nwkkey'),
      rootKeys: { appKey: sample('sensor-nwkkey').rootKeys?.appKey ?? '' },
    })
    expect((await withAppKey.join(send())).accepted).toBe(false)
    expect((await read('js', 'meter-103', 'used_dev_nonces,last_join_nonce'))['last_join_nonce']).toBe(7)
  })

  it('is processed but not answered while it is muted', async () => {
    await mute('meter-103')
    expect(await virtualDeviceOf(sample('meter-103')).join(send())).toMatchObject({
      accepted: true,
      joined: false,
      missed: [],
    })
    expect(await read('js', 'meter-103', 'used_dev_nonces,last_join_nonce')).toMatchObject({
      used_dev_nonces: [5, 1902, 1903],
      last_join_nonce: 8,
    })
    expect((await read('ns', 'meter-103', 'session.dev_addr'))['session']).toEqual({ dev_addr: '27001002' })
    expect((await virtualDeviceOf(sample('meter-103')).uplink(send())).accepted).toBe(true)
  })

  it('may not join when it is activated by personalisation, half-registered or unknown', async () => {
    expect(
      (
        await virtualDeviceOf({
          ...sample('valve-abp'),
          joinEui: '70B3D57ED0001000',
          rootKeys: { appKey: 'A1'.repeat(16) },
        }).join(send())
      ).accepted,
    ).toBe(false)
    expect((await virtualDeviceOf(sample('sensor-half')).join(send())).accepted).toBe(false)
    const target = radioOf(simulator.networks[1])
    expect((await virtualDeviceOf(sample('meter-103')).join(target)).accepted).toBe(false)
  })

  it('with a pending session alone makes it its session by sending', async () => {
    const outcome = await virtualDeviceOf(sample('sensor-joining')).uplink(send(), { confirmed: true })
    expect(outcome).toMatchObject({ accepted: true, fCnt: 0, downlinks: [{ ack: true, fCnt: 0 }] })
    expect((await read('ns', 'sensor-joining', 'session.dev_addr'))['session']).toEqual({
      dev_addr: '27001007',
    })
  })
})

describe('a multicast group', () => {
  it('is never heard', async () => {
    expect((await virtualDeviceOf(sample('lamps-group')).uplink(send())).accepted).toBe(false)
  })
})

const never = (): never => {
  throw new Error('a sample device lacks its session')
}

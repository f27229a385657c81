import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createVirtualDevice,
  type RunningSimulator,
  startSimulator,
  virtualDeviceOf,
} from '../../src/simulator/index.ts'
import { type Client, clientOf, sample, sessionOf } from './support.ts'

let simulator: RunningSimulator
let source: Client
let now: Date
beforeEach(async () => {
  now = new Date('2026-02-01T12:00:00Z')
  simulator = await startSimulator({ clock: () => now })
  source = clientOf(simulator)
})
afterEach(() => simulator.close())

const later = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000)
}
const via = (...ids: readonly string[]) => ({
  class_b_c: { gateways: ids.map((gateway_id) => ({ gateway_ids: { gateway_id } })) },
})
const plain = { f_port: 3, frm_payload: 'AQID' }

describe.each(['lamp-class-c', 'beacon-class-b'])('%s', (id) => {
  it('is sent to without an uplink, with the next counter, and the queue is empty then', async () => {
    const device = virtualDeviceOf(sample(id))
    const last = sessionOf(id).lastNFCntDown
    await source.push(id, plain, { ...plain, f_port: 4 })
    const transmissions = await source.antenna.transmissions()
    expect(transmissions).toMatchObject([
      { gatewayId: 'gw-source', frequency: 869_525_000, dataRate: 'SF9BW125' },
      { gatewayId: 'gw-source', frequency: 869_525_000, dataRate: 'SF9BW125' },
    ])
    expect(device.hear(transmissions)).toMatchObject({
      missed: [],
      downlinks: [
        { fPort: 3, fCnt: last + 1, payload: Buffer.from([1, 2, 3]), multicast: false },
        { fPort: 4, fCnt: last + 2 },
      ],
    })
    expect(await source.queue(id)).toEqual([])
    const network = await source.read('ns', id, 'session.last_n_f_cnt_down,mac_state')
    expect(network['session']).toEqual({ last_n_f_cnt_down: last + 2 })
    expect(network['mac_state']).toMatchObject({
      last_downlink_at: expect.any(String),
      last_network_initiated_downlink_at: expect.any(String),
      recent_downlinks: [
        { payload: { mac_payload: { f_port: 3, full_f_cnt: last + 1 } } },
        { payload: { mac_payload: { f_port: 4, full_f_cnt: last + 2 } } },
      ],
    })
    const application = await source.read('as', id, 'session.last_a_f_cnt_down')
    expect(application['session']).toEqual({ last_a_f_cnt_down: last + 2 })
    expect(device.hear(transmissions)).toMatchObject({ downlinks: [], missed: [{}, {}] })
    expect((await device.uplink(source.send(), { confirmed: true })).downlinks).toMatchObject([
      { ack: true, fCnt: last + 3 },
    ])
  })

  it('keeps its queue while it is muted, and is sent it by unmuting', async () => {
    await source.mute(id)
    await source.push(id, plain)
    expect(await source.antenna.transmissions()).toEqual([])
    expect(await source.queue(id)).toMatchObject([plain])
    await source.unmute(id)
    expect(virtualDeviceOf(sample(id)).hear(await source.antenna.transmissions()).downlinks).toMatchObject([
      { fPort: 3 },
    ])
    expect(await source.queue(id)).toEqual([])
  })

  it('gets the acknowledgement that was owed while it was muted', async () => {
    const device = virtualDeviceOf(sample(id))
    await source.mute(id)
    later(1)
    expect((await device.uplink(source.send(), { confirmed: true })).downlinks).toEqual([])
    await source.unmute(id)
    expect(device.hear(await source.antenna.transmissions()).downlinks).toMatchObject([
      { ack: true, fPort: undefined },
    ])
  })

  it('waits after a confirmed item for an uplink, or for its timeout', async () => {
    const device = virtualDeviceOf(sample(id))
    await source.push(id, { ...plain, confirmed: true }, { ...plain, f_port: 4, confirmed: true })
    expect(device.hear(await source.antenna.transmissions()).downlinks).toMatchObject([
      { fPort: 3, confirmed: true },
    ])
    expect(await source.queue(id)).toMatchObject([{ f_port: 4 }])
    expect(
      (await source.read('ns', id, 'mac_state.pending_application_downlink'))['mac_state'],
    ).toMatchObject({ pending_application_downlink: { f_port: 3, confirmed: true } })
    later(61)
    expect((await source.antenna.transmissions()).length).toBe(2)
    expect(await source.queue(id)).toEqual([])
  })
})

describe('a class C device', () => {
  it('is answered in its receive window, and sent the rest of its queue at once', async () => {
    const id = 'lamp-class-c'
    await source.set('ns', id, { mac_state: { recent_uplinks: [] } }, 'mac_state.recent_uplinks')
    await source.push(id, plain, { ...plain, f_port: 4 })
    expect(await source.antenna.transmissions(), 'no way to the device is known').toEqual([])
    const device = virtualDeviceOf(sample(id))
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 3 }])
    expect(await source.queue(id)).toEqual([])
    const sent = await source.antenna.transmissions()
    expect(sent.map((frame) => frame.class)).toEqual(['A', 'C'])
    expect(device.hear(sent).downlinks).toMatchObject([{ fPort: 4 }])
  })

  it('loses an item for which no gateway is left', async () => {
    const unknown = { gateway_ids: { gateway_id: 'gw-elsewhere' }, uplink_token: btoa('gw-elsewhere') }
    const { mac_state } = (await source.read('ns', 'lamp-class-c', 'mac_state.recent_uplinks')) as {
      mac_state: { recent_uplinks: object[] }
    }
    const uplinks = mac_state.recent_uplinks.map((uplink) => ({ ...uplink, rx_metadata: [unknown] }))
    await source.set(
      'ns',
      'lamp-class-c',
      { mac_state: { recent_uplinks: uplinks } },
      'mac_state.recent_uplinks',
    )
    await source.push('lamp-class-c', plain)
    expect(await source.antenna.transmissions()).toEqual([])
    expect(await source.queue('lamp-class-c')).toEqual([])
    await source.push('lamp-class-c', { ...plain, ...via('gw-nowhere', 'gw-source') })
    expect((await source.antenna.transmissions()).length).toBe(1)
  })

  it('waits for the time that an item names', async () => {
    const absolute_time = new Date(now.getTime() + 60_000).toISOString()
    await source.push('lamp-class-c', { ...plain, class_b_c: { absolute_time } })
    expect(await source.antenna.transmissions()).toEqual([])
    expect((await source.queue('lamp-class-c')).length).toBe(1)
    later(60)
    expect((await source.antenna.transmissions()).length).toBe(1)
    const late = await source.ask('POST', '/as/applications/building-a/devices/lamp-class-c/down/push', {
      downlinks: [{ ...plain, class_b_c: { absolute_time } }],
    })
    expect(late.body).toMatchObject({ details: [{ name: 'downlink_expired' }] })
  })

  it('hears nothing when it listens elsewhere, or is class A', async () => {
    await source.push('lamp-class-c', plain)
    const transmissions = await source.antenna.transmissions()
    const slow = { frequency: 869_525_000, dataRate: 'SF12BW125' }
    expect(virtualDeviceOf(sample('lamp-class-c'), { listens: slow }).hear(transmissions)).toMatchObject({
      downlinks: [],
      missed: [expect.stringContaining('listens at')],
    })
    expect(virtualDeviceOf(sample('lamp-class-c'), { deviceClass: 'A' }).hear(transmissions)).toMatchObject({
      downlinks: [],
      missed: [expect.stringContaining('class A')],
    })
    expect(virtualDeviceOf(sample('meter-102')).hear(transmissions)).toEqual({ downlinks: [], missed: [] })
  })

  it('in LoRaWAN 1.1 says that it is one, and counts what applications send apart', async () => {
    await source.set('ns', 'sensor-110', { supports_class_c: true }, 'supports_class_c')
    const device = virtualDeviceOf(sample('sensor-110'), { deviceClass: 'C' })
    await source.push('sensor-110', plain)
    expect(await source.antenna.transmissions()).toEqual([])
    expect((await device.join(source.send())).joined).toBe(true)
    expect((await device.uplink(source.send())).downlinks).toMatchObject([
      { fPort: 3, fCnt: 1, commands: [{ id: 11 }, { id: 32 }, {}] },
    ])
    await source.antenna.forget()
    await source.push('sensor-110', { ...plain, f_port: 4 })
    expect(device.hear(await source.antenna.transmissions()).downlinks).toMatchObject([{ fPort: 4, fCnt: 2 }])
    expect((await source.read('ns', 'sensor-110', 'session.last_n_f_cnt_down'))['session']).toEqual({})
  })
})

describe('a class B device', () => {
  it('is class B by the bit in its uplinks alone', async () => {
    const classOf = async () =>
      (await source.read('ns', 'beacon-class-b', 'mac_state.device_class'))['mac_state']
    await virtualDeviceOf(sample('beacon-class-b'), { deviceClass: 'A' }).uplink(source.send())
    expect(await classOf()).toEqual({})
    await source.push('beacon-class-b', plain)
    expect((await source.antenna.transmissions()).filter((frame) => frame.class === 'B')).toEqual([])
    const again = virtualDeviceOf({
      ...sample('beacon-class-b'),
      session: { ...sessionOf('beacon-class-b'), lastFCntUp: 78 },
    })
    expect((await again.uplink(source.send())).downlinks).toMatchObject([{ fPort: 3 }])
    expect(await classOf()).toEqual({ device_class: 'CLASS_B' })
  })
})

describe('a multicast group', () => {
  const group = 'lamps-group'

  it('is sent through the gateways that an item names, one of each group, and its members hear it', async () => {
    const gateway = (gateway_id: string, group_index: number) => ({
      gateway_ids: { gateway_id },
      group_index,
    })
    await source.push(group, {
      ...plain,
      class_b_c: { gateways: [gateway('gw-source', 0), gateway('gw-source', 1)] },
    })
    const transmissions = await source.antenna.transmissions()
    expect(transmissions).toMatchObject([
      { class: 'C', gatewayId: 'gw-source', frequency: 869_525_000, dataRate: 'SF12BW125' },
      { class: 'C', gatewayId: 'gw-source' },
    ])
    const heard = { fPort: 3, fCnt: 26, payload: Buffer.from([1, 2, 3]), multicast: true }
    expect(virtualDeviceOf(sample(group)).hear(transmissions)).toMatchObject({
      downlinks: [heard],
      missed: [expect.stringContaining('counter')],
    })
    const { devAddr, keys } = sessionOf(group)
    const member = virtualDeviceOf(sample('lamp-class-c'), {
      multicast: [{ devAddr, keys, lastFCntDown: 25 }],
    })
    expect(member.hear(transmissions).downlinks).toMatchObject([heard])
    expect(await source.queue(group)).toEqual([])
    const { session } = await source.read('ns', group, 'session.last_n_f_cnt_down')
    expect(session).toEqual({ last_n_f_cnt_down: 26 })
  })

  it('is only heard by those whose counter is below', async () => {
    await source.push(group, { ...plain, ...via('gw-source') })
    const { devAddr, keys } = sessionOf(group)
    const member = createVirtualDevice({
      lorawanVersion: 'MAC_V1_0_3',
      frequencyPlan: 'EU_863_870_TTN',
      rx1Delay: 1,
      dataRate: 'SF7BW125',
      channels: [868_100_000],
      deviceClass: 'C',
      multicast: [{ devAddr, keys, lastFCntDown: 26 }],
    })
    expect(member.hear(await source.antenna.transmissions())).toMatchObject({ downlinks: [], missed: [{}] })
  })

  it.each([
    ['without a gateway', plain, 404, 'no_downlink_path'],
    [
      'that is confirmed',
      { ...plain, ...via('gw-source'), confirmed: true },
      400,
      'confirmed_multicast_downlink',
    ],
  ])('takes no item %s', async (_, item, status, name) => {
    const answer = await source.ask('POST', `/as/applications/building-a/devices/${group}/down/push`, {
      downlinks: [item],
    })
    expect(answer).toMatchObject({ status, body: { details: [{ namespace: 'pkg/networkserver', name }] } })
    expect(await source.queue(group)).toEqual([])
  })

  it('may be muted, and may not be told to speak', async () => {
    const told = await source.ask('PUT', `/ns/applications/building-a/devices/${group}`, {
      end_device: { mac_settings: { schedule_downlinks: true } },
      field_mask: { paths: ['mac_settings.schedule_downlinks'] },
    })
    expect(told).toMatchObject({
      status: 400,
      body: { details: [{ attributes: { field: 'mac_settings.schedule_downlinks.value' } }] },
    })
  })

  it.each([
    ['the Network Server is ahead', 100, 25, 101],
    ['the Application Server is ahead', 25, 300, 301],
    ['the Application Server is behind', 302, 5, 303],
    ['both are equal', 200, 200, 201],
    ['the Application Server knows nothing', 500, 0, 501],
  ])('goes on from the higher counter when %s', async (_, network, application, expected) => {
    await source.set('ns', group, { session: { last_n_f_cnt_down: network } }, 'session.last_n_f_cnt_down')
    await source.set(
      'as',
      group,
      { session: { last_a_f_cnt_down: application } },
      'session.last_a_f_cnt_down',
    )
    await source.mute(group)
    await source.push(group, { ...plain, ...via('gw-source') })
    expect(await source.queue(group)).toMatchObject([{ f_cnt: expected }])
    expect((await source.read('as', group, 'session.last_a_f_cnt_down'))['session']).toEqual({
      last_a_f_cnt_down: expected,
    })
  })

  it('is sent what the Network Server holds when the Application Server has forgotten it', async () => {
    await source.mute(group)
    await source.push(group, { ...plain, ...via('gw-source') })
    await source.call('DELETE', `/as/applications/building-a/devices/${group}`)
    expect((await source.ask('GET', `/as/applications/building-a/devices/${group}/down`)).status).toBe(404)
    await source.unmute(group)
    expect(virtualDeviceOf(sample(group)).hear(await source.antenna.transmissions()).downlinks).toMatchObject(
      [{ fPort: 3, fCnt: 26 }],
    )
  })

  it('keeps its queue while it is muted', async () => {
    await source.mute(group)
    await source.push(group, { ...plain, ...via('gw-source') })
    expect(await source.antenna.transmissions()).toEqual([])
    await source.unmute(group)
    expect((await source.antenna.transmissions()).length).toBe(1)
  })
})

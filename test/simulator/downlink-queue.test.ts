import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningSimulator, startSimulator, virtualDeviceOf } from '../../src/simulator/index.ts'
import { type Client, clientOf, sample } from './support.ts'

let simulator: RunningSimulator
let source: Client
beforeEach(async () => {
  simulator = await startSimulator()
  source = clientOf(simulator)
})
afterEach(() => simulator.close())

const id = 'meter-103'
const plain = { f_port: 3, frm_payload: 'AQID' }
const counters = async () => (await source.queue(id)).map(({ f_cnt }) => f_cnt)
const pushed = (...downlinks: readonly object[]) =>
  source.ask('POST', `/as/applications/building-a/devices/${id}/down/push`, { downlinks })

describe('the downlink queue of a class A device', () => {
  it('keeps what the client gave, with its correlation ids among those of the server', async () => {
    await source.push(id, { ...plain, priority: 'HIGH', correlation_ids: ['zz:own', 'aa:own'] })
    await source.push(id, { ...plain, confirmed: true, confirmed_retry: { max_attempts: 3 } })
    const [first, second] = await source.queue(id)
    expect(first).toMatchObject({ ...plain, f_cnt: 813, priority: 'HIGH' })
    expect(first?.correlation_ids).toEqual([
      'aa:own',
      expect.stringMatching(/^as:downlink:/),
      expect.stringMatching(/^rpc:/),
      'zz:own',
    ])
    expect(second).toMatchObject({ f_cnt: 814, confirmed: true, confirmed_retry: { max_attempts: 3 } })
  })

  it('never gives a counter twice, not even when it is replaced', async () => {
    await source.push(id, plain, plain)
    expect(await counters()).toEqual([813, 814])
    await source.replace(id, plain)
    expect(await counters()).toEqual([815])
    await source.replace(id)
    expect(await source.queue(id)).toEqual([])
    expect((await source.read('as', id, 'session.last_a_f_cnt_down'))['session']).toEqual({
      last_a_f_cnt_down: 815,
    })
  })

  it('is sent one by one in answers, and an item that was sent is gone', async () => {
    const device = virtualDeviceOf(sample(id))
    await source.push(id, { ...plain, correlation_ids: ['own:1'] }, { ...plain, f_port: 4 })
    expect(await source.antenna.transmissions()).toEqual([])
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 3, fCnt: 813 }])
    expect(await source.queue(id)).toMatchObject([{ f_port: 4, f_cnt: 814 }])
    const { mac_state } = await source.read('ns', id, 'mac_state.recent_downlinks')
    expect(mac_state).toMatchObject({
      recent_downlinks: [
        {
          payload: { m_hdr: { m_type: 'UNCONFIRMED_DOWN' }, mac_payload: { f_port: 3, full_f_cnt: 813 } },
          correlation_ids: expect.arrayContaining(['own:1']),
        },
      ],
    })
    await device.uplink(source.send())
    expect(await source.queue(id)).toEqual([])
    const after = await source.read('ns', id, 'mac_state.recent_downlinks')
    const [older, newest] = (after['mac_state'] as { recent_downlinks: object[] }).recent_downlinks
    expect(older).not.toHaveProperty('correlation_ids')
    expect(newest).toHaveProperty('correlation_ids')
    expect(await source.antenna.transmissions()).toMatchObject([
      { class: 'A', gatewayId: 'gw-source' },
      { class: 'A' },
    ])
  })

  it('stays while the device is muted; unmuting alone sends nothing, the next uplink takes it', async () => {
    const device = virtualDeviceOf(sample(id))
    await source.mute(id)
    await source.push(id, plain)
    expect((await device.uplink(source.send(), { confirmed: true })).downlinks).toEqual([])
    expect(await counters()).toEqual([813])
    await source.unmute(id)
    expect(await source.antenna.transmissions()).toEqual([])
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 3, fCnt: 813 }])
  })

  it('sends a confirmed item again until it is acknowledged or has no attempts left', async () => {
    const device = virtualDeviceOf(sample(id))
    const deaf = virtualDeviceOf(sample(id))
    await source.push(id, { ...plain, confirmed: true, confirmed_retry: { max_attempts: 1 } })
    const pending = async () =>
      (await source.read('ns', id, 'mac_state.pending_application_downlink'))['mac_state']
    expect((await deaf.uplink(source.send())).downlinks).toMatchObject([{ fCnt: 813, confirmed: true }])
    expect(await pending()).toMatchObject({ pending_application_downlink: { f_port: 3, f_cnt: 813 } })
    const unaware = virtualDeviceOf({
      ...sample(id),
      session: { ...never(deaf.session), lastFCntUp: 70_001 },
    })
    expect((await unaware.uplink(source.send())).downlinks).toMatchObject([{ fCnt: 814, confirmed: true }])
    const still = virtualDeviceOf({ ...sample(id), session: { ...never(deaf.session), lastFCntUp: 70_002 } })
    expect((await still.uplink(source.send())).downlinks).toEqual([])
    expect(await pending()).toEqual({})
    expect(await source.queue(id)).toEqual([])
    expect(device.session?.lastFCntUp).toBe(70_000)

    await source.push(id, { ...plain, confirmed: true })
    expect((await still.uplink(source.send())).downlinks).toMatchObject([{ fCnt: 815, confirmed: true }])
    expect((await still.uplink(source.send())).downlinks).toEqual([])
    expect(await source.queue(id)).toEqual([])
  })

  it('is numbered anew when the network uses up its counters', async () => {
    const device = virtualDeviceOf(sample(id))
    await source.push(id, { ...plain, ...{ class_b_c: {} } }, { ...plain, f_port: 4 })
    expect((await device.uplink(source.send(), { confirmed: true })).downlinks).toMatchObject([
      { fPort: undefined, fCnt: 813 },
    ])
    expect(await counters()).toEqual([814, 815])
    expect((await source.queue(id))[1]).toMatchObject({ f_port: 4, frm_payload: 'AQID' })
  })

  it('waits, and is numbered anew, while MAC commands need a frame of their own', async () => {
    const device = virtualDeviceOf(sample('valve-abp'))
    await source.push('valve-abp', { ...plain, correlation_ids: ['own:1'] })
    expect(await source.queue('valve-abp')).toMatchObject([{ f_cnt: 34 }])
    expect((await device.uplink(source.send())).downlinks).toMatchObject([
      {
        fPort: 0,
        fCnt: 34,
        commands: [{ id: 5 }, { id: 7 }, { id: 7 }, { id: 7 }, { id: 7 }, { id: 7 }, { id: 6 }],
      },
    ])
    const [item] = await source.queue('valve-abp')
    expect(item).toMatchObject({ ...plain, f_cnt: 35 })
    expect(item?.correlation_ids).toContain('own:1')
    expect((await source.read('as', 'valve-abp', 'session.last_a_f_cnt_down'))['session']).toEqual({
      last_a_f_cnt_down: 35,
    })
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 3, fCnt: 35 }])
    expect(device.channels.length).toBe(8)
    expect((await device.uplink(source.send(), { frequency: 867_900_000 })).accepted).toBe(true)
  })

  it('goes over to the session of a join', async () => {
    const device = virtualDeviceOf(sample(id))
    await source.push(id, plain)
    await device.join(source.send())
    expect(await counters(), 'of the session that still counts').toEqual([813])
    expect((await device.uplink(source.send())).downlinks).toMatchObject([
      { fPort: 3, fCnt: 1, payload: Buffer.from([1, 2, 3]) },
    ])
    expect(await source.queue(id)).toEqual([])
  })

  it('exists for a pending session, and for no device without any', async () => {
    await source.push('sensor-joining', plain)
    expect(await source.queue('sensor-joining')).toMatchObject([{ f_port: 3, f_cnt: 1 }])
    const device = virtualDeviceOf(sample('sensor-joining'))
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 3, fCnt: 1 }])
    const none = await source.ask('POST', '/as/applications/building-a/devices/sensor-new/down/push', {
      downlinks: [plain],
    })
    expect(none).toMatchObject({ status: 400, body: { details: [{ name: 'no_device_session' }] } })
    expect(await source.queue('sensor-new')).toEqual([])
  })

  it('follows the counter that the Network Server asks for', async () => {
    await source.set('ns', id, { session: { last_n_f_cnt_down: 900 } }, 'session.last_n_f_cnt_down')
    await source.push(id, plain)
    expect(await counters()).toEqual([901])
  })

  it.each([
    ['without a port', { frm_payload: 'AQ==' }, 'no_f_port'],
    [
      'that is too long',
      { ...plain, frm_payload: Buffer.alloc(243).toString('base64') },
      'application_downlink_too_long',
    ],
    [
      'with too many attempts',
      { ...plain, confirmed: true, confirmed_retry: { max_attempts: 33 } },
      'downlink_max_retries_invalid',
    ],
  ])('takes no item %s', async (_, item, name) => {
    expect(await pushed(item)).toMatchObject({ status: 400, body: { details: [{ name }] } })
    expect(await source.queue(id)).toEqual([])
  })

  it('of a device that is class A never sends what is for class B or C', async () => {
    await source.push(id, {
      ...plain,
      class_b_c: { gateways: [{ gateway_ids: { gateway_id: 'gw-source' } }] },
    })
    expect((await virtualDeviceOf(sample(id)).uplink(source.send())).downlinks).toEqual([])
    expect((await source.queue(id)).length).toBe(1)
    expect(await source.antenna.transmissions()).toEqual([])
  })
})

const never = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('a device lacks its session')
  return value
}

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
beforeEach(async () => {
  simulator = await startSimulator()
  source = clientOf(simulator)
})
afterEach(() => simulator.close())

describe('a LoRaWAN 1.1 device', () => {
  it('joins, says RekeyInd until it is confirmed, and goes on with split counters', async () => {
    const device = virtualDeviceOf(sample('sensor-110'))
    expect((await device.join(source.send())).joined).toBe(true)
    const first = await device.uplink(source.send())
    expect(first).toMatchObject({ accepted: true, fCnt: 0, missed: [] })
    expect(first.downlinks[0]?.commands[0]).toMatchObject({ id: 11 })
    await source.push('sensor-110', { f_port: 9, frm_payload: 'AQID' }, { f_port: 10, frm_payload: 'BA==' })
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 9, fCnt: 1 }])
    expect((await device.uplink(source.send(), { confirmed: true })).downlinks).toMatchObject([
      { fPort: 10, fCnt: 2, ack: true },
    ])
    expect((await device.uplink(source.send(), { confirmed: true })).downlinks).toMatchObject([
      { fPort: undefined, fCnt: 1, ack: true },
    ])
    expect(device.session).toMatchObject({ lastFCntUp: 3, lastNFCntDown: 1, lastAFCntDown: 2 })
    expect((await source.read('ns', 'sensor-110', 'session.last_n_f_cnt_down'))['session']).toEqual({
      last_n_f_cnt_down: 1,
    })
    expect((await source.read('as', 'sensor-110', 'session.last_a_f_cnt_down'))['session']).toEqual({
      last_a_f_cnt_down: 2,
    })
  })

  it('acknowledges a confirmed downlink with a code that covers its counter', async () => {
    const device = virtualDeviceOf(sample('sensor-110'))
    await source.push('sensor-110', { f_port: 9, frm_payload: 'AQID', confirmed: true })
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ confirmed: true, fCnt: 7 }])
    expect((await device.uplink(source.send())).accepted).toBe(true)
    expect((await source.read('ns', 'sensor-110', 'session.last_conf_f_cnt_down'))['session']).toEqual({
      last_conf_f_cnt_down: 7,
    })
    expect(await source.queue('sensor-110')).toEqual([])
  })
})

describe('a device that starts its counters again', () => {
  it('with resets_f_cnt gets a new start and a new MAC state, and keeps its downlink counter', async () => {
    const device = virtualDeviceOf(sample('valve-resets'))
    await device.uplink(source.send(), { confirmed: true })
    const before = await source.read('ns', 'valve-resets', 'session.started_at,session.last_n_f_cnt_down')
    device.powerCycle()
    const again = await device.uplink(source.send(), { confirmed: true })
    expect(again).toMatchObject({ accepted: true, fCnt: 0, downlinks: [{ ack: true, fCnt: 9 }] })
    const after = await source.read(
      'ns',
      'valve-resets',
      'session.started_at,session.last_f_cnt_up,session.last_n_f_cnt_down,mac_state',
    )
    expect(before['session']).toMatchObject({ last_n_f_cnt_down: 8 })
    expect(after['session']).toMatchObject({ last_n_f_cnt_down: 9 })
    expect(after['session']).not.toHaveProperty('last_f_cnt_up')
    const started = (body: typeof after) => (body['session'] as { started_at: string }).started_at
    expect(started(after) > started(before)).toBe(true)
    expect(after['mac_state']).toMatchObject({ recent_uplinks: [{}], recent_downlinks: [{}] })
  })

  it('may not answer a MAC request with the frame that resets', async () => {
    const device = virtualDeviceOf(sample('valve-resets'))
    await device.uplink(source.send(), { confirmed: true })
    device.resetCounters()
    expect(await device.uplink(source.send())).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('answer'),
    })
  })

  it.each([
    ['while it is muted too', { schedule_downlinks: false }, 868_100_000, true],
    ['not on a channel that only the old MAC state has', {}, 867_100_000, false],
  ])('is taken %s', async (_, more, frequency, accepted) => {
    const device = virtualDeviceOf(sample('valve-resets'))
    for (let round = 0; round < 3; round += 1) await device.uplink(source.send(), { confirmed: true })
    expect(device.channels).toContain(867_100_000)
    expect((await device.uplink(source.send(), { frequency: 867_100_000 })).accepted).toBe(true)
    await source.set(
      'ns',
      'valve-resets',
      { mac_settings: { resets_f_cnt: true, ...more } },
      'mac_settings.resets_f_cnt',
      'mac_settings.schedule_downlinks',
    )
    device.powerCycle()
    expect(await device.uplink(source.send(), { frequency })).toMatchObject({ accepted, downlinks: [] })
  })

  it('above the last counter is no reset, and after resets_f_cnt was taken back it is refused', async () => {
    const at = (lastFCntUp: number) =>
      virtualDeviceOf({ ...sample('valve-resets'), session: { ...sessionOf('valve-resets'), lastFCntUp } })
    const started = async () => (await source.read('ns', 'valve-resets', 'session.started_at'))['session']
    const before = await started()
    expect((await at(52).uplink(source.send())).accepted).toBe(true)
    expect(await started()).toEqual(before)
    await source.set('ns', 'valve-resets', {}, 'mac_settings.resets_f_cnt')
    expect((await at(3).uplink(source.send())).accepted).toBe(false)
    expect(await source.read('ns', 'valve-resets', 'session.last_f_cnt_up')).toMatchObject({
      session: { last_f_cnt_up: 53 },
    })
  })

  it('with 16 bits is never heard by a network that was given a counter above 65535', async () => {
    await source.set('ns', 'valve-16-bit', { session: { last_f_cnt_up: 70_000 } }, 'session.last_f_cnt_up')
    const device = virtualDeviceOf(sample('valve-16-bit'))
    expect((await device.uplink(source.send())).accepted).toBe(false)
  })

  it('with 16 bits is refused after 65535, and taken from 0 on with resets_f_cnt', async () => {
    const at = (lastFCntUp: number) =>
      virtualDeviceOf({ ...sample('valve-16-bit'), session: { ...sessionOf('valve-16-bit'), lastFCntUp } })
    expect(await at(65_534).uplink(source.send())).toMatchObject({ accepted: true, fCnt: 65_535 })
    expect(await at(65_535).uplink(source.send())).toMatchObject({ accepted: false, fCnt: 0 })
    expect(await at(0).uplink(source.send())).toMatchObject({ accepted: false, fCnt: 1 })
    await source.set(
      'ns',
      'valve-16-bit',
      { mac_settings: { resets_f_cnt: true } },
      'mac_settings.resets_f_cnt',
    )
    expect(await at(65_535).uplink(source.send())).toMatchObject({ accepted: true, fCnt: 0 })
    expect((await source.read('ns', 'valve-16-bit', 'session.last_f_cnt_up'))['session']).toEqual({})
  })

  it('by a power cycle has no session any more when it was activated over the air', async () => {
    const device = virtualDeviceOf(sample('meter-103'))
    expect(device.wantsJoin).toBe(false)
    device.powerCycle()
    expect(device).toMatchObject({ wantsJoin: true, session: undefined, lastDevNonce: 1902 })
    await expect(device.uplink(source.send())).rejects.toThrow(/join/)
    expect((await device.join(source.send())).joined).toBe(true)
    expect(device.wantsJoin).toBe(false)
    expect((await device.uplink(source.send())).accepted).toBe(true)
  })
})

describe('a pending RX timing request', () => {
  const timing = async () =>
    (
      await source.read(
        'ns',
        'meter-102',
        'mac_state.current_parameters.rx1_delay,mac_state.pending_requests',
      )
    )['mac_state']

  it('is answered after the new delay by the uplink that answers it', async () => {
    const device = virtualDeviceOf(sample('meter-102'))
    await device.uplink(source.send(), { confirmed: true })
    expect(device.rx1Delay).toBe(5)
    expect(await timing()).toMatchObject({ pending_requests: [{ cid: 'CID_RX_TIMING_SETUP' }, {}] })
    expect(await device.uplink(source.send())).toMatchObject({ accepted: true, missed: [], downlinks: [{}] })
    expect(await timing()).toEqual({ current_parameters: { rx1_delay: 5 } })
  })

  it('is processed while the device is muted, and the device is answered when it is not', async () => {
    const device = virtualDeviceOf(sample('meter-102'))
    await device.uplink(source.send(), { confirmed: true })
    await source.mute('meter-102')
    expect((await device.uplink(source.send())).accepted).toBe(true)
    expect(await timing()).toEqual({ current_parameters: { rx1_delay: 5 } })
    await source.unmute('meter-102')
    expect(await device.uplink(source.send())).toMatchObject({ missed: [], downlinks: [{}] })
  })
})

describe('a device that is told to join anew', () => {
  it.each([
    ['by any payload on the port', { fPort: 200 }, true],
    ['by just this payload', { fPort: 200, payload: Buffer.from([0xaa]) }, true],
    ['not by another payload', { fPort: 200, payload: Buffer.from([0xbb]) }, false],
    ['not by another port', { fPort: 201 }, false],
  ])('forgets its session %s', async (_, rejoinOn, expected) => {
    const device = virtualDeviceOf(sample('meter-103'), { rejoinOn })
    await source.push('meter-103', { f_port: 200, frm_payload: 'qg==' })
    expect((await device.uplink(source.send())).downlinks).toMatchObject([{ fPort: 200 }])
    expect(device.wantsJoin).toBe(expected)
    if (expected) expect((await device.join(source.send())).joined).toBe(true)
  })

  it('by a class C transmission too', async () => {
    const device = virtualDeviceOf(sample('lamp-class-c'), { rejoinOn: { fPort: 200 } })
    await source.push('lamp-class-c', { f_port: 200, frm_payload: 'qg==' })
    device.hear(await source.antenna.transmissions())
    expect(device.wantsJoin).toBe(true)
  })
})

describe('a device that joins with factory presets of another life', () => {
  it.each([
    [8, 13],
    [4, 9],
  ])('has %i of them beside the channels of its accept', async (count, channels) => {
    const presets = sample('meter-103').channels.slice(0, count).map(String)
    await source.set(
      'ns',
      'meter-103',
      { mac_settings: { factory_preset_frequencies: presets } },
      'mac_settings.factory_preset_frequencies',
    )
    const device = virtualDeviceOf(sample('meter-103'))
    expect((await device.join(source.send())).joined).toBe(true)
    expect((await device.uplink(source.send())).accepted).toBe(true)
    const { mac_state } = await source.read('ns', 'meter-103', 'mac_state.current_parameters.channels')
    expect(
      (mac_state as { current_parameters: { channels: unknown[] } }).current_parameters.channels.length,
    ).toBe(channels)
  })
})

describe('a device that was programmed anew', () => {
  it('joins with its new keys, and no more with the old ones', async () => {
    const { devEui, joinEui } = sample('meter-103')
    const appKey = 'E7'.repeat(16)
    await source.set(
      'js',
      'meter-103',
      { ids: { dev_eui: devEui, join_eui: joinEui }, root_keys: { app_key: { key: appKey } } },
      'root_keys.app_key.key',
    )
    const made = (key: string) =>
      createVirtualDevice({
        devEui: devEui ?? '',
        joinEui: joinEui ?? '',
        lorawanVersion: 'MAC_V1_0_3',
        frequencyPlan: 'EU_863_870_TTN',
        rootKeys: { appKey: key },
        lastDevNonce: 2000,
        rx1Delay: 1,
        dataRate: 'SF7BW125',
        channels: [868_100_000, 868_300_000, 868_500_000],
      })
    expect((await made('A2'.repeat(16)).join(source.send())).joined).toBe(false)
    expect((await made(appKey).join(source.send())).joined).toBe(true)
  })
})

describe('what the Join Server remembers of a device', () => {
  const setJoin = (id: string, body: object, ...paths: readonly string[]) => {
    const { devEui: dev_eui, joinEui: join_eui } = sample(id)
    return source.set('js', id, { ids: { dev_eui, join_eui }, ...body }, ...paths)
  }
  const joinWith = (id: string, lastDevNonce: number) =>
    virtualDeviceOf({ ...sample(id), lastDevNonce, lastJoinNonce: 0 }).join(source.send())

  it('is read back as it was written, rejoin counters too', async () => {
    const fields = {
      used_dev_nonces: [7, 8],
      last_join_nonce: 90,
      resets_join_nonces: true,
      last_rj_count_0: 11,
      last_rj_count_1: 12,
    }
    const paths = Object.keys(fields)
    await setJoin('meter-103', fields, ...paths)
    expect(await source.read('js', 'meter-103', paths.join())).toMatchObject(fields)
    await setJoin('meter-104', { last_dev_nonce: 500 }, 'last_dev_nonce')
    expect(await source.read('js', 'meter-104', 'last_dev_nonce')).toMatchObject({ last_dev_nonce: 500 })
  })

  it('decides on a DevNonce, unless its nonces may start again', async () => {
    await setJoin('meter-103', { used_dev_nonces: [7, 8] }, 'used_dev_nonces')
    await setJoin('meter-104', { last_dev_nonce: 500 }, 'last_dev_nonce')
    expect((await joinWith('meter-103', 6)).accepted).toBe(false)
    expect((await joinWith('meter-104', 499)).accepted).toBe(false)
    for (const id of ['meter-103', 'meter-104'])
      await setJoin(id, { resets_join_nonces: true }, 'resets_join_nonces')
    expect((await joinWith('meter-103', 6)).accepted).toBe(true)
    expect((await joinWith('meter-104', 3)).accepted).toBe(true)
    expect(await source.read('js', 'meter-103', 'used_dev_nonces')).toMatchObject({ used_dev_nonces: [7, 8] })
    expect(await source.read('js', 'meter-104', 'last_dev_nonce')).toMatchObject({ last_dev_nonce: 4 })
  })

  it('ends with the last JoinNonce of 24 bits', async () => {
    await setJoin('meter-103', { last_join_nonce: 0xff_ffff }, 'last_join_nonce')
    expect(await joinWith('meter-103', 5000)).toMatchObject({ accepted: false })
  })
})

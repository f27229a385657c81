import { afterEach, describe, expect, it } from 'vitest'
import {
  type RunningSimulator,
  type SimulatorOptions,
  startSimulator,
  virtualDeviceOf,
} from '../../src/simulator/index.ts'
import { clientOf, sample } from './support.ts'

let simulator: RunningSimulator | undefined
afterEach(() => simulator?.close())

const start = async (options: SimulatorOptions = {}) => {
  simulator = await startSimulator(options)
  return { source: clientOf(simulator), target: clientOf(simulator, 1), networks: simulator.networks }
}

describe('a registry that is not served', () => {
  const notFound = { status: 404, body: { code: 5, message: 'Not Found' } }

  it('is unknown to the router, on that network alone', async () => {
    const { source, target } = await start({ without: { target: ['js'] } })
    for (const path of ['/js/applications/building-a/devices/meter-103', '/js/join_eui_prefixes'])
      expect(await target.ask('GET', path)).toEqual(notFound)
    expect((await target.ask('GET', '/ns/net_id')).status).toBe(200)
    expect((await source.ask('GET', '/js/join_eui_prefixes')).status).toBe(200)
    expect((await source.ask('GET', '/js/applications/building-a/devices/meter-103')).status).toBe(200)
  })

  it('can be left out of a cluster whose Identity Server is apart', async () => {
    const { target } = await start({ split: true, without: { target: ['as', 'gs'] } })
    expect(await target.ask('GET', '/as/applications/building-a/link')).toEqual(notFound)
    expect((await target.ask('GET', '/applications/building-a')).status).toBe(200)
    expect((await target.ask('GET', '/ns/net_id')).status).toBe(200)
  })

  it('still takes part in what its network does', async () => {
    const { source } = await start({ without: { source: ['js'] } })
    expect((await virtualDeviceOf(sample('meter-103')).join(source.send())).joined).toBe(true)
  })
})

describe('a device that only some registries know', () => {
  const { devEui: dev_eui, joinEui: join_eui } = sample('sensor-half')
  const shell = (id: string) => ({
    end_device: { ids: { device_id: id, dev_eui, join_eui } },
    field_mask: { paths: [] },
  })

  it('is a shell by a write without a mask, which holds its EUIs and can not become another kind', async () => {
    const { source } = await start()
    for (const registry of ['as', 'ns', 'js'] as const) {
      const path = `/${registry}/applications/building-a/devices`
      await source.call('PUT', `${path}/shell-1`, shell('shell-1'))
      expect(await source.ask('PUT', `${path}/sensor-half`, shell('sensor-half'))).toMatchObject({
        status: 409,
        body: { details: [{ name: 'end_device_euis_taken', attributes: { device_id: 'shell-1' } }] },
      })
    }
    const wrong = await source.ask('PUT', '/ns/applications/building-a/devices/shell-1', {
      end_device: { ids: { device_id: 'shell-1', dev_eui, join_eui }, supports_join: true },
      field_mask: { paths: ['supports_join'] },
    })
    expect(wrong).toMatchObject({
      status: 400,
      body: { details: [{ name: 'field_value', attributes: { field: 'supports_join' } }] },
    })
    await source.call('DELETE', '/ns/applications/building-a/devices/shell-1')
    await source.call('PUT', '/ns/applications/building-a/devices/sensor-half', shell('sensor-half'))
  })

  it('under the same id with other EUIs is refused by the Network Server alone', async () => {
    const { source } = await start()
    const answers = await Promise.all(
      (['ns', 'as', 'js'] as const).map((registry) =>
        source.ask('PUT', `/${registry}/applications/building-a/devices/meter-103`, shell('meter-103')),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 200])
    const own = sample('meter-103').devEui
    expect(answers.slice(1).map(({ body }) => (body['ids'] as { dev_eui: string }).dev_eui)).toEqual([
      own,
      own,
    ])
  })
})

describe('two applications of one network', () => {
  const { devEui: dev_eui, joinEui: join_eui } = sample('meter-103')
  const ids = { device_id: 'moved-103', dev_eui, join_eui }
  const basics = {
    supports_join: true,
    lorawan_version: 'MAC_V1_0_3',
    lorawan_phy_version: 'PHY_V1_0_3_REV_A',
    frequency_plan_id: 'EU_863_870_TTN',
  }
  const writes = [
    ['is', 'POST', '/applications/building-b/devices', { end_device: { ids } }],
    [
      'js',
      'PUT',
      '/js/applications/building-b/devices/moved-103',
      {
        end_device: { ids, root_keys: { app_key: { key: sample('meter-103').rootKeys?.appKey } } },
        field_mask: { paths: ['root_keys.app_key.key'] },
      },
    ],
    [
      'as',
      'PUT',
      '/as/applications/building-b/devices/moved-103',
      { end_device: { ids }, field_mask: { paths: [] } },
    ],
    [
      'ns',
      'PUT',
      '/ns/applications/building-b/devices/moved-103',
      { end_device: { ids, ...basics }, field_mask: { paths: Object.keys(basics) } },
    ],
  ] as const

  const begin = async () => {
    const started = await start()
    await started.source.call('POST', '/users/admin/applications', {
      application: { ids: { application_id: 'building-b' } },
    })
    return started
  }

  it('can not hold the same EUIs, on no registry', async () => {
    const { source } = await begin()
    for (const [registry, method, path, body] of writes)
      expect((await source.ask(method, path, body)).status, registry).toBe(409)
  })

  it('hand a device over when it is deleted in the first', async () => {
    const { source } = await begin()
    for (const [registry, method, path, body] of writes) {
      const prefix = registry === 'is' ? '' : `/${registry}`
      await source.call('DELETE', `${prefix}/applications/building-a/devices/meter-103`)
      expect((await source.ask(method, path, body)).status, registry).toBe(200)
    }
    const device = virtualDeviceOf(sample('meter-103'))
    expect((await device.uplink(source.send())).accepted).toBe(false)
    device.powerCycle()
    expect((await device.join(source.send())).joined).toBe(true)
    expect(await device.uplink(source.send())).toMatchObject({
      accepted: true,
      uplink: { application: 'building-b', device: 'moved-103' },
    })
  })
})

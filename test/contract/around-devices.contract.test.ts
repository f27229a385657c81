import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GatewayRecord } from '../../src/domain/gateway.ts'
import type { NetworkPort } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { type Bench, createBench, randomEui, randomId } from './bench.ts'
import { newIds } from './devices.ts'
import { serversUnderTest } from './servers.ts'

const LNS_KEY = Buffer.from('a made-up key of a gateway').toString('base64')

const defined = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('the adapter has no such part')
  return value
}

describe.each(serversUnderTest)('what is around the devices, on the $name', (server) => {
  let bench: Bench
  let port: NetworkPort
  let stop: () => Promise<void>
  const made: string[] = []

  beforeAll(async () => {
    const started = await server.start()
    stop = started.stop
    bench = await createBench(started)
    port = bench.open()
  })
  afterAll(async () => {
    for (const id of made) await bench.api('DELETE', `/gateways/${id}`)
    await bench?.close()
    await stop?.()
  })

  const newGateway = (): GatewayRecord => {
    const id = randomId('roof')
    made.push(id)
    return {
      id,
      eui: randomEui(),
      settings: {
        name: 'Roof',
        description: 'Where the wind is',
        attributes: { site: 'depot' },
        frequency_plan_ids: ['EU_863_870_TTN'],
        antennas: [
          { gain: 3, location: { latitude: 52.1, longitude: 4.9, altitude: 30, source: 'SOURCE_REGISTRY' } },
        ],
        location_public: true,
        schedule_downlink_late: true,
        enforce_duty_cycle: true,
        schedule_anytime_delay: '0.500s',
      },
      lnsKey: { value: new Secret(LNS_KEY) },
    }
  }

  test('a gateway is listed as it was registered, with its key, and found by anybody', async () => {
    const gateways = defined(port.gateways)
    const gateway = newGateway()
    await gateways.create(gateway, { user: 'admin' })
    const listed = (await gateways.list()).find(({ id }) => id === gateway.id)
    expect({ ...listed, lnsKey: undefined }).toEqual({ ...gateway, lnsKey: undefined })
    expect(listed?.lnsKey?.value.reveal()).toBe(LNS_KEY)
    const key = await bench.keyWith(['RIGHT_APPLICATION_ALL'])
    const stranger = defined(bench.open({ key }).gateways)
    expect(await stranger.list()).toEqual([])
    expect(await stranger.find(gateway.id)).toEqual({ id: gateway.id, eui: gateway.eui })
    expect(await gateways.find(randomId('nobody'))).toBeUndefined()
  })

  test('a gateway is changed in what is given, and in nothing else', async () => {
    const gateways = defined(port.gateways)
    const gateway = newGateway()
    await gateways.create(gateway, { user: 'admin' })
    await gateways.update({
      id: gateway.id,
      settings: { name: 'Cellar' },
      lnsKey: { value: new Secret('bmV3') },
    })
    const listed = (await gateways.list()).find(({ id }) => id === gateway.id)
    expect(listed?.settings).toEqual({ ...gateway.settings, name: 'Cellar' })
    expect(listed?.lnsKey?.value.reveal()).toBe('bmV3')
  })

  test('a gateway that has never connected is told so, and one whose EUI is held is refused', async () => {
    const gateways = defined(port.gateways)
    const gateway = newGateway()
    await gateways.create(gateway, { user: 'admin' })
    expect(await gateways.connection(gateway.id)).toBeUndefined()
    await expect(
      gateways.create(
        { ...newGateway(), ...(gateway.eui === undefined ? {} : { eui: gateway.eui }) },
        { user: 'admin' },
      ),
    ).rejects.toMatchObject({ fault: { status: 409 } })
  })

  test('an application keeps name, description and attributes, each by itself', async () => {
    const application = defined(bench.open({ application: await bench.newApplication() }).application)
    expect(await application.settings()).toEqual({})
    await application.setSettings({ name: 'Meters', attributes: { site: 'depot' } })
    await application.setSettings({ description: 'All of them' })
    expect(await application.settings()).toEqual({
      name: 'Meters',
      description: 'All of them',
      attributes: { site: 'depot' },
    })
  })

  test('a webhook is shown without what is secret, and is made so, paused where it is asked for', async () => {
    const id = await bench.newApplication()
    const application = defined(bench.open({ application: id }).application)
    const fields = {
      base_url: 'https://user:made-up@erp.example.org/up?token=made-up',
      format: 'json',
      headers: { Authorization: 'Bearer made-up' },
      uplink_message: { path: '/up' },
      join_accept: {},
    }
    const answer = await bench.api('POST', `/as/webhooks/${id}`, {
      webhook: { ids: { application_ids: { application_id: id }, webhook_id: 'erp' }, ...fields },
      field_mask: { paths: Object.keys(fields) },
    })
    expect(answer.status).toBe(200)
    const [erp] = await application.webhooks()
    expect(erp).toEqual({
      id: 'erp',
      fields: {
        base_url: 'https://erp.example.org/up',
        format: 'json',
        uplink_message: { path: '/up' },
        join_accept: {},
      },
      left: ['base_url user and password', 'base_url query', 'headers.Authorization'],
    })
    const other = defined(bench.open({ application: await bench.newApplication() }).application)
    await other.createWebhook(defined(erp), true)
    expect(await other.webhooks()).toEqual([{ ...erp, fields: { ...erp?.fields, paused: true }, left: [] }])
  })

  test('a pub/sub integration is made as it was, and one with a password is only named', async () => {
    const id = await bench.newApplication()
    const application = defined(bench.open({ application: id }).application)
    const nats = { nats: { server_url: 'nats://nats.example.org:4222' } }
    const mqtt = {
      mqtt: {
        server_url: 'mqtts://mqtt.example.org:8883',
        client_id: 'ferry',
        username: 'meters',
        password: 'made-up',
        use_tls: true,
      },
    }
    for (const [name, provider] of Object.entries({ plain: nats, secret: mqtt })) {
      const fields = { format: 'json', base_topic: 'meters', uplink_message: { topic: 'up' } }
      const answer = await bench.api('POST', `/as/pubsub/${id}`, {
        pubsub: {
          ids: { application_ids: { application_id: id }, pub_sub_id: name },
          ...fields,
          ...provider,
        },
        field_mask: { paths: [...Object.keys(fields), 'provider'] },
      })
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    }
    const [plain, secret] = await application.pubSubs()
    const fields = { format: 'json', base_topic: 'meters', uplink_message: { topic: 'up' }, ...nats }
    expect(plain).toEqual({ id: 'plain', fields, left: [] })
    expect(secret).toEqual({ id: 'secret', fields: {}, left: ['mqtt.username', 'mqtt.password'] })
    const other = defined(bench.open({ application: await bench.newApplication() }).application)
    await other.createPubSub(defined(plain))
    expect(await other.pubSubs()).toEqual([plain])
  })

  test('collaborators have their rights, and a stranger is refused', async () => {
    const application = defined(bench.open({ application: await bench.newApplication() }).application)
    expect(await application.collaborators()).toEqual([{ kind: 'user', id: 'admin', rights: ['RIGHT_ALL'] }])
    await expect(
      application.addCollaborator({
        kind: 'user',
        id: randomId('nobody'),
        rights: ['RIGHT_APPLICATION_INFO'],
      }),
    ).rejects.toMatchObject({ fault: { status: 404 } })
    const made = await bench.api('POST', '/users', {
      user: {
        ids: { user_id: 'ferry-colleague' },
        primary_email_address: 'colleague@example.org',
        password: 'Made-up-Password-1234',
      },
    })
    // The local networks take no users, and have one besides the administrator.
    const id = made.status === 200 || made.status === 409 ? 'ferry-colleague' : 'operator'
    const colleague = {
      kind: 'user',
      id,
      rights: ['RIGHT_APPLICATION_DEVICES_READ', 'RIGHT_APPLICATION_INFO'],
    } as const
    await application.addCollaborator(colleague)
    expect(await application.collaborators()).toContainEqual(colleague)
  })

  test('devices that were never seen have no time, and all are told', async () => {
    const application = bench.open({ application: await bench.newApplication() })
    const ids = [newIds(), newIds()]
    for (const one of ids)
      await application.write({ registry: 'identity-server', ids: one, fields: {}, create: true })
    expect(await application.lastSeen?.()).toEqual(new Map(ids.map(({ deviceId }) => [deviceId, ''])))
  })
})

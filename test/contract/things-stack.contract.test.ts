import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DeviceIds, type Fields, REGISTRIES } from '../../src/domain/device.ts'
import { NetworkError } from '../../src/domain/errors.ts'
import { devAddrIn } from '../../src/domain/identifiers.ts'
import type { NetworkPort, QueuedDownlink } from '../../src/domain/ports.ts'
import { Secret } from '../../src/domain/secret.ts'
import { type Bench, createBench, randomEui, randomId, randomKey } from './bench.ts'
import { ALL_MAC_SETTINGS, idsWith, joinedDevice, NETWORK_BASICS, newIds, newKey } from './devices.ts'
import { serversUnderTest } from './servers.ts'

/** Secrets compare by what they hold; everything else as it is. */
const plain = (fields: Fields | undefined): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields ?? {}).map(([path, value]) => [
      path,
      value instanceof Secret ? `secret ${value.reveal()}` : value,
    ]),
  )

const failing = async (work: Promise<unknown>): Promise<NetworkError> => {
  try {
    await work
  } catch (error) {
    expect(error).toBeInstanceOf(NetworkError)
    return error as NetworkError
  }
  throw new Error('did not fail')
}

const create = async (port: NetworkPort, ids: DeviceIds) => {
  const writes = joinedDevice(ids)
  for (const write of writes) await port.write(write)
  return writes
}

const downlink = (fPort: number, text: string, more: Partial<QueuedDownlink> = {}): QueuedDownlink => ({
  fPort,
  payload: Buffer.from(text).toString('base64'),
  confirmed: false,
  correlationIds: [],
  ...more,
})

/** Whether ids of the client outlive the queue differs between versions of the server. */
const withoutCorrelation = ({ correlationIds: _, ...rest }: QueuedDownlink) => rest

describe.each(serversUnderTest)('The Things Stack adapter against the $name', (server) => {
  let bench: Bench
  let port: NetworkPort
  let stop: () => Promise<void>

  beforeAll(async () => {
    const started = await server.start()
    stop = started.stop
    bench = await createBench(started)
    port = bench.open()
  })
  afterAll(async () => {
    await bench?.close()
    await stop?.()
  })

  describe('preflight', () => {
    test('finds nothing for a key with all rights', async () => {
      for (const intent of ['read-source', 'migrate-source', 'read-target', 'migrate-target'] as const) {
        expect(await port.preflight(intent)).toEqual([])
      }
    })

    test('names each missing right', async () => {
      const key = await bench.keyWith(['RIGHT_APPLICATION_INFO', 'RIGHT_APPLICATION_DEVICES_READ'])
      const found = await bench.open({ key }).preflight('migrate-source')
      const named = found.map(({ code, severity, message }) => [
        code,
        severity,
        /RIGHT_[A-Z_]+/.exec(message)?.[0],
      ])
      expect(named).toEqual([
        ['MissingRight', 'error', 'RIGHT_APPLICATION_DEVICES_READ_KEYS'],
        ['MissingRight', 'error', 'RIGHT_APPLICATION_DEVICES_WRITE'],
        ['MissingRight', 'error', 'RIGHT_APPLICATION_DEVICES_WRITE_KEYS'],
        ['MissingRight', 'warning', 'RIGHT_APPLICATION_TRAFFIC_READ'],
      ])
    })

    test('requires the rights of a queue where the plan wants one, each once', async () => {
      const key = await bench.keyWith([
        'RIGHT_APPLICATION_INFO',
        'RIGHT_APPLICATION_DEVICES_READ',
        'RIGHT_APPLICATION_DEVICES_READ_KEYS',
        'RIGHT_APPLICATION_DEVICES_WRITE',
        'RIGHT_APPLICATION_DEVICES_WRITE_KEYS',
      ])
      const limited = bench.open({ key })
      const found = await limited.preflight('migrate-source', ['read-queue', 'write-queue'])
      expect(found.map(({ severity, message }) => [severity, /RIGHT_[A-Z_]+/.exec(message)?.[0]])).toEqual([
        ['error', 'RIGHT_APPLICATION_TRAFFIC_READ'],
        ['error', 'RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE'],
      ])
      expect(await limited.preflight('migrate-target')).toEqual([])
      expect(await limited.preflight('migrate-target', ['write-queue'])).toMatchObject([
        { code: 'MissingRight', severity: 'error' },
      ])
      const linked = await bench.keyWith([
        'RIGHT_APPLICATION_LINK',
        'RIGHT_APPLICATION_DEVICES_READ',
        'RIGHT_APPLICATION_DEVICES_READ_KEYS',
      ])
      expect(
        await bench.open({ key: linked }).preflight('read-target', ['read-queue', 'write-queue']),
      ).toEqual([])
    })

    test('tells a missing device right once, though it also hides the registries', async () => {
      const key = await bench.keyWith(['RIGHT_APPLICATION_INFO'])
      const found = await bench.open({ key }).preflight('read-target')
      expect(found.map(({ code }) => code)).toEqual(['MissingRight', 'MissingRight'])
    })

    test.each([
      ['malformed', 'not-a-key'],
      ['unknown', `NNSXS.${'A'.repeat(39)}.${'B'.repeat(52)}`],
    ])('finds a credential that is %s', async (_, text) => {
      const found = await bench.open({ key: new Secret(text) }).preflight('read-source')
      expect(found).toMatchObject([{ code: 'CredentialRefused', severity: 'error' }])
      expect(JSON.stringify(found)).not.toContain(text)
    })

    test('finds an application that does not exist, and one that the key does not belong to', async () => {
      const application = randomId('no-such')
      expect(await bench.open({ application }).preflight('read-source')).toMatchObject([
        { code: 'ApplicationNotFound', severity: 'error' },
      ])
      const key = await bench.keyWith(['RIGHT_APPLICATION_ALL'])
      expect(await bench.open({ application, key }).preflight('read-source')).toMatchObject([
        { code: 'NoApplicationRights', severity: 'error' },
      ])
    })
  })

  describe('facts', () => {
    test('are told by the Network Server', async () => {
      const facts = await port.facts()
      expect(facts.netId).toMatch(/^[0-9A-F]{6}$/)
      expect(facts.devAddrPrefixes.length).toBeGreaterThan(0)
      for (const prefix of facts.devAddrPrefixes) expect(prefix).toMatch(/^[0-9A-F]{8}\/\d+$/)
      expect(facts.frequencyPlans).toContainEqual({ id: 'EU_863_870_TTN', band: 'EU_863_870' })
      expect(facts.phyVersions['EU_863_870']).toContain('PHY_V1_0_3_REV_A')
      expect(facts.serverAddresses).toEqual({})
    })

    test('come with new device addresses, inside the blocks of the network', async () => {
      const { devAddrPrefixes } = await port.facts()
      const made = await Promise.all([1, 2, 3, 4].map(() => port.newDevAddr()))
      for (const devAddr of made) {
        expect(devAddr).toMatch(/^[0-9A-F]{8}$/)
        expect(devAddrPrefixes.some((prefix) => devAddrIn(devAddr, prefix))).toBe(true)
      }
    })

    test('include the default MAC settings of a plan, and which plans are unknown', async () => {
      const settings = await port.defaultMacSettings('EU_863_870_TTN', 'PHY_V1_0_3_REV_A')
      expect(settings).toMatchObject({ rx1_delay: 1, desired_rx1_delay: 5, rx2_frequency: '869525000' })
      const error = await failing(port.defaultMacSettings('NO_SUCH_PLAN', 'PHY_V1_0_3_REV_A'))
      expect(error).toMatchObject({ code: 'FrequencyPlanUnknown', fault: { effect: 'none' } })
    })
  })

  describe('a joined device', () => {
    test('reads back as it was written', async () => {
      const ids = newIds()
      const writes = await create(port, ids)
      const record = await port.read(ids.deviceId)
      expect(record.ids).toEqual(ids)
      expect(Object.keys(record.registries).sort()).toEqual([...REGISTRIES].sort())
      for (const { registry, fields } of writes) {
        expect(plain(record.registries[registry])).toMatchObject(plain(fields))
      }
    })

    test('holds no field that was not written, apart from the start of the session', async () => {
      const ids = newIds()
      const writes = await create(port, ids)
      const { registries } = await port.read(ids.deviceId)
      for (const { registry, fields } of writes) {
        const added = Object.keys(registries[registry] ?? {}).filter((path) => !(path in fields))
        expect(added).toEqual(registry === 'network-server' ? ['session.started_at'] : [])
      }
    })

    test('has every key as a Secret, and no key elsewhere', async () => {
      const ids = newIds()
      const writes = await create(port, ids)
      const record = await port.read(ids.deviceId)
      const keys = writes.flatMap(({ fields }) =>
        Object.values(fields).flatMap((value) => (value instanceof Secret ? [value.reveal()] : [])),
      )
      expect(keys).toHaveLength(5)
      for (const key of keys)
        expect(inspect(record, { depth: 20 }) + JSON.stringify(record)).not.toContain(key)
    })

    test('keeps the start of its session from the second write on', async () => {
      const ids = newIds()
      await create(port, ids)
      const startedAt = '2024-11-05T08:00:00Z'
      await port.write({ registry: 'network-server', ids, fields: { 'session.started_at': startedAt } })
      expect((await port.readSession(ids.deviceId))?.['session.started_at']).toBe(startedAt)
    })

    test('changes only in the fields of a write, and loses those that are cleared', async () => {
      const ids = newIds()
      await create(port, ids)
      const before = await port.read(ids.deviceId)
      await port.write({
        registry: 'network-server',
        ids,
        fields: { 'mac_settings.rx1_delay': 2 },
        clear: ['mac_settings.schedule_downlinks', 'mac_settings.factory_preset_frequencies'],
      })
      await port.write({
        registry: 'identity-server',
        ids,
        fields: { name: 'other' },
        clear: ['description'],
      })
      const after = await port.read(ids.deviceId)
      const expected = plain(before.registries['network-server'])
      delete expected['mac_settings.schedule_downlinks']
      delete expected['mac_settings.factory_preset_frequencies']
      expect(plain(after.registries['network-server'])).toEqual({ ...expected, 'mac_settings.rx1_delay': 2 })
      const identity = plain(before.registries['identity-server'])
      delete identity['description']
      expect(plain(after.registries['identity-server'])).toEqual({ ...identity, name: 'other' })
      expect(plain(after.registries['join-server'])).toEqual(plain(before.registries['join-server']))
    })

    test('can lose its session', async () => {
      const ids = newIds()
      await create(port, ids)
      await port.write({ registry: 'network-server', ids, fields: {}, clear: ['session', 'mac_state'] })
      const session = await port.readSession(ids.deviceId)
      expect(Object.keys(session ?? {}).filter((path) => path.startsWith('session'))).toEqual([])
    })

    test('can have its root keys replaced and one taken away', async () => {
      const ids = newIds()
      const [first, second] = [newKey(), newKey()]
      const registry = 'join-server'
      const app = 'root_keys.app_key.key'
      const nwk = 'root_keys.nwk_key.key'
      await port.write({
        registry,
        ids,
        fields: { [app]: first, [nwk]: first, 'root_keys.root_key_id': 'one' },
      })
      await port.write({ registry, ids, fields: { [app]: second }, clear: [nwk] })
      const { registries } = await port.read(ids.deviceId)
      expect(plain(registries[registry])).toEqual({
        [app]: `secret ${second.reveal()}`,
        'root_keys.root_key_id': 'one',
      })
      expect(await port.remove(registry, ids)).toBe('done')
    })

    test('tells session and counters by themselves', async () => {
      const ids = newIds()
      await create(port, ids)
      expect(await port.readSession(ids.deviceId)).toMatchObject({
        'session.dev_addr': '26011ABC',
        'session.keys.session_key_id': 'AZMc0o1bHkqQm0h2VYk0Pw==',
        'session.last_f_cnt_up': 1234,
        'session.last_n_f_cnt_down': 56,
      })
      expect(await port.readSession(randomId('none'))).toBeUndefined()
    })

    test('has a queue that gives back what was pushed, in order, decrypted', async () => {
      const ids = newIds()
      await create(port, ids)
      expect(await port.downlinkQueue(ids.deviceId)).toEqual([])
      const [first, second] = [downlink(1, 'first', { confirmed: true }), downlink(223, 'second')]
      const third = downlink(17, 'third', { priority: 'HIGH', correlationIds: ['made-by:test'] })
      await port.pushDownlinks(ids.deviceId, [first, second])
      await port.pushDownlinks(ids.deviceId, [third])
      await port.pushDownlinks(ids.deviceId, [])
      const queue = (await port.downlinkQueue(ids.deviceId)) ?? []
      expect(queue.map(withoutCorrelation)).toEqual([first, second, third].map(withoutCorrelation))
      for (const { correlationIds } of queue.slice(0, 2)) expect(correlationIds).toEqual([])
    })

    test('has a queue that takes no downlink without a payload', async () => {
      const ids = newIds()
      await create(port, ids)
      const error = await failing(port.pushDownlinks(ids.deviceId, [downlink(1, '')]))
      expect(error).toMatchObject({ fault: { effect: 'none' } })
    })

    test('has a queue that is replaced whole, and keeps the correlation ids of a client', async () => {
      const ids = newIds()
      await create(port, ids)
      const marked = downlink(5, 'marked', { correlationIds: ['made-by:test'] })
      await port.pushDownlinks(ids.deviceId, [downlink(4, 'goes'), marked])
      await port.replaceDownlinks(ids.deviceId, [marked, downlink(6, 'comes')])
      const queue = (await port.downlinkQueue(ids.deviceId)) ?? []
      expect(queue.map(({ fPort, correlationIds }) => [fPort, correlationIds])).toEqual([
        [5, ['made-by:test']],
        [6, []],
      ])
      await port.replaceDownlinks(ids.deviceId, [])
      expect(await port.downlinkQueue(ids.deviceId)).toEqual([])
    })

    test('keeps gateways and time of a downlink of class B or C', async () => {
      const ids = newIds()
      await create(port, ids)
      const classBC = {
        gateways: [{ gateway_ids: { gateway_id: 'gateway-1' } }],
        absolute_time: '2100-01-01T00:00:00Z',
      }
      const one = downlink(1, 'later', { classBC })
      await port.pushDownlinks(ids.deviceId, [one])
      expect((await port.downlinkQueue(ids.deviceId))?.map(withoutCorrelation)).toEqual([
        withoutCorrelation(one),
      ])
    })

    test('has a queue that a key may or may not see', async () => {
      const ids = newIds()
      await create(port, ids)
      const key = await bench.keyWith(['RIGHT_APPLICATION_INFO', 'RIGHT_APPLICATION_DEVICES_READ'])
      const limited = bench.open({ key })
      expect(await limited.downlinkQueue(ids.deviceId)).toBeUndefined()
      const refused = await failing(limited.pushDownlinks(ids.deviceId, [downlink(1, 'never queued')]))
      expect(refused).toMatchObject({ code: 'MissingRight', fault: { effect: 'none' } })
      expect(await port.downlinkQueue(ids.deviceId)).toEqual([])
    })

    test('without a session has an empty queue, and takes nothing', async () => {
      const ids = newIds()
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      await port.write({ registry: 'application-server', ids, fields: {} })
      await port.write({
        registry: 'network-server',
        ids,
        fields: { ...NETWORK_BASICS, supports_join: true },
      })
      expect(await port.downlinkQueue(ids.deviceId)).toEqual([])
      const refused = await failing(port.pushDownlinks(ids.deviceId, [downlink(1, 'too early')]))
      expect(refused).toMatchObject({
        code: 'NoDeviceSession',
        fault: { effect: 'none', name: 'pkg/applicationserver:no_device_session' },
      })
      expect(await port.downlinkQueue(randomId('none'))).toEqual([])
    })

    test('takes no downlink outside the ports of applications, and shows no payload in the refusal', async () => {
      const ids = newIds()
      await create(port, ids)
      const error = await failing(port.pushDownlinks(ids.deviceId, [downlink(256, 'never to be shown')]))
      expect(error).toMatchObject({ code: 'InvalidField', fault: { effect: 'none' } })
      const { payload } = downlink(1, 'never to be shown')
      expect(inspect(error, { depth: 20 }) + JSON.stringify(error)).not.toContain(payload)
      expect(await port.downlinkQueue(ids.deviceId)).toEqual([])
    })

    test('is read whole by a key without RIGHT_APPLICATION_TRAFFIC_READ', async () => {
      const ids = newIds()
      await create(port, ids)
      const key = await bench.keyWith([
        'RIGHT_APPLICATION_INFO',
        'RIGHT_APPLICATION_DEVICES_READ',
        'RIGHT_APPLICATION_DEVICES_READ_KEYS',
      ])
      const [whole, limited] = [await port.read(ids.deviceId), await bench.open({ key }).read(ids.deviceId)]
      for (const registry of REGISTRIES) {
        expect(plain(limited.registries[registry])).toEqual(plain(whole.registries[registry]))
      }
    })

    test('is not read by a key that may not see its keys', async () => {
      const ids = newIds()
      await create(port, ids)
      const key = await bench.keyWith(['RIGHT_APPLICATION_INFO', 'RIGHT_APPLICATION_DEVICES_READ'])
      const error = await failing(bench.open({ key }).read(ids.deviceId))
      expect(error).toMatchObject({
        code: 'MissingRight',
        refusesCredentials: true,
        fault: { status: 403, name: 'pkg/auth/rights:insufficient_application_rights' },
      })
      expect(error.message).toContain('RIGHT_APPLICATION_DEVICES_READ_KEYS')
    })
  })

  describe('other kinds of devices', () => {
    test('ABP has no record on the Join Server and no session key id', async () => {
      const ids = idsWith({ devEui: randomEui() })
      const key = newKey()
      await port.write({ registry: 'identity-server', ids, fields: { name: 'ABP' }, create: true })
      await port.write({
        registry: 'network-server',
        ids,
        fields: {
          ...NETWORK_BASICS,
          'mac_settings.resets_f_cnt': true,
          'session.dev_addr': '26010B01',
          'session.keys.f_nwk_s_int_key.key': key,
        },
      })
      const { registries } = await port.read(ids.deviceId)
      expect(Object.keys(registries).sort()).toEqual(['identity-server', 'network-server'])
      const network = plain(registries['network-server'])
      expect(network).not.toHaveProperty(['supports_join'])
      expect(network).not.toHaveProperty(['session.keys.session_key_id'])
      expect(network['session.keys.nwk_s_enc_key.key']).toBe(`secret ${key.reveal()}`)
    })

    test('LoRaWAN 1.1 has three network keys and two root keys', async () => {
      const ids = newIds()
      const [f, s, enc] = [newKey(), newKey(), newKey()]
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      await port.write({
        registry: 'network-server',
        ids,
        fields: {
          frequency_plan_id: 'EU_863_870_TTN',
          lorawan_version: 'MAC_V1_1',
          lorawan_phy_version: 'PHY_V1_1_REV_B',
          supports_join: true,
          'session.dev_addr': '26010B02',
          'session.keys.session_key_id': 'AZMc0o1bHkqQm0h2VYk0Pw==',
          'session.keys.f_nwk_s_int_key.key': f,
          'session.keys.s_nwk_s_int_key.key': s,
          'session.keys.nwk_s_enc_key.key': enc,
        },
      })
      const { registries } = await port.read(ids.deviceId)
      const network = plain(registries['network-server'])
      expect(network['session.keys.s_nwk_s_int_key.key']).toBe(`secret ${s.reveal()}`)
      expect(network['session.keys.nwk_s_enc_key.key']).toBe(`secret ${enc.reveal()}`)
    })

    test('keeps every MAC setting, zeros and falses included', async () => {
      const ids = newIds()
      const registry = 'network-server'
      const fields = { ...NETWORK_BASICS, supports_join: true, supports_class_b: true, ...ALL_MAC_SETTINGS }
      await port.write({ registry, ids, fields })
      const read = await port.read(ids.deviceId)
      expect(plain(read.registries[registry])).toEqual(fields)
      await port.write({ registry, ids, fields: {}, clear: Object.keys(ALL_MAC_SETTINGS) })
      const cleared = await port.read(ids.deviceId)
      expect(plain(cleared.registries[registry])).toEqual({
        ...NETWORK_BASICS,
        supports_join: true,
        supports_class_b: true,
      })
      expect(await port.remove(registry, ids)).toBe('done')
    })

    test('a multicast group needs no EUIs', async () => {
      const ids = idsWith({})
      const registry = 'network-server'
      const fields = {
        ...NETWORK_BASICS,
        supports_join: false,
        supports_class_c: true,
        multicast: true,
        'session.dev_addr': '26010C01',
        'session.keys.f_nwk_s_int_key.key': newKey(),
        'session.last_n_f_cnt_down': 17,
      }
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      await port.write({ registry, ids, fields })
      const record = await port.read(ids.deviceId)
      expect(record.ids).toEqual(ids)
      expect(plain(record.registries[registry])).toMatchObject({
        multicast: true,
        supports_class_c: true,
        'session.last_n_f_cnt_down': 17,
      })
    })

    test('one that is registered nowhere has no registries', async () => {
      const deviceId = randomId('none')
      expect(await port.read(deviceId)).toEqual({ ids: { deviceId }, registries: {} })
    })

    test('one whose registries contradict each other is refused', async () => {
      const ids = newIds()
      const other = idsWith({ devEui: randomEui(), joinEui: randomEui() }, ids.deviceId)
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      await port.write({
        registry: 'network-server',
        ids: other,
        fields: { ...NETWORK_BASICS, supports_join: true },
      })
      expect(await failing(port.read(ids.deviceId))).toMatchObject({ code: 'IdsDiffer' })
    })
  })

  describe('removing', () => {
    test('takes a device from one registry at a time, and finds it absent afterwards', async () => {
      const ids = newIds()
      await create(port, ids)
      for (const registry of [
        'application-server',
        'network-server',
        'join-server',
        'identity-server',
      ] as const) {
        expect(await port.remove(registry, ids)).toBe('done')
        expect((await port.read(ids.deviceId)).registries).not.toHaveProperty(registry)
        expect(await port.remove(registry, ids)).toBe('absent')
      }
    })
  })

  describe('refusals', () => {
    const refused = { effect: 'none', correlationId: expect.stringMatching(/^[0-9a-f]{32}$/) }

    test('name the holder of EUIs that are taken', async () => {
      const ids = newIds()
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      const clash = { ...ids, deviceId: randomId('dev') }
      const error = await failing(
        port.write({ registry: 'identity-server', ids: clash, fields: {}, create: true }),
      )
      expect(error).toMatchObject({
        code: 'EuisTaken',
        fault: { ...refused, status: 409, name: 'pkg/identityserver:end_device_euis_taken' },
      })
      expect(error.fault.attributes).toMatchObject({
        device_id: ids.deviceId,
        application_id: bench.application,
      })
      expect(error.message).toContain(ids.deviceId)
    })

    test('name EUIs that are taken on one of the other registries', async () => {
      const ids = newIds()
      const registry = 'join-server'
      const write = { registry, ids, fields: { 'root_keys.app_key.key': newKey() } } as const
      await port.write(write)
      const clash = { ...ids, deviceId: randomId('dev') }
      expect(await failing(port.write({ ...write, ids: clash }))).toMatchObject({
        code: 'EuisTaken',
        fault: { ...refused, name: 'pkg/internal/registry:end_device_euis_taken', registry },
      })
      await port.remove(registry, ids)
    })

    test('tell a device id that is taken', async () => {
      const ids = newIds()
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      const other = idsWith({ devEui: randomEui(), joinEui: randomEui() }, ids.deviceId)
      const again = port.write({ registry: 'identity-server', ids: other, fields: {}, create: true })
      expect(await failing(again)).toMatchObject({ code: 'IdTaken', fault: { ...refused, status: 409 } })
    })

    test('tell an update of a device that is not there', async () => {
      const update = port.write({ registry: 'identity-server', ids: newIds(), fields: { name: 'x' } })
      expect(await failing(update)).toMatchObject({
        code: 'DeviceNotFound',
        fault: { ...refused, name: 'pkg/identityserver/store:end_device_not_found' },
      })
    })

    test('name the field that is wrong, from the chain of causes', async () => {
      const ids = newIds()
      const bad = port.write({
        registry: 'identity-server',
        ids,
        fields: { name: 'n'.repeat(51) },
        create: true,
      })
      const error = await failing(bad)
      expect(error).toMatchObject({ code: 'InvalidField', fault: { ...refused, status: 400 } })
      expect(error.fault.attributes).toMatchObject({ field: 'name' })
    })

    test('name the field of a rule of the Network Server', async () => {
      const bad = port.write({
        registry: 'network-server',
        ids: newIds(),
        fields: { ...NETWORK_BASICS, supports_join: false },
      })
      const error = await failing(bad)
      expect(error).toMatchObject({ code: 'InvalidField', fault: { name: 'pkg/networkserver:field_value' } })
      // Which of the missing fields is named first changes from answer to answer.
      expect(error.fault.attributes?.['field']).toMatch(/^session\.(dev_addr|keys\.f_nwk_s_int_key\.key)$/)
    })

    test('name a frequency plan that is unknown', async () => {
      const fields = { ...NETWORK_BASICS, frequency_plan_id: 'NO_SUCH_PLAN', supports_join: true }
      const error = await failing(port.write({ registry: 'network-server', ids: newIds(), fields }))
      expect(error).toMatchObject({ code: 'FrequencyPlanUnknown', fault: { effect: 'none' } })
      expect(error.message).toContain('NO_SUCH_PLAN')
    })

    test('name a field that the server does not know', async () => {
      const fields = { 'mac_settings.no_such_setting': 1 }
      const error = await failing(port.write({ registry: 'network-server', ids: newIds(), fields }))
      expect(error).toMatchObject({ code: 'ForbiddenPath', fault: { ...refused, status: 400 } })
      expect(error.message).toContain('mac_settings.no_such_setting')
    })

    test('keep EUIs as they are once a device exists', async () => {
      const ids = newIds()
      await create(port, ids)
      const other = idsWith({ devEui: randomEui(), joinEui: randomEui() }, ids.deviceId)
      const fields = { 'mac_settings.rx1_delay': 3 }
      const error = await failing(port.write({ registry: 'network-server', ids: other, fields }))
      expect(error).toMatchObject({ code: 'FieldFixed', fault: refused })
    })

    test('never show a key, nor another value that was sent', async () => {
      const ids = newIds()
      const short = randomKey().slice(0, 30)
      const key = randomKey()
      const bad = [
        () =>
          port.write({
            registry: 'join-server',
            ids,
            fields: { 'root_keys.app_key.key': new Secret(short) },
          }),
        () =>
          port.write({
            registry: 'join-server',
            ids,
            fields: { 'root_keys.app_key.key': new Secret(`${key}Z`) },
          }),
        () =>
          port.write({
            registry: 'network-server',
            ids,
            fields: { ...NETWORK_BASICS, lorawan_version: key, supports_join: true },
          }),
        () =>
          port.write({
            registry: 'network-server',
            ids,
            fields: {
              ...NETWORK_BASICS,
              'session.dev_addr': '26010B03',
              'session.keys.f_nwk_s_int_key.key': new Secret(key),
              'session.keys.session_key_id': 'AZMc0o1bHkqQm0h2VYk0Pw==',
            },
          }),
      ]
      for (const one of bad) {
        const error = await failing(one())
        expect(error).toMatchObject({ code: 'InvalidField', fault: { effect: 'none', status: 400 } })
        const shown = inspect(error, { depth: 20 }) + JSON.stringify(error)
        expect(shown).not.toContain(short.slice(0, 12))
        expect(shown).not.toContain(key.slice(0, 12))
      }
    })

    test('come from the adapter itself for fields that are never written', async () => {
      const error = await failing(
        port.write({
          registry: 'join-server',
          ids: newIds(),
          fields: { network_server_kek_label: 'x', net_id: '000013' },
        }),
      )
      expect(error).toMatchObject({ code: 'ForbiddenPath', fault: { effect: 'none' } })
      expect(error.message).toContain('network_server_kek_label, net_id')
    })
  })

  describe('listing', () => {
    test('an empty application gives no pages', async () => {
      const application = await bench.newApplication()
      const pages = []
      for await (const page of bench.open({ application }).list()) pages.push(page)
      expect(pages).toEqual([])
    })

    test('looks into other applications as far as the key may, and never into its own', async () => {
      const ids = newIds()
      await port.write({ registry: 'identity-server', ids, fields: {}, create: true })
      const other = await bench.newApplication()
      const seen = await bench.open({ application: other }).elsewhere()
      expect(seen.every(({ application }) => application !== other)).toBe(true)
      const key = await bench.keyWith(['RIGHT_APPLICATION_ALL'], other)
      expect(await bench.open({ application: other, key }).elsewhere()).toEqual([])
    })

    test('gives every device once, by id, with EUIs and attributes, in pages of up to 1000', async () => {
      const application = await bench.newApplication()
      const many = bench.open({ application })
      const count = 1040
      const made = Array.from({ length: count }, (_, index) => ({
        ids: idsWith({ devEui: randomEui(), joinEui: randomEui() }, `many-${index}`),
        attributes: { number: String(index) },
      }))
      await Promise.all(
        made.map(({ ids, attributes }) =>
          many.write({ registry: 'identity-server', ids, fields: { attributes }, create: true }),
        ),
      )
      const pages = []
      for await (const page of many.list()) pages.push(page)
      expect(pages.map((page) => page.length)).toEqual([1000, 40])
      const expected = made.map(({ ids, attributes }) => ({ ...ids, attributes }))
      expected.sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))
      expect(pages.flat()).toEqual(expected)
    }, 120_000)
  })
})

test('at least one server is under test', () => {
  expect(serversUnderTest).not.toEqual([])
})

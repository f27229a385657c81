import { describe, expect, it } from 'vitest'
import { REGISTRIES } from '../../../src/domain/device.ts'
import { desiredRecord } from '../../../src/engine/device/desired.ts'
import { fieldRule } from '../../../src/engine/device/fields.ts'
import { FIELDS } from '../../../src/networks/things-stack/fields.ts'
import { DEFAULTS, device, intent, NS } from './support.ts'

const NO_ROW = "belongs to the source's cluster"
/** Read, told, and left behind: what a network says of the device by itself. */
const LEFT = new Set(['network-server power_state'])

const rows = REGISTRIES.flatMap((registry) =>
  FIELDS[registry].map((field) => ({
    registry,
    path: field.kind === 'each' ? `${field.path}.rx1_delay` : field.path,
    use: field.use,
  })),
)

describe('the table of fields', () => {
  it.each(rows)('knows what becomes of $registry $path', ({ registry, path, use }) => {
    const { kind, because } = fieldRule(registry, path)
    if (LEFT.has(`${registry} ${path}`)) return
    expect(because).not.toBe(NO_ROW)
    if (use === 'told') expect(kind).toBe('not-carried')
    else expect(kind).not.toBe('not-carried')
  })

  it('leaves behind what no row names', () => {
    expect(fieldRule('join-server', 'provisioner_id')).toEqual({ kind: 'not-carried', because: NO_ROW })
    expect(fieldRule('identity-server', 'claim_authentication_code').kind).toBe('not-carried')
    expect(fieldRule('network-server', 'name').kind).toBe('not-carried')
  })

  it('carries keys as keys: every secret of the adapter is a root key or of a session', () => {
    for (const registry of REGISTRIES)
      for (const field of FIELDS[registry].filter((item) => item.kind === 'secret' && item.use === 'carried'))
        expect(['root-key', 'session']).toContain(fieldRule(registry, field.path).kind)
  })
})

describe('what the target is to hold', () => {
  const ns = (source: ReturnType<typeof device>, route: Parameters<typeof desiredRecord>[1]) =>
    desiredRecord(source, route, intent(), DEFAULTS).record.registries

  it('never has proof of life, a mute, or a session that was not confirmed', () => {
    const source = device({
      'identity-server': { activated_at: 'x', last_seen_at: 'y', network_server_address: 'source.example' },
      [NS]: { 'mac_settings.schedule_downlinks': false, 'pending_session.dev_addr': '27000F02' },
    })
    for (const route of ['session-kept', 'joining-anew'] as const) {
      const held = ns(source, route)
      for (const path of ['activated_at', 'last_seen_at', 'network_server_address'])
        expect(held['identity-server']).not.toHaveProperty([path])
      for (const path of ['mac_settings.schedule_downlinks', 'pending_session.dev_addr'])
        expect(held[NS]).not.toHaveProperty([path])
    }
  })

  it('has no session, counter or MAC state where it joins anew, and all nonces', () => {
    const held = ns(device(), 'joining-anew')
    expect(Object.keys(held[NS] ?? {}).filter((path) => /session|mac_state/.test(path))).toEqual([])
    expect(held['join-server']).toMatchObject({ used_dev_nonces: [3, 9], last_join_nonce: 4 })
  })

  it.each([
    [5, 9, 9, 9],
    [9, 5, 9, 9],
    [0, 0, undefined, undefined],
    [0, 3, 3, 3],
  ])('below 1.1, N %i and A %i become the higher of the two', (n, a, network, application) => {
    const counters = { [NS]: { 'session.last_n_f_cnt_down': n === 0 ? null : n } }
    const held = ns(
      device({ ...counters, 'application-server': { 'session.last_a_f_cnt_down': a === 0 ? null : a } }),
      'session-kept',
    )
    expect(held[NS]?.['session.last_n_f_cnt_down']).toBe(network)
    expect(held['application-server']?.['session.last_a_f_cnt_down']).toBe(application)
  })

  it('keeps the two counters of 1.1 apart, and never adds to the uplink counter', () => {
    const held = ns(
      device({
        [NS]: { lorawan_version: 'MAC_V1_1' },
        'application-server': { 'session.last_a_f_cnt_down': 77 },
      }),
      'session-kept',
    )
    expect(held[NS]?.['session.last_n_f_cnt_down']).toBe(5)
    expect(held['application-server']?.['session.last_a_f_cnt_down']).toBe(77)
    expect(held[NS]?.['session.last_f_cnt_up']).toBe(100)
  })

  it('keeps pending MAC requests, and not what would be sent twice', () => {
    const mac_state = {
      pending_requests: [{ cid: 'CID_RX_TIMING_SETUP' }],
      queued_join_accept: {},
      queued_responses: [{}],
      pending_application_downlink: {},
    }
    expect(ns(device({ [NS]: { mac_state } }), 'session-kept')[NS]?.['mac_state']).toEqual({
      pending_requests: [{ cid: 'CID_RX_TIMING_SETUP' }],
    })
  })

  it('keeps the newest 10 nonces', () => {
    const used = Array.from({ length: 14 }, (_, index) => index + 1)
    const held = ns(device({ 'join-server': { used_dev_nonces: used } }), 'joining-anew')
    expect(held['join-server']?.['used_dev_nonces']).toEqual(used.slice(4))
  })
})

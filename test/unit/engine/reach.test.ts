import { describe, expect, test } from 'vitest'
import { type ReachInput, reachOf } from '../../../src/engine/device/reach.ts'
import { device, NS } from './support.ts'

const OWN = ['27000000/8'] as never
const withDelay = (seconds: number) =>
  device({ [NS]: { mac_state: { current_parameters: { rx1_delay: seconds } } } })

const reach = (more: Partial<ReachInput>) =>
  reachOf({
    source: withDelay(5),
    route: 'session-kept',
    coverage: 'unknown',
    prefixes: [],
    rx1Delay: 'keep',
    ...more,
  })

describe('how the target hears a device', () => {
  test('a kept DevAddr of another block: through its own gateways alone', () => {
    expect(reach({})).toBe('unreachable')
    expect(reach({ coverage: 'packet-broker' })).toBe('unreachable')
    expect(reach({ coverage: 'on-target' })).toBe('gateways')
    expect(reach({ coverage: 'moving-now' })).toBe('gateways')
  })

  test('a kept DevAddr of its own block: also through Packet Broker, where answers come after 5 s', () => {
    expect(reach({ prefixes: OWN })).toBe('gateways')
    expect(reach({ prefixes: OWN, coverage: 'packet-broker' })).toBe('packet-broker')
    expect(reach({ prefixes: OWN, coverage: 'packet-broker', source: withDelay(1) })).toBe('late')
    expect(reach({ prefixes: OWN, coverage: 'moving-now', source: withDelay(1) })).toBe('gateways')
  })

  test('one that joins anew gets a DevAddr and a delay of the target', () => {
    const joining = { route: 'joining-anew', coverage: 'packet-broker', source: withDelay(1) } as const
    expect(reach(joining)).toBe('packet-broker')
    expect(reach({ ...joining, rx1Delay: 1 })).toBe('late')
    expect(reach({ ...joining, coverage: 'unknown' })).toBe('gateways')
  })
})

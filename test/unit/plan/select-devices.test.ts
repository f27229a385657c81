import { describe, expect, it } from 'vitest'
import { intentFor, matchesPattern, unknownDevices } from '../../../src/plan/select-devices.ts'
import { planOf, planText } from './support.ts'

const { plan, file } = planOf(
  planText({
    devices: `devices:
  include:
    - match: "meter-*"
    - ids: [gate-1, gate-9]
    - idsFile: more.txt
    - attributes: { floor: "3", wing: east }
  exclude:
    - match: "*-test"
    - ids: [meter-13]
  overrides:
    - match: "meter-*"
      policy: { persistSession: false, rx1Delay: 5 }
      set: { name: A meter }
    - ids: [meter-7]
      policy: { rx1Delay: target }
      set: { deviceId: meter-007 }`,
  }),
  { 'more.txt': 'sensor-1\nsensor-2\n' },
)

describe('selection', () => {
  it.each([
    ['meter-1', undefined, true, undefined],
    ['gate-1', undefined, true, undefined],
    ['gate-2', undefined, false, undefined],
    ['sensor-2', undefined, true, undefined],
    ['meter-test', undefined, false, 'match "*-test"'],
    ['meter-13', undefined, false, 'ids "meter-13"'],
    ['valve-1', { floor: '3', wing: 'east' }, true, undefined],
    ['valve-2', { floor: '3' }, false, undefined],
    ['valve-3', { floor: 3, wing: 'east' }, false, undefined],
    ['valve-4', null, false, undefined],
  ] as const)('%s %j', (deviceId, attributes, selected, excludedBy) => {
    const device = attributes === undefined ? { deviceId } : { deviceId, attributes }
    const selection = intentFor(plan, device)
    expect(selection.selected).toBe(selected)
    expect(selection.excludedBy).toBe(excludedBy)
  })

  it('takes overrides in their order, field by field', () => {
    expect(intentFor(plan, { deviceId: 'gate-1' }).intent).toEqual({ policy: plan.policy, set: {} })
    expect(intentFor(plan, { deviceId: 'meter-7' }).intent).toEqual({
      policy: { ...plan.policy, persistSession: false, rx1Delay: 'target' },
      set: { name: 'A meter', deviceId: 'meter-007' },
    })
  })

  it('of all devices is quick', () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `meter-${index}`)
    const large = planOf(planText({ devices: 'devices: { include: [{ idsFile: a.txt }] }' }), {
      'a.txt': ids.join('\n'),
    })
    const started = performance.now()
    expect(ids.every((deviceId) => intentFor(large.plan, { deviceId }).selected)).toBe(true)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe('patterns', () => {
  it.each([
    ['meter-1', '*', true],
    ['meter-1', 'meter-?', true],
    ['meter-12', 'meter-?', false],
    ['meter-1', 'meter', false],
    ['meter-1', '*-*', true],
    ['meter-1', '*-*-*', false],
    ['a', '?*', true],
    ['', '*', true],
    ['', '?', false],
    ['abcabd', '*ab?', true],
    ['m.ter', 'm?ter', true],
  ])('%s against %s', (text, pattern, matches) => {
    expect(matchesPattern(text, pattern)).toBe(matches)
  })

  it('take no exponential time', () => {
    const started = performance.now()
    expect(matchesPattern('a'.repeat(36), `${'*a'.repeat(99)}b`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(100)
  })
})

describe('ids that the source does not know', () => {
  it('are warnings, one each', () => {
    const unknown = unknownDevices({ plan, file }, (id) => ['meter-7', 'gate-1', 'sensor-1'].includes(id))
    expect(unknown.map(({ subject, severity }) => [subject, severity])).toEqual([
      [{ device: 'gate-9' }, 'warning'],
      [{ device: 'sensor-2' }, 'warning'],
      [{ device: 'meter-13' }, 'warning'],
    ])
    expect(unknown[0]?.code).toBe('UnknownDevice')
  })

  it('are counted from the 21st on', () => {
    const ids = Array.from({ length: 50 }, (_, index) => `meter-${index}`).join('\n')
    const many = planOf(planText({ devices: 'devices: { include: [{ idsFile: a.txt }] }' }), { 'a.txt': ids })
    const unknown = unknownDevices(many, () => false)
    expect(unknown).toHaveLength(21)
    expect(unknown.at(-1)?.message).toContain('30 more')
  })
})

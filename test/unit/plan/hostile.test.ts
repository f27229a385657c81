import { describe, expect, it } from 'vitest'
import { parse, planText, told } from './support.ts'

const codes = (text: string): readonly string[] => parse(text).diagnostics.map(({ code }) => code)

describe('aliases', () => {
  it('stand for values, and are checked once', () => {
    const text = planText({
      rest: `coverage: { gateways: &where on-target }
rollout: &pace { canary: 3 }`,
      devices: `devices:
  include: [{ all: true }]
  overrides:
    - match: "a*"
      policy: &policy { deleteSource: sometimes }
    - match: "b*"
      policy: *policy`,
    })
    expect(told(parse(text))).toEqual(['plans/building-a.yaml:18:39 WrongValue'])
  })

  it('are allowed 100 times, and not 101', () => {
    const aliased = (count: number): string =>
      planText({
        metadata: 'metadata: { name: &name building-a }',
        devices: `devices: { include: [{ ids: [meter-1${', *name'.repeat(count)}] }] }`,
      })
    expect(codes(aliased(100))).not.toContain('TooManyAliases')
    expect(codes(aliased(101))).toEqual(['TooManyAliases'])
  })

  it('do not blow a plan up', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(10)}]`)
    const started = performance.now()
    expect(codes(`l0: &l0 [a, a, a, a, a, a, a, a, a, a]\n${levels.join('\n')}\n`)).toContain(
      'TooManyAliases',
    )
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('to a value that holds them are refused', () => {
    expect(codes('metadata: &a { name: *a }\n')).toContain('UnknownAlias')
  })
})

describe('values that act in a terminal', () => {
  it.each(['\\e[2J', '\\x9b2J', '\\u202e', '\\u200b', '\\x85'])('are written as escapes: %s', (written) => {
    const { diagnostics } = parse(planText({ metadata: `metadata: { name: "a${written}b" }` }))
    expect(diagnostics.length).toBeGreaterThan(0)
    for (const { message } of diagnostics) expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('plans that are made to hurt', () => {
  it.each([
    ['deep flow lists', '['.repeat(500_000)],
    ['deep flow mappings', '{a: '.repeat(50_000)],
    ['deep block lists', '- '.repeat(50_000)],
    ['deep keys', '? '.repeat(50_000)],
    ['quotes', '"'.repeat(200_000)],
    ['documents', '---\n'.repeat(50_000)],
    ['unknown fields', Array.from({ length: 50_000 }, (_, i) => `field${i}: 1`).join('\n')],
    ['wrong ids', `devices: { include: [{ ids: [${'A_B, '.repeat(50_000)}] }] }`],
    ['numbers as ids', `devices: { include: [{ ids: [${'1, '.repeat(50_000)}] }] }`],
    ['one long line', `kind: ${'a'.repeat(2_000_000)}`],
    ['tags', '!a '.repeat(50_000)],
    ['anchors', Array.from({ length: 50_000 }, (_, i) => `- &a${i} 1`).join('\n')],
    ['stars', planText({ devices: `devices: { include: [{ match: "${'*a'.repeat(100)}" }] }` })],
  ])('%s end in findings within seconds', (_, text) => {
    // of the processor, because other tests may run beside
    const before = process.cpuUsage()
    const { diagnostics } = parse(text)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(5000)
    expect(diagnostics.length).toBeLessThanOrEqual(201)
  })

  it('are told of 200 times, and that there is more', () => {
    const { diagnostics } = parse(Array.from({ length: 500 }, (_, i) => `field${i}: 1`).join('\n'))
    expect(diagnostics).toHaveLength(201)
    expect(diagnostics.at(-1)?.code).toBe('MoreFindings')
  })

  it('cannot reach prototypes', () => {
    expect(
      codes(
        planText({ rest: 'coverage: { gateways: on-target }\n__proto__: { polluted: 1 }\nconstructor: 1' }),
      ),
    ).toEqual(['UnknownField', 'UnknownField'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    const attributes = planText({
      devices: 'devices: { include: [{ attributes: { constructor: a, __proto__: b } }] }',
    })
    expect(codes(attributes)).toEqual(['InvalidId'])
  })
})

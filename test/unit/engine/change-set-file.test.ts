import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACTIONS, type ChangeSet, type DeviceChange } from '../../../src/domain/change-set.ts'
import { FerryError } from '../../../src/domain/errors.ts'
import { STEPS } from '../../../src/domain/journal.ts'
import {
  changeSetDigest,
  changeSetLines,
  parseChangeSet,
  serialiseChangeSet,
  withDigest,
} from '../../../src/engine/planning/change-set-file.ts'
import {
  abpKept,
  blocked,
  changeSet,
  excluded,
  joiningAnew,
  retiring,
  sessionKept,
  settled,
} from '../../support/change-sets.ts'

const sample = (): ChangeSet =>
  changeSet([
    joiningAnew(1),
    sessionKept(2),
    abpKept(3, 'abp-reset'),
    blocked(4, { code: 'HeldByAnother' }),
    excluded(5),
    retiring(6),
    settled(7, 'done'),
  ])

const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (error instanceof FerryError) return `${error.kind} ${error.code}`
    throw error
  }
  return 'nothing thrown'
}

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))
const hostileText = fc.string({ unit: 'binary', maxLength: 30 })
const shown = fc.oneof(
  fc.record({ value: json }),
  fc.record({ sensitive: fc.constantFrom('same', 'changes', 'added', 'removed') }),
  fc.constant({ absent: true }),
)
const device = fc.record(
  {
    device: hostileText,
    target: hostileText,
    devEui: hostileText,
    action: fc.constantFrom(...ACTIONS),
    fields: fc.array(
      fc.record({
        registry: fc.constantFrom('identity-server', 'network-server'),
        path: hostileText,
        before: shown,
        after: shown,
        verdict: fc.constantFrom('write', 'leave'),
        reason: fc.constantFrom('create', 'equal'),
      }),
      { maxLength: 4 },
    ),
    steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 3 }),
    later: fc.array(fc.constantFrom(...STEPS), { maxLength: 3 }),
    findings: fc.array(
      fc.record({ code: fc.constant('SomeCode'), severity: fc.constant('note'), message: hostileText }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['device', 'target', 'action', 'fields', 'steps', 'later', 'findings'] },
) as fc.Arbitrary<DeviceChange>

describe('a saved change set', () => {
  it('is read back as it was written, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(device, { maxLength: 5 }), (devices) => {
        const { digest: _digest, ...rest } = sample()
        const whole = withDigest({ ...rest, devices })
        expect(parseChangeSet(serialiseChangeSet(whole))).toEqual(whole)
      }),
    )
  })

  it('gives the same bytes for the same contents, in whatever order its keys were set', () => {
    const one = sample()
    const turned = Object.fromEntries(Object.entries(one).reverse()) as unknown as ChangeSet
    expect(serialiseChangeSet(turned)).toBe(serialiseChangeSet(one))
    expect(changeSetDigest(turned)).toBe(one.digest)
  })

  it('has a checksum that standard tools can check', () => {
    const lines = [...changeSetLines(sample())]
    const hash = createHash('sha256').update(lines.slice(0, -1).join('')).digest('hex')
    expect(JSON.parse(lines.at(-1) ?? '').checksum).toBe(`sha256:${hash}`)
  })

  it('has a digest that what moves by itself does not move, and what people approve does', () => {
    const one = sample()
    const first = one.devices[0]
    if (first === undefined) throw new Error('the sample has devices')
    const digest = (change: Partial<typeof first>): string =>
      withDigest({ ...one, devices: [{ ...first, ...change }, ...one.devices.slice(1)] }).digest
    expect(
      digest({ fields: [], findings: [{ code: 'PendingMacRequests', severity: 'note', message: 'moves' }] }),
    ).toBe(digest({ findings: [] }))
    expect(digest({ target: 'another-id' })).not.toBe(digest({}))
    expect(digest({ steps: ['escrow'] })).not.toBe(digest({}))
    const expectation = { rootKeys: '0'.repeat(16), session: null, settings: '1'.repeat(16), target: null }
    expect(digest({ expect: { ...expectation, session: '2'.repeat(16) } })).toBe(
      digest({ expect: expectation }),
    )
    expect(digest({ expect: { ...expectation, rootKeys: '2'.repeat(16) } })).not.toBe(
      digest({ expect: expectation }),
    )
  })

  it('survives line ends that version control has changed', () => {
    const one = sample()
    expect(parseChangeSet(serialiseChangeSet(one).replaceAll('\n', '\r\n'))).toEqual(one)
  })

  it('is refused when anything was edited', () => {
    const text = serialiseChangeSet(sample())
    expect(codeOf(() => parseChangeSet(text.replace('"Meter 2"', '"Meter 9"')))).toBe('stale ChangeSetEdited')
    expect(codeOf(() => parseChangeSet(text.replace('"limit":10', '"limit":99')))).toBe(
      'stale ChangeSetEdited',
    )
    expect(
      codeOf(() =>
        parseChangeSet(text.replace('{"t"', '{"x":1,"t"').replace('"device":"air-2"', '"device":"air-3"')),
      ),
    ).toBe('stale ChangeSetEdited')
  })

  it('is refused when it was cut short or is something else', () => {
    const text = serialiseChangeSet(sample())
    const lines = text.split('\n')
    for (const broken of [
      '',
      '\n',
      'hello\n',
      '[]\n',
      text.slice(0, -1),
      text.slice(0, -30),
      `${lines[0]}\n`,
      `${lines.slice(0, -2).join('\n')}\n`,
      `${[...lines.slice(0, 2), ...lines.slice(3)].join('\n')}`,
      text.replace('"action":"create"', '"action":"explode"'),
      text.replace('"guards":[', '"guard":['),
    ]) {
      expect(codeOf(() => parseChangeSet(broken))).toBe('stale ChangeSetDamaged')
    }
  })

  it('is refused at every place where it can be cut', () => {
    const text = serialiseChangeSet(changeSet([excluded(1)]))
    for (let length = 0; length < text.length; length += 1) {
      expect(codeOf(() => parseChangeSet(text.slice(0, length)))).toBe('stale ChangeSetDamaged')
    }
  })

  it('is refused, not stumbled over, where values have other types or are nested without end', () => {
    const text = serialiseChangeSet(sample())
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    for (const broken of [
      text.replace('"findings":[{"code"', '"findings":[null,{"code"'),
      text.replace('"action":"create"', '"action":"create","expect":null'),
      text.replace('"action":"create"', `"action":"create","more":${deep}`),
      text.replace('"action":"create"', `"action":${deep}`),
    ]) {
      expect(broken).not.toBe(text)
      expect(codeOf(() => parseChangeSet(broken))).toBe('stale ChangeSetDamaged')
    }
  })

  it('shows no more than the beginning of a version that is not known', () => {
    const text = serialiseChangeSet(sample())
    for (const version of [
      '"\u202e\u009b"',
      `"${'x'.repeat(5000)}"`,
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    ]) {
      const read = () => parseChangeSet(text.replace('"formatVersion":1', () => `"formatVersion":${version}`))
      expect(codeOf(read)).toBe('stale ChangeSetVersionUnknown')
      expect(read).toThrow(/^[^\p{Cc}\p{Cf}]{1,200}$/u)
    }
  })

  it('is refused when its version is not known', () => {
    const text = serialiseChangeSet(sample()).replace('"formatVersion":1', '"formatVersion":2')
    expect(codeOf(() => parseChangeSet(text))).toBe('stale ChangeSetVersionUnknown')
  })
})

describe('the schema of a saved change set', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../../schemas/change-set.v1.json', import.meta.url), 'utf8'),
  )
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema)

  it('takes every line that is written', () => {
    for (const line of changeSetLines(sample())) {
      expect(validate(JSON.parse(line)), JSON.stringify(validate.errors)).toBe(true)
    }
  })

  it('refuses a line with a field that it does not know', () => {
    for (const line of changeSetLines(sample())) {
      expect(validate({ ...JSON.parse(line), more: 1 })).toBe(false)
    }
  })

  it('names the steps and actions of the program', () => {
    expect(schema.definitions.step.enum).toEqual(STEPS)
    expect(schema.definitions.device.properties.action.enum).toEqual(ACTIONS)
  })
})

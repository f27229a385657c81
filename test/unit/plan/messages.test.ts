import { describe, expect, it } from 'vitest'
import { isBech32 } from '../../../src/plan/bech32.ts'
import { formatDiagnostic } from '../../../src/plan/format-diagnostic.ts'
import { parse, planText, SOURCE, TARGET } from './support.ts'

const hints = (text: string): readonly (string | undefined)[] =>
  parse(text).diagnostics.map(({ hint }) => hint)

describe('hints say what to write', () => {
  it.each([
    [
      'the nearest sibling',
      planText({ source: SOURCE.replace('application', 'aplication') }),
      'did you mean "application"?',
    ],
    ['another spelling', planText({ source: SOURCE.replace('apiKey', 'api_key') }), 'did you mean "apiKey"?'],
    [
      'where a field belongs',
      planText({ policy: 'policy: { persistSession: true, deleteSource: after-heard, canary: 1 }' }),
      'it belongs under "rollout"',
    ],
    [
      'the nearest field elsewhere',
      planText({ policy: 'policy: { persistSession: true, deleteSource: after-heard, maxFailure: 1 }' }),
      'did you mean "maxFailures" under "rollout"?',
    ],
    ['an example of what is missing', planText({ metadata: 'metadata: {}' }), 'write name: building-a'],
    [
      'the nearest value',
      planText({ policy: 'policy: { persistSession: true, deleteSource: after-herd }' }),
      'did you mean "after-heard"? write never, after-import or after-heard',
    ],
    [
      'true for yes',
      planText({ policy: 'policy: { persistSession: yes, deleteSource: after-heard }' }),
      'write true',
    ],
    [
      'a number without quotes',
      planText({ policy: 'policy: { persistSession: true, deleteSource: after-heard, rx1Delay: "5" }' }),
      'write 5 without quotes',
    ],
    [
      'a range',
      planText({ policy: 'policy: { persistSession: true, deleteSource: after-heard, rx1Delay: 0 }' }),
      'write keep, target or 1 to 15',
    ],
    [
      'an address without its path',
      planText({ target: TARGET.replace('industries', 'industries/console/') }),
      'write https://example.eu1.cloud.thethings.industries',
    ],
    [
      'an id in lower case',
      planText({ metadata: 'metadata: { name: Building-A }' }),
      'did you mean "building-a"? write 3 to 36 of a-z, 0-9 and single inner hyphens, such as building-a',
    ],
  ])('%s', (_, text, hint) => {
    expect(hints(text)).toContain(hint)
  })

  it('one mistake is one finding: a misspelt field is not also missing', () => {
    expect(parse(planText({ policy: 'polici: { persistSession: true }' })).diagnostics).toHaveLength(1)
    const renamed = planText({ source: SOURCE.replace('url', 'urls') })
    expect(parse(renamed).diagnostics.map(({ code }) => code)).toEqual(['UnknownField'])
  })

  it('every sentence is lower case, without full stop, and has a hint', () => {
    const broken = planText({
      metadata: 'metadata: { name: A, title: b }',
      source: SOURCE.replace('https', 'http').replace('{ env: SOURCE_API_KEY }', 'abc'),
      devices:
        'devices: { include: [{}, { ids: [007, A] }], overrides: [{ match: 5, set: { deviceId: a-b } }] }',
      policy: 'policy: { handover: delete, rejoin: 1, resetFrameCounters: true }',
      rest: 'verify: { heardWithin: 5, retireAfter: 1d }\nescrow: { recipients: [a] }\nstate: ~/a',
    })
    const { diagnostics } = parse(broken)
    expect(diagnostics.length).toBeGreaterThan(12)
    for (const { message, hint, code } of diagnostics) {
      expect(message, code).toMatch(/^(?:[a-z0-9"(]|OTAA|Packet)[^\n]*[^.\n]$/)
      expect(hint, code).toMatch(/^[^\n]*[^.\n]$/)
    }
  })
})

describe('a finding as text', () => {
  it('has place, code, message, and the hint under it', () => {
    const [finding] = parse(planText({ metadata: 'metadata: { name: A }' })).diagnostics
    expect(finding === undefined ? '' : formatDiagnostic(finding)).toBe(
      'plans/building-a.yaml:3:19 InvalidId "name" is "A", which does not have its form\n' +
        '  write 3 to 36 of a-z, 0-9 and single inner hyphens, such as building-a',
    )
  })

  it('names a device, and its field, where it is about one', () => {
    const text = { code: 'Some', severity: 'error', message: 'is wrong' } as const
    expect(formatDiagnostic(text)).toBe('Some is wrong')
    expect(formatDiagnostic({ ...text, subject: { device: 'meter-1' } })).toBe('meter-1 Some is wrong')
    expect(formatDiagnostic({ ...text, subject: { device: 'meter-1', path: 'name' } })).toBe(
      'meter-1 name Some is wrong',
    )
  })
})

it('Bech32 checksums are those of BIP 173', () => {
  expect(isBech32('a12uel5l')).toBe(true)
  expect(isBech32('abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw')).toBe(true)
  expect(isBech32('abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxx')).toBe(false)
  expect(isBech32('age1')).toBe(false)
})

describe('a plan with many mistakes', () => {
  it('lists them all, by place', () => {
    const text = `apiVersion: ferry/v1
kind: MigrationPlans
metadata:
  name: Building-A
source:
  network: things-stack
  url: https://eu1.cloud.thethings.network/console
  aplication: building-a
  apiKey: NNSXS.ABCDEFG.HIJKLMN
target:
  network: ttn-v2
  accessKey: word
devices:
  include:
    - ids: [007, Meter-7, meter-1, meter-1]
    - {}
  overrides:
    - match: "valve-*"
      set: { lorawanVersion: 1.0.3, lorawanPhyVersion: 1.1.0-a, deviceId: valve-1, devEui: 70E5000000000001 }
      policy: { handover: deletefirst, persistSession: yes }
    - policy: { deleteSource: sometimes }
policy:
  handover: delete-first
  deleteSource: never
  rejoin: { fPort: 0, payload: 1e3 }
  rx1Delay: 16
verify: { heardWithin: 24 }
persistSession: true
`
    expect(
      parse(text).diagnostics.map(
        ({ code, subject }) => `${subject !== undefined && 'line' in subject ? subject.line : 0} ${code}`,
      ),
    ).toEqual([
      '2 WrongValue',
      '4 InvalidId',
      '7 InvalidUrl',
      '8 UnknownField',
      '9 LiteralSecret',
      '11 NotBuiltYet',
      '15 QuoteText',
      '15 InvalidId',
      '15 DuplicateId',
      '16 EmptySelector',
      '19 VersionMismatch',
      '19 DeviceIdNeedsOneId',
      '19 DevEuiNeedsOneId',
      '19 QuoteHex',
      '20 WrongValue',
      '20 WrongType',
      '21 EmptySelector',
      '21 WrongValue',
      '22 MissingField',
      '23 DeleteFirst',
      '24 WithoutEffect',
      '25 MissingField',
      '25 WrongValue',
      '25 WrongValue',
      '26 WrongValue',
      '27 WrongValue',
      '28 UnknownField',
    ])
  })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NewCredentials } from '../../src/domain/credentials.ts'
import { type DeviceRecord, type FieldValue, REGISTRIES } from '../../src/domain/device.ts'
import { FerryError } from '../../src/domain/errors.ts'
import type { DevAddr, DevEui, JoinEui } from '../../src/domain/identifiers.ts'
import { Secret } from '../../src/domain/secret.ts'
import { credentialsCsv, credentialsFromJson, credentialsLine } from '../../src/escrow/credentials-record.ts'
import { formatEntry } from '../../src/escrow/escrow-file.ts'
import { deserialiseRecord, serialiseRecord } from '../../src/escrow/serialise.ts'
import { clock, revealed } from '../unit/escrow/support.ts'

const secret = fc.string({ unit: 'grapheme' }).map((text) => new Secret(text))
/** JSON that also looks like the marks of the escrow, at any depth. -0 is no JSON. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('secret', 'plain', 'a', '0', '__proto__', 'toJSON'), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).value as fc.Arbitrary<FieldValue>

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789ABCDEF'), { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))

const fields = fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), fc.oneof(json, secret), {
  maxKeys: 5,
  noNullPrototype: true,
})

const record: fc.Arbitrary<DeviceRecord> = fc.record({
  ids: fc.record(
    {
      deviceId: fc.string({ minLength: 1 }),
      devEui: hex(16)
        .filter((text) => /[^0]/.test(text))
        .map((text) => text as DevEui),
      joinEui: hex(16).map((text) => text as JoinEui),
    },
    { requiredKeys: ['deviceId'] },
  ),
  registries: fc.record(Object.fromEntries(REGISTRIES.map((registry) => [registry, fields])), {
    requiredKeys: [],
  }),
})

test('every record comes back exactly, with every secret a Secret', () => {
  fc.assert(
    fc.property(record, (device) => {
      const text = serialiseRecord(device)
      expect(text).not.toContain('\n')
      const restored = deserialiseRecord(text)
      expect(revealed(restored)).toEqual(revealed(device))
      expect(JSON.stringify(restored)).toBe(JSON.stringify(device))
    }),
    { numRuns: 500 },
  )
})

test('a secret at any depth is kept, and never as its redaction', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('session', 'keys', 'secret', 'plain')), secret, (path, value) => {
      const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), { key: value })
      const device = {
        ids: { deviceId: 'meter-1' },
        registries: { 'join-server': { root_keys: nested } },
      } as DeviceRecord
      const text = serialiseRecord(device)
      expect(text).not.toContain('[redacted]')
      expect(revealed(deserialiseRecord(text))).toEqual(revealed(device))
    }),
  )
})

test('what would not come back exactly is refused, and not lost', () => {
  const values: readonly unknown[] = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    () => 1,
    Symbol('x'),
    new Date(0),
    new Map(),
    new Uint8Array(2),
  ]
  for (const value of values) {
    const device = {
      ids: { deviceId: 'meter-1' },
      registries: { 'join-server': { key: value } },
    } as unknown as DeviceRecord
    expect(() => serialiseRecord(device)).toThrow(expect.objectContaining({ code: 'EscrowValueUnsupported' }))
  }
  const zero = { ids: { deviceId: 'meter-1', devEui: '0000000000000000' as DevEui }, registries: {} }
  expect(() => serialiseRecord(zero)).toThrow(FerryError)
  const other = { ids: { deviceId: 'meter-1' }, registries: { other: {} } } as unknown as DeviceRecord
  expect(() => serialiseRecord(other)).toThrow(FerryError)
})

test('text that is no record is undefined, whatever it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(deserialiseRecord(text)).toBeUndefined()
    }),
  )
})

test('a line of an escrow file is one line', () => {
  fc.assert(
    fc.property(record, (device) => {
      const line = formatEntry({
        deviceId: device.ids.deviceId,
        stage: 'A',
        at: clock().toISOString(),
        record: device,
      })
      expect(line).not.toContain('\n')
      expect(JSON.parse(line)).toMatchObject({ formatVersion: 1, deviceId: device.ids.deviceId, stage: 'A' })
    }),
  )
})

const hexKey = hex(32).map((text) => new Secret(text))
const credentials: fc.Arbitrary<NewCredentials> = fc.record(
  {
    device: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/),
    target: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/),
    activation: fc.constantFrom('otaa', 'abp'),
    lorawanVersion: fc.constantFrom('MAC_V1_0', 'MAC_V1_0_3', 'MAC_V1_0_4', 'MAC_V1_1'),
    frequencyPlan: fc.constantFrom('EU_863_870_TTN', 'US_902_928_FSB_2', 'a "quoted", plan'),
    devEui: hex(16).map((text) => text as DevEui),
    joinEui: hex(16).map((text) => text as JoinEui),
    rootKeys: fc.record({ appKey: hexKey, nwkKey: hexKey }, { requiredKeys: ['appKey'] }),
    session: fc.record(
      {
        devAddr: hex(8).map((text) => text as DevAddr),
        appSKey: hexKey,
        fNwkSIntKey: hexKey,
        sNwkSIntKey: hexKey,
        nwkSEncKey: hexKey,
      },
      { requiredKeys: ['devAddr', 'appSKey', 'fNwkSIntKey'] },
    ),
  },
  { requiredKeys: ['device', 'target', 'activation', 'lorawanVersion', 'frequencyPlan'] },
)

test('new credentials come back exactly, with every key a Secret', () => {
  fc.assert(
    fc.property(credentials, (given) => {
      const line = credentialsLine(given)
      expect(line).not.toContain('\n')
      const restored = credentialsFromJson(JSON.parse(line))
      expect(revealed(restored)).toEqual(revealed(given))
      expect(JSON.stringify(restored)).not.toMatch(/[0-9A-F]{32}/)
    }),
    { numRuns: 300 },
  )
})

/** RFC 4180, with every field quoted. */
const parsedCsv = (text: string): readonly (readonly string[])[] =>
  text
    .split('\r\n')
    .slice(0, -1)
    .map((row) =>
      [...row.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map(([, field = '']) => field.replaceAll('""', '"')),
    )

test('the CSV says what the JSON Lines say, in every column', () => {
  fc.assert(
    fc.property(fc.array(credentials, { maxLength: 4 }), (list) => {
      const [head = [], ...rows] = parsedCsv(credentialsCsv(list))
      expect(rows).toHaveLength(list.length)
      for (const [n, row] of rows.entries()) {
        expect(row).toHaveLength(head.length)
        const filled = head.flatMap((name, at) => (row[at] === '' ? [] : [[name, row[at]] as const]))
        const { format_version: _, ...json } = JSON.parse(credentialsLine(list[n] as NewCredentials))
        expect(Object.fromEntries(filled)).toEqual(json)
      }
    }),
    { numRuns: 100 },
  )
})

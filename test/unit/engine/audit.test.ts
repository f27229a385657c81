import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { Registration } from '../../../src/domain/audit.ts'
import { type DeviceRecord, REGISTRIES, type Registry } from '../../../src/domain/device.ts'
import { NetworkError } from '../../../src/domain/errors.ts'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import type { DeviceIntent } from '../../../src/domain/migration-plan.ts'
import { classify, unreadableAs } from '../../../src/engine/audit/classify.ts'
import { euisTaken, euiTwins } from '../../../src/engine/audit/euis.ts'
import { absentFindings, findingsOnSource, findingsOnTarget } from '../../../src/engine/audit/findings.ts'
import { type KnownDevice, knownIds } from '../../../src/engine/audit/known-ids.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import { AS, abp, device, IS, intent, JS, key, NS, nowhere } from './support.ts'

const HOSTS = ['source.example']
const PLACE = { application: 'meters', plan: 'fleet.yaml' }

const registration = (record: DeviceRecord): Registration => classify(record, HOSTS)
const known = (given: Partial<KnownDevice> = {}): KnownDevice => ({
  deviceId: 'meter-1',
  target: 'meter-1',
  selected: true,
  named: false,
  intent: intent(),
  ...given,
})

const without = ({ ids, registries }: DeviceRecord, registry: Registry): DeviceRecord => {
  const { [registry]: _, ...rest } = registries
  return { ids, registries: rest }
}

const AT = '2026-03-01T12:00:00Z'
const progressOf = (...steps: readonly string[]): Pick<KnownDevice, 'progress'> => {
  const device = 'meter-1'
  const records = [
    { t: 'begin', device, at: AT, target: device, route: 'session-kept' },
    { t: 'fact', device, fact: { name: 'escrow', stage: 'A', file: 'a.age', line: 0 } },
    ...steps.map((step) => ({ t: 'outcome', device, step, at: AT, status: 'done' })),
  ] as readonly JournalRecord[]
  const progress = foldState(records).get(device)
  return progress === undefined ? {} : { progress }
}

describe('what the registries hold', () => {
  const cut = (record: DeviceRecord, held: readonly Registry[]): DeviceRecord => ({
    ids: held.length === 0 ? { deviceId: record.ids.deviceId } : record.ids,
    registries: Object.fromEntries(held.map((registry) => [registry, record.registries[registry] ?? {}])),
  })

  test('is the class of every subset, and what is missing completes it', () => {
    fc.assert(
      fc.property(fc.subarray([...REGISTRIES]), (held) => {
        const { status, missing } = registration(cut(device(), held))
        const rest = REGISTRIES.filter((registry) => !held.includes(registry))
        if (held.length === 0) expect([status, missing]).toEqual(['absent', []])
        else {
          expect([...missing].sort()).toEqual([...rest].sort())
          expect(status).toBe(
            !held.includes(IS) ? 'orphan' : rest.length === 0 ? 'complete' : 'half-registered',
          )
        }
      }),
    )
  })

  test('needs no Join Server for ABP and multicast', () => {
    expect(registration(abp())).toMatchObject({ status: 'complete', activation: 'abp' })
    const group = abp({ [NS]: { multicast: true } })
    expect(registration(group)).toMatchObject({ status: 'complete', activation: 'multicast' })
  })

  it.each([
    ['join.example', 'complete'],
    ['join.example:8884', 'complete'],
    ['source.example', 'half-registered'],
    ['source.example:8884', 'half-registered'],
    ['', 'half-registered'],
  ])('with the Join Server address %j and no record there is %s', (address, status) => {
    const record = device({ [JS]: 'absent', [IS]: { join_server_address: address } })
    expect(registration(record).status).toBe(status)
  })

  test('tells no activation where only an ABP device without Network Server record is left', () => {
    const found = registration(without(abp(), NS))
    expect(found.activation).toBeUndefined()
    expect(found.missing).toEqual([NS])
  })

  test('is at fault where the servers hold different sessions, and never for a device that did not join', () => {
    const differs = device({ [AS]: { 'session.dev_addr': '27000FFF' } })
    expect(registration(differs).sessionFault).toBe('SessionsDiffer')
    const noSession = Object.fromEntries(
      ['dev_addr', 'keys.session_key_id', 'keys.app_s_key.key'].map((path) => [`session.${path}`, null]),
    ) as never
    const network = Object.fromEntries(
      ['dev_addr', 'keys.session_key_id', 'keys.f_nwk_s_int_key.key'].map((path) => [
        `session.${path}`,
        null,
      ]),
    ) as never
    expect(registration(device({ [AS]: noSession, [NS]: network }))).not.toHaveProperty('sessionFault')
    expect(registration(device({ [NS]: network })).sessionFault).toBe('SessionIncomplete')
    expect(registration(abp({ [AS]: noSession })).sessionFault).toBe('SessionIncomplete')
    expect(registration(device({ [AS]: { 'session.keys.app_s_key.key': key('00') } })).sessionFault).toBe(
      'SessionKeysCleared',
    )
  })

  test('is not told of a device that a registry does not give, and refused credentials end the run', () => {
    const error = (code: string, status?: number): NetworkError =>
      new NetworkError(code, 'made up', {
        effect: 'none',
        request: 'GET /api/v3/x',
        ...(status === undefined ? {} : { status }),
      })
    expect(unreadableAs('meter-1', error('IdsDiffer')).status).toBe('ids-differ')
    expect(unreadableAs('meter-1', error('WrappedKey')).status).toBe('unreadable')
    for (const fatal of [error('MissingRight', 403), error('Interrupted'), new TypeError('made up')])
      expect(() => unreadableAs('meter-1', fatal)).toThrow(fatal)
  })
})

describe('the repair of a device that the source holds in part', () => {
  const fixFor = (record: DeviceRecord, given: Partial<KnownDevice> = {}): string =>
    findingsOnSource(registration(record), known(given), PLACE)
      .map(({ fix }) => fix)
      .join('\n')
  const SET: DeviceIntent['set'] = {
    frequencyPlan: 'EU_863_870_TTN',
    lorawanVersion: 'MAC_V1_0_3',
    lorawanPhyVersion: 'PHY_V1_0_3_REV_A',
  }

  test('names what the plan still has to say, and nothing once it says it', () => {
    const noApplication = device({ [AS]: 'absent' })
    expect(fixFor(noApplication)).toContain('write policy.adopt: partial and policy.persistSession: false')
    expect(fixFor(noApplication, { intent: intent({ persistSession: false }) })).toContain(
      'write policy.adopt: partial in an override',
    )
    const noNetwork = device({ [NS]: 'absent' })
    const adopting = intent({ adopt: 'partial' }, { frequencyPlan: 'EU_863_870_TTN' })
    expect(fixFor(noNetwork, { intent: adopting })).toContain(
      'write set.lorawanVersion and set.lorawanPhyVersion in an override',
    )
    expect(fixFor(noNetwork, { intent: intent({ adopt: 'partial' }, SET) })).toContain(
      'ferry apply fleet.yaml moves it',
    )
  })

  test('is never adopt where the root keys or a part of an ABP session are gone', () => {
    const foreign = { join_server_address: 'join.example' }
    for (const record of [
      device({ [JS]: 'absent' }),
      device({ [JS]: 'absent', [AS]: 'absent', [IS]: foreign }),
      without(abp(), AS),
      without(abp(), NS),
    ])
      expect(fixFor(record)).not.toContain('adopt')
  })

  it.each([
    [['create-identity'], 'ferry escrow restore fleet.yaml --device ID'],
    [['create-identity', 'unmute-target'], 'delete the rest once it is heard'],
    [['create-identity', 'unmute-target', 'delete-application'], 'ferry apply fleet.yaml goes on'],
  ])('after the steps %j is what the state makes of it', (steps, fix) => {
    expect(fixFor(device({ [AS]: 'absent' }), progressOf(...steps))).toContain(fix)
  })

  test('leaves the session of a source that was let go alone', () => {
    const differs = device({ [AS]: { 'session.dev_addr': '27000FFF' } })
    expect(fixFor(differs)).not.toBe('')
    expect(fixFor(differs, progressOf('create-identity', 'unmute-target'))).toBe('')
  })

  test('of an orphan is never a delete through the Identity Server', () => {
    const orphan = device({ [IS]: 'absent', [AS]: 'absent' })
    expect(fixFor(orphan)).toContain(
      'DELETE /api/v3/ns/applications/meters/devices/ID, then DELETE /api/v3/js/applications/meters/devices/ID',
    )
    expect(fixFor(orphan)).not.toContain('ttn-lw-cli')
  })
})

describe('the repair of a device that the target holds in part', () => {
  const partly = device({ [AS]: 'absent' })
  const fixFor = (claim: KnownDevice | undefined, held = partly): string =>
    findingsOnTarget(registration(held), claim, registration(device()), PLACE)
      .map(({ fix }) => fix)
      .join('\n')

  test('is adopt for the same device, another id for another, and neither for one that nobody moves there', () => {
    expect(fixFor(known())).toContain('write policy.adopt: partial')
    expect(fixFor(known({ intent: intent({ adopt: 'partial' }) }))).toContain('ferry apply fleet.yaml')
    const other = known({ intent: intent({}, { devEui: '70B3D57ED00F00FF' as never }) })
    expect(fixFor(other)).toContain('set.deviceId')
    for (const nobody of [undefined, known({ selected: false })])
      expect(fixFor(nobody)).not.toMatch(/adopt|set\.deviceId/)
  })

  test('is the next apply while the crossing has not ended, also after the source was deleted', () => {
    expect(fixFor(known(progressOf('create-identity')))).toContain('ferry apply fleet.yaml goes on')
    expect(fixFor(known(progressOf('delete-identity', 'create-identity')))).toContain(
      'ferry apply fleet.yaml goes on',
    )
  })

  test('never writes over what was let go', () => {
    const fix = fixFor(known(progressOf('create-identity', 'unmute-target')))
    expect(fix).toContain('ferry escrow restore')
    expect(fix).not.toContain('adopt')
  })
})

describe('devices that are in no registry', () => {
  const absent = registration(nowhere)
  const codesOf = (given: Partial<KnownDevice>): readonly string[] =>
    absentFindings(known(given), absent, absent, PLACE).map(({ code }) => code)

  it.each([
    [[], 'SourceGone'],
    [['create-identity', 'unmute-target'], 'VanishedFromTarget'],
    [['delete-identity'], 'CrossingNotEnded'],
  ])('after the steps %j are %s', (steps, code) => {
    expect(codesOf(progressOf(...steps))).toEqual([code])
  })

  test('are told where the plan names them, and not where a listing did a moment ago', () => {
    expect(codesOf({ named: true })).toEqual(['UnknownDevice'])
    expect(codesOf({})).toEqual([])
    const complete = registration(device())
    expect(absentFindings(known({ named: true }), absent, complete, PLACE)).toEqual([])
  })
})

describe('EUIs', () => {
  const named = (deviceId: string): Registration => ({ ...registration(device()), deviceId })

  test('that two ids share are told for both, and name the other', () => {
    const findings = euiTwins([named('a-1'), named('b-1')], 'target', 'meters')
    expect(
      findings.map(({ device: id, message }) => [id, message.includes('a-1') && message.includes('b-1')]),
    ).toEqual([
      ['a-1', true],
      ['b-1', true],
    ])
    expect(euiTwins([named('a-1'), registration(nowhere)], 'target', 'meters')).toEqual([])
  })

  const taken = (
    device: KnownDevice,
    target: readonly Registration[],
    elsewhere: Parameters<typeof euisTaken>[0]['elsewhere'] = [],
  ) =>
    euisTaken({
      devices: [{ device, source: named('meter-1') }],
      target: new Map(target.map((each) => [each.deviceId, each])),
      elsewhere,
      application: 'meters',
    })
  const { devEui, joinEui } = device().ids

  test('are taken by another id or application, not by the device itself or one that crossed', () => {
    expect(taken(known(), [named('theirs')])).toHaveLength(1)
    expect(taken(known(), [named('meter-1')])).toEqual([])
    expect(taken(known({ target: 'theirs' }), [named('theirs')])).toEqual([])
    expect(taken(known({ selected: false }), [named('theirs')])).toEqual([])
    expect(taken(known(progressOf('create-identity')), [named('theirs')])).toEqual([])
    const pair = { deviceId: 'x-1', application: 'others', devEui, joinEui } as never
    expect(taken(known(), [], [pair])).toHaveLength(1)
    const alone = { deviceId: 'x-1', application: 'others', devEui } as never
    expect(taken(known(), [], [alone])).toEqual([])
  })

  test('are those that the plan gives the device on the target', () => {
    const other = known({ intent: intent({}, { devEui: '70B3D57ED00F00FF' as never }) })
    expect(taken(other, [named('theirs')])).toEqual([])
  })
})

test('every id that a listing, the plan or the state names is looked for where it makes sense', () => {
  const { devices, targetIds } = knownIds({
    plan: {
      devices: {
        include: [{ all: true }, { idsFile: { path: '/ids.txt', ids: ['from-file'] } }],
        exclude: [{ ids: ['left-out'] }],
        overrides: [],
      },
    },
    source: [{ deviceId: 'meter-2' }],
    target: [{ deviceId: 'theirs' }],
    progress: new Map(
      foldState([{ t: 'begin', device: 'old-1', at: AT, target: 'new-1', route: 'abp-kept' }]),
    ),
    select: ({ deviceId }) => ({
      selected: true,
      intent: intent({}, deviceId === 'meter-2' ? { deviceId: 'meter-002' } : {}),
    }),
  })
  expect(devices.map(({ deviceId, target, named }) => [deviceId, target, named])).toEqual([
    ['from-file', 'from-file', true],
    ['left-out', 'left-out', true],
    ['meter-2', 'meter-002', false],
    ['old-1', 'new-1', false],
  ])
  expect(targetIds).toEqual(['from-file', 'left-out', 'meter-002', 'meter-2', 'new-1', 'old-1', 'theirs'])
})

import { describe, expect, it } from 'vitest'
import type { DeviceChange } from '../../../src/domain/change-set.ts'
import { FerryError } from '../../../src/domain/errors.ts'
import { isCrossing, isHeldByEscrow } from '../../../src/report/crossing.ts'
import { toldFindings } from '../../../src/report/findings.ts'
import { groupChanges } from '../../../src/report/groups.ts'
import { handsOf } from '../../../src/report/hands.ts'
import { irreversibleOf } from '../../../src/report/irreversible.ts'
import { renderJson } from '../../../src/report/json.ts'
import { renderMarkdown } from '../../../src/report/markdown.ts'
import { riskIdsOf, risksOf } from '../../../src/report/risks.ts'
import { renderDevice, renderGroup } from '../../../src/report/show.ts'
import { renderText } from '../../../src/report/text.ts'
import { judge } from '../../../src/report/verdict.ts'
import {
  abpKept,
  change,
  changeSet,
  create,
  DELETES,
  joiningAnew,
  OTAA_C,
  retiring,
  SAMPLES,
  sessionKept,
  settled,
  times,
  updated,
} from '../../support/change-sets.ts'
import {
  abpReprogrammed,
  deletedFirst,
  everyWay,
  group,
  joinsByHand,
  otaaReprogrammed,
  silentUntilJoin,
} from '../../support/change-sets-ways.ts'

const ids = (...devices: readonly DeviceChange[]): readonly string[] =>
  groupChanges(changeSet(devices)).map((group) => `${group.id} ${group.action} ${group.devices.length}`)

describe('devices share a group', () => {
  it('only where a reviewer would judge them alike', () => {
    const one = joiningAnew(1)
    const alike: readonly DeviceChange[] = [
      joiningAnew(2),
      {
        ...joiningAnew(3),
        fields: [...one.fields, create('identity-server', 'description', 'in the cellar')],
      },
    ]
    for (const other of alike) expect(ids(one, other)).toEqual(['G1 create 2'])
    const unlike: readonly DeviceChange[] = [
      joiningAnew(2, OTAA_C),
      sessionKept(2),
      { ...joiningAnew(2), later: ['hear', ...DELETES] },
      { ...joiningAnew(2), findings: [{ code: 'NeverJoined', severity: 'note', message: 'never joined' }] },
      {
        ...joiningAnew(2),
        fields: [...one.fields, create('network-server', 'mac_settings.resets_f_cnt', true)],
      },
      {
        ...joiningAnew(2),
        fields: one.fields.map((field) =>
          field.path === 'mac_settings.rx1_delay' ? { ...field, after: { value: 5 } } : field,
        ),
      },
    ]
    for (const other of unlike) expect(ids(one, other)).toEqual(['G1 create 1', 'G2 create 1'])
  })

  it('in an order that does not depend on the order of devices', () => {
    const devices = SAMPLES['risks']?.().devices ?? []
    const names = (list: readonly DeviceChange[]): unknown =>
      groupChanges({ devices: list }).map((group) => [group.id, group.devices.map((device) => device.device)])
    expect(names([...devices].reverse())).toEqual(names(devices))
  })

  it('by action, the largest first', () => {
    expect(ids(settled(9, 'done'), joiningAnew(1), sessionKept(2), sessionKept(3), retiring(5))).toEqual([
      'G1 create 2',
      'G2 create 1',
      'G3 retire 1',
      'G4 done 1',
    ])
  })

  it('with what they have in common apart from what varies', () => {
    const [group] = groupChanges(
      changeSet(
        times(4, (index) =>
          updated(index, [
            change('identity-server', 'name', 'old', `new ${index % 2}`),
            change('identity-server', 'description', 'a', 'b'),
          ]),
        ),
      ),
    )
    expect(group?.common.map((field) => field.path)).toEqual(['description'])
    expect(group?.varying.map(({ devices, distinct, example }) => [devices, distinct, example.path])).toEqual(
      [[4, 2, 'name']],
    )
    expect(group?.unchanged).toEqual([6, 6])
  })

  it('fast enough for a large fleet [edge 99]', () => {
    const large = { devices: times(20_000, (index) => sessionKept(index)) }
    const start = performance.now()
    expect(groupChanges(large)).toHaveLength(1)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

describe('risks', () => {
  it('are always the same list, with counts', () => {
    const none = risksOf(changeSet([]))
    expect(none.map((risk) => `${risk.id} ${risk.name}`)).toEqual([
      'R1 rejoin',
      'R2 session',
      'R3 abp',
      'R4 counters-reset',
      'R5 rx1-delay',
      'R6 root-keys',
      'R7 source-deletes',
      'R8 duplicates',
      'R9 target-deletes',
      'R10 delete-first',
      'R11 re-programmed',
      'R12 triggered-join',
      'R13 multicast',
      'R14 stays-muted',
      'R15 downlinks-copied',
    ])
    expect(none.every((risk) => risk.devices === 0 && !risk.asks)).toBe(true)
    const counts = Object.fromEntries(
      risksOf(SAMPLES['risks']?.() ?? changeSet([])).map((risk) => [risk.name, risk.devices]),
    )
    expect(Object.fromEntries(Object.entries(counts).filter(([, number]) => number > 0))).toEqual({
      rejoin: 34,
      session: 7,
      abp: 2,
      'counters-reset': 1,
      'rx1-delay': 3,
      'root-keys': 43,
      'source-deletes': 1,
      duplicates: 9,
    })
  })

  it('of the ways that few plans take are counted', () => {
    const counts = Object.fromEntries(
      risksOf(everyWay()).map((risk) => [risk.id, `${risk.devices}${risk.asks ? ' asks' : ''}`]),
    )
    expect(counts).toMatchObject({
      R7: '5 asks',
      R9: '0',
      R10: '5 asks',
      R11: '10 asks',
      R12: '5 asks',
      R13: '2 asks',
      R14: '1 asks',
      R15: '1',
    })
  })

  it('know a device that the source kept deleting from one that only the escrow holds', () => {
    expect([deletedFirst(1), deletedFirst(2, true), group(3), retiring(4)].map(isHeldByEscrow)).toEqual([
      false,
      true,
      false,
      false,
    ])
    // Where the state does not say so, the steps that are left do.
    const { status: _, ...unsaid } = deletedFirst(5, true)
    expect(isHeldByEscrow(unsaid)).toBe(true)
    expect(judge(changeSet([unsaid])).reasons[0]).toContain('on no network')
    expect(riskIdsOf(unsaid)).toEqual(['R2', 'R10'])
  })

  it('count a multicast group as crossing, though it is neither muted nor heard', () => {
    expect([group(1), deletedFirst(2), retiring(3), settled(4, 'wait')].map(isCrossing)).toEqual([
      true,
      true,
      false,
      false,
    ])
    const halfWay = { ...group(1), steps: ['final-network', 'delete-identity'] as const }
    expect(riskIdsOf(halfWay)).toEqual(['R7', 'R13'])
    expect(riskIdsOf({ ...group(1), steps: ['delete-identity'] })).toEqual(['R7'])
  })

  it('name deletes and what only the escrow brings back as not to be undone', () => {
    expect(
      irreversibleOf(changeSet([retiring(1), abpKept(2, 'abp-reset')])).map((item) => item.name),
    ).toEqual(['source-deletes', 'counters-reset'])
    expect(irreversibleOf(everyWay()).map((item) => `${item.name} ${item.devices}`)).toEqual([
      'source-deletes 5',
      'delete-first 5',
      'root-keys 39',
      'rejoin 37',
      'counters-reset 1',
      're-programmed 10',
    ])
    expect(irreversibleOf(changeSet([settled(1, 'adopt')]))).toEqual([])
  })

  it('do not say of a device that never joined that it leaves its session', () => {
    const never = (number: number): DeviceChange => ({
      ...joiningAnew(number),
      findings: [{ code: 'NeverJoined', severity: 'note', message: 'never joined' }],
    })
    const counts = (...devices: readonly DeviceChange[]): unknown =>
      irreversibleOf(changeSet(devices))
        .filter((item) => item.name === 'rejoin')
        .map((item) => item.devices)
    expect(counts(never(1), joiningAnew(2), never(3))).toEqual([1])
    expect(counts(never(1))).toEqual([])
  })
})

describe('what needs a hand', () => {
  const names = (
    gateways: 'on-target' | 'moving-now' | 'packet-broker' | 'unknown',
    ...devices: readonly DeviceChange[]
  ) => handsOf(changeSet(devices, { coverage: { gateways } })).map((hand) => `${hand.when} ${hand.name}`)

  it('follows from the route and from where gateways are', () => {
    expect(names('on-target', sessionKept(1))).toEqual([])
    expect(names('moving-now', sessionKept(1))).toEqual(['during gateways'])
    expect(names('packet-broker', sessionKept(1))).toEqual(['before gateways'])
    expect(names('unknown', abpKept(1, 'abp-reset'))).toEqual(['before gateways', 'after reset'])
    expect(names('unknown', joiningAnew(1))).toEqual(['after join'])
    expect(names('unknown', settled(1, 'wait'))).toEqual(['after join'])
    expect(names('unknown', settled(1, 'done'))).toEqual([])
  })
})

describe('what needs a hand on the ways that few plans take', () => {
  const hands = (...devices: readonly DeviceChange[]) =>
    handsOf(changeSet(devices, { coverage: { gateways: 'on-target' } }))

  it('is a check list of devices that people make join, those that listen first', () => {
    const [hand] = hands(joinsByHand(1), joinsByHand(2, OTAA_C), joinsByHand(3))
    expect(hand).toMatchObject({ name: 'join-by-hand', devices: 3, when: 'after' })
    expect(hand?.list).toEqual({
      kind: 'check',
      items: [
        { text: 'class C', devices: ['valve-2'] },
        { text: 'class A', devices: ['meter-1', 'meter-3'] },
      ],
    })
  })

  it('is how long devices may be silent, told once for all that it is the same for', () => {
    const set = changeSet([
      silentUntilJoin(1, 'for a day'),
      silentUntilJoin(2, 'for an hour'),
      silentUntilJoin(3, 'for an hour'),
      joiningAnew(4),
    ])
    const hand = handsOf(set).find(({ name }) => name === 'join')
    expect(hand?.devices).toBe(4)
    expect(hand?.list?.items).toEqual([
      { text: 'for an hour', devices: ['meter-2', 'meter-3'] },
      { text: 'for a day', devices: ['meter-1'] },
    ])
    expect(toldFindings(set)).toEqual([])
  })

  it('is programming, by file where keys are new', () => {
    const named = hands(otaaReprogrammed(1), abpReprogrammed(2), otaaReprogrammed(3, 'same'))
    expect(named.map((hand) => `${hand.name} ${hand.devices}`)).toEqual(['program 2', 'program-euis 1'])
    expect(named[0]?.text).toContain('ferry escrow credentials plans/building-a.yaml -o FILE --format csv')
  })

  it('is told in the order of time', () => {
    const whens = handsOf(everyWay()).map((hand) => `${hand.when} ${hand.name}`)
    expect(whens).toEqual([
      'before identity',
      'before group-gateways',
      'during gateways',
      'after reset',
      'after join-by-hand',
      'after join',
      'after triggered-join',
      'after program',
      'after program-euis',
    ])
  })
})

describe('a device that becomes another', () => {
  it('has its EUIs among the changes of its group, and before everything in its own', () => {
    const [one] = groupChanges(changeSet([otaaReprogrammed(1), otaaReprogrammed(2)]))
    expect(one?.common.map((field) => field.path)).toContain('ids.join_eui')
    expect(one?.varying.find(({ example }) => example.path === 'ids.dev_eui')).toMatchObject({ distinct: 2 })
    const set = changeSet([otaaReprogrammed(1)])
    expect(renderDevice(set, 'meter-1')).toContain('DevEUI     70B3D57E00000001 -> 70B3D57F00000001\n')
    expect(JSON.parse(renderDevice(set, 'meter-1', { format: 'json' }))).toMatchObject({
      becomes: { dev_eui: '70B3D57F00000001', join_eui: '70B3D57ED0000002' },
    })
  })

  it('shows of what is made only that it is made, whatever it takes the place of', () => {
    const key = '2B7E151628AED2A6ABF7158809CF4F3C'
    const device = abpReprogrammed(1)
    const set = changeSet([
      { ...device, fields: device.fields.map((field) => ({ ...field, before: { value: key } })) },
    ])
    for (const text of [
      renderDevice(set, 'parking-1'),
      renderDevice(set, 'parking-1', { format: 'json' }),
      renderText(set),
      renderMarkdown(set),
      renderJson(set),
    ]) {
      expect(text).not.toContain(key)
      expect(text).toMatch(/generated/)
    }
  })
})

describe('a single group or device', () => {
  const set = SAMPLES['risks']?.() ?? changeSet([])

  it('is shown with all of it', async () => {
    const group = renderGroup(set, 'g1', { width: 80 })
    expect(group.split('\n').filter((line) => line.includes('  meter-'))).toHaveLength(30)
    await expect(group).toMatchFileSnapshot('./golden/show-group.txt')
    await expect(renderDevice(set, 'air-203', { width: 80 })).toMatchFileSnapshot('./golden/show-device.txt')
  })

  it('is found by id, by DevEUI in any spelling, and by id on the target', () => {
    const byId = renderDevice(set, 'air-203')
    expect(renderDevice(set, '70:b3:d5:7e:00:00:00:cb')).toBe(byId)
    const renamed = changeSet([{ ...joiningAnew(1), target: 'meter-001' }])
    expect(renderDevice(renamed, 'meter-001')).toBe(renderDevice(renamed, 'meter-1'))
    expect(JSON.parse(renderDevice(set, 'air-203', { format: 'json' }))).toMatchObject({
      kind: 'device',
      device: 'air-203',
    })
    expect(JSON.parse(renderGroup(set, 'G1', { format: 'json' })).devices).toHaveLength(30)
    expect(renderGroup(set, 'G1', { format: 'markdown' })).toMatch(/^```text\n[\s\S]*\n```\n$/)
  })

  it('that is not there is an error that helps', () => {
    const error = (act: () => unknown): FerryError => {
      try {
        act()
      } catch (thrown) {
        if (thrown instanceof FerryError) return thrown
      }
      throw new Error('nothing thrown')
    }
    expect(error(() => renderGroup(set, 'G99')).code).toBe('GroupUnknown')
    expect(error(() => renderDevice(set, 'parking')).code).toBe('DeviceUnknown')
    expect(error(() => renderDevice(set, 'parking')).hint).toContain('parking-301')
  })
})

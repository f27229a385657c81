import { describe, expect, it } from 'vitest'
import type { Action } from '../../../src/domain/change-set.ts'
import type { DeviceRecord } from '../../../src/domain/device.ts'
import type { DevEui } from '../../../src/domain/identifiers.ts'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import type { Policy } from '../../../src/domain/migration-plan.ts'
import { planDevice } from '../../../src/engine/planning/plan-device.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import {
  AS,
  AT,
  abp,
  begin,
  DEFAULTS,
  device,
  done,
  FACTS,
  HANDED_OVER,
  IMPORT,
  IS,
  intended,
  intent,
  JS,
  key,
  NS,
  nowhere,
} from './support.ts'

const stranger: DeviceRecord = {
  ...device(),
  ids: { ...device().ids, devEui: '70B3D57ED00F0099' as DevEui },
}
const others = device({ [JS]: { 'root_keys.app_key.key': key('E1') } })
const renamed = device({ [IS]: { name: 'Other' } })
const part = device({ [NS]: 'absent', [AS]: 'absent' })
const newer = device({ [NS]: { 'session.dev_addr': '2A000001' } })
const baseline: JournalRecord = {
  t: 'fact',
  device: 'meter-1',
  fact: { name: 'baseline', lastFCntUp: 100, devAddr: '27000F01', sourceDevAddr: '27000F01' },
}
const begun = [begin(), ...done(...IMPORT)]
const letGo = [begin(), ...done(...HANDED_OVER), baseline]
const adopted: readonly JournalRecord[] = [
  { t: 'fact', device: 'meter-1', fact: { name: 'applied', settings: {} } },
]

interface Row {
  readonly target: string
  readonly held: DeviceRecord
  readonly known: string
  readonly records: readonly JournalRecord[]
  readonly action: Action
  readonly code?: string
  readonly source?: DeviceRecord
  readonly policy?: Partial<Policy>
}

/** The table "Who holds it" of the design, row by row, with what the state may know of each. */
const TABLE: readonly Row[] = [
  { target: 'absent', held: nowhere, known: 'nothing', records: [], action: 'create' },
  {
    target: 'absent',
    held: nowhere,
    known: 'that its creation was tried',
    records: [begin(), intended('create-identity')],
    action: 'create',
  },
  {
    target: 'absent',
    held: nowhere,
    known: 'that it was there, muted',
    records: begun,
    action: 'create',
    code: 'VanishedFromTarget',
  },
  {
    target: 'absent',
    held: nowhere,
    known: 'that it was let go with its session',
    records: letGo,
    action: 'blocked',
    code: 'VanishedFromTarget',
  },
  {
    target: 'absent',
    held: nowhere,
    known: 'that it was let go, and it may join anew',
    records: letGo,
    policy: { persistSession: false },
    action: 'create',
    code: 'VanishedFromTarget',
  },
  {
    target: 'absent',
    held: nowhere,
    known: 'that its root keys were replaced',
    records: [...letGo, ...done('hear', 'prevent-rejoin')],
    action: 'blocked',
    code: 'VanishedFromTarget',
  },
  {
    target: 'absent',
    held: nowhere,
    known: 'that it was taken back',
    records: [...begun, { t: 'undone', device: 'meter-1', at: AT }],
    action: 'create',
  },
  { target: 'a part', held: part, known: 'that it is ours', records: begun, action: 'resume' },
  {
    target: 'a part',
    held: part,
    known: 'that its creation was tried',
    records: [begin(), intended('create-identity')],
    action: 'resume',
  },
  {
    target: 'a part',
    held: part,
    known: 'nothing',
    records: [],
    action: 'blocked',
    code: 'PartialOnTarget',
  },
  {
    target: 'the same device',
    held: device(),
    known: 'nothing',
    records: [],
    action: 'adopt',
    code: 'NotMovedByUs',
  },
  {
    target: 'the same device',
    held: device(),
    known: 'that it was adopted',
    records: adopted,
    action: 'done',
  },
  {
    target: 'the same device, muted',
    held: device({ [NS]: { 'mac_settings.schedule_downlinks': false } }),
    known: 'that it is ours',
    records: begun,
    action: 'resume',
  },
  {
    target: 'the same device, serving it',
    held: device(),
    known: 'that it is ours, and not let go',
    records: begun,
    action: 'blocked',
    code: 'TargetSpeaks',
  },
  { target: 'the same device', held: device(), known: 'that it was let go', records: letGo, action: 'wait' },
  {
    target: 'the same device with other settings',
    held: renamed,
    known: 'nothing',
    records: [],
    action: 'update',
    code: 'NotMovedByUs',
  },
  {
    target: 'the same device with other settings',
    held: renamed,
    known: 'that it was let go',
    records: letGo,
    action: 'update',
  },
  {
    target: 'a newer session of the same device',
    held: newer,
    known: 'nothing',
    records: [],
    action: 'adopt',
    code: 'NotMovedByUs',
  },
  {
    target: 'a newer session of the same device',
    held: newer,
    known: 'that it was let go',
    records: letGo,
    action: 'retire',
  },
  {
    target: 'the same EUIs with other root keys',
    held: others,
    known: 'nothing',
    records: [],
    action: 'blocked',
    code: 'ForeignKeys',
  },
  {
    target: 'the same EUIs with other root keys',
    held: others,
    known: 'that it was let go',
    records: letGo,
    action: 'blocked',
    code: 'ForeignKeys',
  },
  {
    target: 'the id with other EUIs',
    held: stranger,
    known: 'nothing',
    records: [],
    action: 'blocked',
    code: 'ForeignDevice',
  },
  {
    target: 'the id with other EUIs',
    held: stranger,
    known: 'that it is ours',
    records: begun,
    action: 'blocked',
    code: 'ForeignDevice',
  },
  {
    target: 'an ABP device with other session keys',
    held: abp({ [NS]: { 'session.keys.f_nwk_s_int_key.key': key('E3') } }),
    source: abp(),
    known: 'nothing',
    records: [],
    action: 'blocked',
    code: 'ForeignKeys',
  },
  {
    target: 'an ABP device with the same keys',
    held: abp(),
    source: abp(),
    known: 'nothing',
    records: [],
    action: 'adopt',
    code: 'NotMovedByUs',
  },
]

describe('who holds a device', () => {
  it.each(TABLE)('the target holds $target, the state knows $known: $action', (row) => {
    const change = planDevice({
      source: row.source ?? device(),
      target: row.held,
      progress: foldState(row.records).get('meter-1'),
      intent: intent(row.policy),
      coverage: 'on-target',
      retireAfter: 0,
      stopsBy: 'muting',
      joinHosts: ['source.example'],
      targetFacts: FACTS,
      defaults: DEFAULTS,
      queue: [],
      sameDeployment: false,
      digestKey: 'made-up',
      now: new Date(AT),
    })
    expect(change.action).toBe(row.action)
    const told = change.findings.map((finding) => finding.code).filter((code) => code !== 'SilentUntilJoin')
    expect(told).toEqual(row.code === undefined ? [] : [row.code])
    // What was let go, or is not ours, is never written again but for its settings.
    if (row.action === 'update' || row.action === 'adopt')
      expect(change.steps.filter((step) => /^(set|create|final|stop|delete)-/.test(step))).toEqual([])
    if (row.action === 'blocked') expect([...change.steps, ...change.later, ...change.fields]).toEqual([])
    if (row.action === 'create') expect(change.steps).toContain('create-identity')
    expect(JSON.stringify(change)).not.toMatch(/([0-9A-F]{2})\1{15}/)
  })
})

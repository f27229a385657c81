import { describe, expect, it } from 'vitest'
import type { ApplyCounts, FerryEvent } from '../../../src/domain/events.ts'
import {
  type ApplyResult,
  renderApplyResult,
  renderApplyResultJson,
} from '../../../src/report/apply-result.ts'
import {
  advanceProgress,
  dueLine,
  progressLine,
  startProgress,
  terminalLine,
} from '../../../src/report/progress.ts'
import { renderStatus, renderStatusJson, type StatusRow } from '../../../src/report/status.ts'
import { renderVerifyReport, renderVerifyReportJson } from '../../../src/report/verify-report.ts'
import { change, times } from '../../support/change-sets.ts'

const NONE: ApplyCounts = {
  migrated: 0,
  waiting: 0,
  updated: 0,
  adopted: 0,
  failed: 0,
  deferred: 0,
  stale: 0,
  blocked: 0,
  skipped: 0,
}
const refused = {
  code: 'NetworkRefused',
  message: 'the Join Server refused the nonces (409)',
  hint: 'plan again',
  correlationId: 'ns:uplink:01J',
}
const result = (counts: Partial<ApplyCounts>, more: Partial<ApplyResult> = {}): ApplyResult => ({
  counts: { ...NONE, ...counts },
  left: [],
  plan: 'plans/building-a.yaml',
  ...more,
})

describe('the end of an apply', () => {
  it('tells what is left, why, and the command that goes on', async () => {
    const partly = result(
      { migrated: 800, waiting: 12, failed: 3, blocked: 2, skipped: 4 },
      {
        left: ['a-1', 'a-2', 'a-3'].map((device) => ({ device, status: 'failed' as const, error: refused })),
      },
    )
    await expect(renderApplyResult(partly, { width: 80 })).toMatchFileSnapshot('./golden/apply-partly.txt')
    expect(JSON.parse(renderApplyResultJson(partly))).toMatchObject({
      verdict: 'partly_done',
      summary: { devices: 821 },
    })
  })

  it('says when it is done, blocked or stopped', () => {
    expect(renderApplyResult(result({ migrated: 3 }))).toMatch(/ferry verify .*\nDONE {2}3 devices/)
    expect(renderApplyResult(result({ migrated: 3, blocked: 1 }))).toContain('DONE, BUT BLOCKED DEVICES')
    expect(renderApplyResult(result({ migrated: 3, waiting: 1 }, { stopped: 'interrupted' }))).toContain(
      'Stopped: interrupted. The state is safe.',
    )
  })
})

describe('the status of devices', () => {
  const rows: readonly StatusRow[] = [
    { device: 'meter-1', target: 'meter-1', devEui: '70B3D57E00000001', status: 'done', next: '' },
    {
      device: 'meter-2',
      target: 'meter-002',
      status: 'waiting to be heard',
      next: 'replace root keys on the source',
      since: '2026-03-01T12:00:00Z',
    },
    { device: 'meter-3', target: 'meter-3', status: 'failed', next: 'stop the source', error: refused },
  ]

  it('is a table with errors under their device', async () => {
    const options = { name: 'building-a', width: 80, now: new Date('2026-03-02T14:30:00Z') }
    await expect(renderStatus(rows, options)).toMatchFileSnapshot('./golden/status.txt')
    expect(renderStatus([], options)).toBe('building-a  0 devices.\n')
    expect(JSON.parse(renderStatusJson(rows, 'building-a')).summary).toEqual({
      devices: 3,
      done: 1,
      failed: 1,
      'waiting to be heard': 1,
    })
  })
})

describe('a verification', () => {
  it('tells what is wrong in detail and what is well as a number', async () => {
    const rows = [
      ...times(25, (index) => ({ device: `meter-${index}`, status: 'silent' as const, differences: [] })),
      ...times(3, (index) => ({ device: `air-${index}`, status: 'heard' as const, differences: [] })),
      {
        device: 'valve-1',
        status: 'differs' as const,
        differences: [
          change('network-server', 'mac_settings.rx1_delay', 1, 5),
          change('join-server', 'root_keys.app_key.key', 'never', 'shown'),
        ],
      },
      { device: 'valve-2', status: 'missing' as const, differences: [] },
    ]
    const text = renderVerifyReport(rows, { width: 80 })
    await expect(text).toMatchFileSnapshot('./golden/verify.txt')
    expect(text).not.toContain('never')
    expect(JSON.parse(renderVerifyReportJson(rows)).summary).toEqual({
      devices: 30,
      heard: 3,
      equal: 0,
      waiting: 0,
      joining: 0,
      silent: 25,
      unfinished: 0,
      differs: 1,
      missing: 1,
    })
    expect(renderVerifyReport([])).toMatch(/^VERIFIED {2}0 devices/)
  })
})

describe('progress', () => {
  const viewAfter = (events: readonly FerryEvent[], now: number) =>
    events.reduce((view, event) => advanceProgress(view, event, now), startProgress(0))
  const ended = (count: number, status: 'migrated' | 'waiting' | 'failed'): readonly FerryEvent[] =>
    times(count, (index) => ({ event: 'device.done', device: `d-${index}`, status }))
  const started: FerryEvent = { event: 'apply.started', devices: 8292, run: 'r' }

  it('is one line with counts, the reason when it is slow, and a guess of the rest', () => {
    let view = advanceProgress(startProgress(0), started, 0)
    for (const event of [...ended(812, 'migrated'), ...ended(14, 'waiting'), ...ended(3, 'failed')]) {
      view = advanceProgress(view, event, 1)
    }
    view = advanceProgress(
      view,
      { event: 'network.slow', side: 'target', reason: '429', waitMs: 12_000 },
      273_000,
    )
    expect(progressLine(view, 273_000)).toBe(
      'Apply 829/8,292 10.0 % | ok 812 wait 14 fail 3 | throttled: target 429, 12 s | ETA 41 min',
    )
    expect(progressLine(view, 300_000)).not.toContain('throttled')
    expect(terminalLine(view, 273_000, 60)).toHaveLength(59)
    expect(
      progressLine(advanceProgress(view, { event: 'apply.stopping', reason: 'Ctrl-C' }, 1), 273_000),
    ).toContain('stopping: Ctrl-C')
  })

  it('guesses nothing before one percent', () => {
    expect(progressLine(viewAfter([started, ...ended(82, 'migrated')], 1), 60_000)).not.toContain('ETA')
    expect(progressLine(viewAfter([started, ...ended(83, 'migrated')], 1), 60_000)).toContain('ETA')
  })

  it('tells what is read', () => {
    const events: readonly FerryEvent[] = [
      { event: 'reading.started', side: 'source' },
      { event: 'reading.progress', side: 'source', devices: 1200 },
      { event: 'reading.done', side: 'target', devices: 1 },
    ]
    expect(progressLine(viewAfter(events, 1), 1)).toBe('Read | source 1,200 devices, target 1 device')
  })

  it('is due every 30 seconds where there is no terminal, and at the end', () => {
    const view = viewAfter([started], 0)
    const first = dueLine(view, 0)
    expect(first.line).toBeDefined()
    expect(dueLine(first.view, 29_999).line).toBeUndefined()
    expect(dueLine(first.view, 30_000).line).toBeDefined()
    const end = advanceProgress(first.view, { event: 'apply.done', result: NONE }, 5)
    expect(dueLine(end, 65_000).line).toContain('took 65 s')
  })
})

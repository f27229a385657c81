import fc from 'fast-check'
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
import { displayWidth } from '../../../src/report/width.ts'
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

  it('asks for the word that all that is left waits for', () => {
    const error = { code: 'HandoverNotConfirmed', message: 'it waits' }
    const left = [{ device: 'a-1', status: 'deferred' as const, error }]
    expect(renderApplyResult(result({ deferred: 1 }, { left }))).toContain('--confirm-handover')
    const others = [...left, { device: 'a-2', status: 'failed' as const, error: refused }]
    expect(renderApplyResult(result({ deferred: 1, failed: 1 }, { left: others }))).not.toContain(
      '--confirm-handover',
    )
  })

  it('tells before all else what no network serves, and the command that mends it', async () => {
    const held = result(
      { migrated: 6, waiting: 3, failed: 2 },
      {
        left: ['a-1', 'a-2'].map((device) => ({ device, status: 'failed' as const, error: refused })),
        heldByEscrow: ['a-1', 'a-2'],
        unheard: 3,
      },
    )
    const text = renderApplyResult(held, { width: 80 })
    await expect(text).toMatchFileSnapshot('./golden/apply-held.txt')
    expect(text).toMatch(/^2 devices are on no network/)
    expect(text).toMatch(/\nnext {4}ferry apply .*[\s\S]*\nHELD BY ESCROW {2}11 devices/)
    expect(JSON.parse(renderApplyResultJson(held))).toMatchObject({
      verdict: 'held_by_escrow',
      held_by_escrow: ['a-1', 'a-2'],
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
  const options = { name: 'building-a', now: new Date('2026-03-02T14:30:00Z') }
  const row = (device: string, status: string, next: string, more: Partial<StatusRow> = {}): StatusRow => ({
    device,
    target: device,
    status,
    next,
    since: '2026-03-01T12:00:00Z',
    ...more,
  })
  const again = 'run ferry apply again to go on'
  const rows: readonly StatusRow[] = [
    row('old-1', 'retired', 'nothing'),
    row('air-1', 'heard', 'nothing, or its retirement when it is due', { error: refused }),
    row('spare-1', 'adopted', 'nothing'),
    ...times(1000, (index) =>
      row(`meter-${index}`, 'waiting', 'wait until the target hears it: ferry verify --wait'),
    ),
    ...times(3, (index) => row(`valve-${index}`, 'crossing', 'ferry apply goes on')),
    row('valve-9', 'crossing', 'its source is silent: run ferry apply again to go on'),
    row('door-1', 'deferred', 'run ferry apply again later', {
      error: { code: 'UplinkTooRecent', message: 'it was heard a moment ago' },
    }),
    row('deaf-1', 'silent', 'look at its gateways, or power-cycle it; then: ferry verify --wait'),
    row('meter-a-with-a-long-identifier-00001', 'failed', again, {
      target: 'meter-b-with-a-long-identifier-00001',
      error: refused,
    }),
    row('odd-1', 'of a later version', ''),
  ]

  for (const width of [60, 80, 120]) {
    it(`are told by status, what asks for a person first, at ${width} columns`, async () => {
      const text = renderStatus(rows, { ...options, width })
      await expect(text).toMatchFileSnapshot(`./golden/status-${width}.txt`)
      for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width)
      expect(text.match(/^ {2}meter-\d/gm)).toHaveLength(20)
      expect(text).toContain('  and 980 more: --json\n')
      expect(text.match(/NetworkRefused/g)).toHaveLength(1)
    })
  }

  it('begin and end with what no network serves', async () => {
    const held = row('air-7', 'held-by-escrow', again, { error: refused })
    const text = renderStatus([...rows, held], { ...options, width: 80 })
    await expect(text.split('\n\n')[0]).toMatchFileSnapshot('./golden/status-held.txt')
    expect(text.trimEnd().split('\n').slice(-3).join(' ')).toContain('1,012 devices: 1 held-by-escrow, 1,000')
  })

  it('tell why a device that waits did not get further', () => {
    const dropped = { code: 'TriggerDropped', message: 'the downlink left the queue', hint: 'run again' }
    for (const status of ['waiting', 'silent'])
      expect(renderStatus([row('door-1', status, again, { error: dropped })], options)).toMatch(
        /door-1.*\n +TriggerDropped: /,
      )
  })

  it('list the rarer way on first, so that it is not among those left out', () => {
    const many = [
      ...times(50, (index) => row(`valve-${index}`, 'crossing', 'ferry apply goes on')),
      row('deaf', 'crossing', again),
    ]
    expect(renderStatus(many, options)).toMatch(/next for 1: .*\n {2}deaf .*\n {2}next for 50: /)
  })

  it('are no wider than the terminal whatever they are named', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('failed', 'x'))),
        fc.integer({ min: 60, max: 160 }),
        (parts, width) => {
          const named = parts.map(([name, next, status]) => row(name, status, next, { target: next }))
          for (const line of renderStatus(named, { ...options, width }).split('\n'))
            expect(displayWidth(line)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })

  it('are all in the JSON document', () => {
    expect(renderStatus([], options)).toBe('building-a  0 devices.\n')
    const document = JSON.parse(renderStatusJson(rows, 'building-a'))
    expect(document.devices).toHaveLength(rows.length)
    expect(document.summary).toMatchObject({ devices: rows.length, waiting: 1000, failed: 1 })
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
      'held-by-escrow': 0,
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
    const held = { device: 'air-9', status: 'held-by-escrow' as const, differences: [] }
    expect(renderVerifyReport([...rows, held])).toMatch(/^1 held-by-escrow [\s\S]*\nHELD BY ESCROW {2}31 /)
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
      'Apply 829/8,292 10.0 % | ok 812 heard 0 wait 14 fail 3 | throttled: target 429, 12 s | 3.0/s | ETA 41 min',
    )
    expect(progressLine(view, 300_000)).not.toContain('throttled')
    expect(terminalLine(view, 273_000, 60)).toHaveLength(59)
    expect(terminalLine(view, 300_000, 120)).toMatch(/^\[\.{10}\] Apply 829\/8,292 .*ETA/)
    expect(terminalLine(viewAfter([started, ...ended(4146, 'migrated')], 0), 9_000, 120)).toMatch(
      /^\[#{5}\.{5}\] /,
    )
    expect(terminalLine(view, 300_000, 120).length).toBeLessThan(120)
    expect(
      progressLine(advanceProgress(view, { event: 'apply.stopping', reason: 'Ctrl-C' }, 1), 273_000),
    ).toContain('stopping: Ctrl-C')
  })

  it('counts what was heard, and tells slow runs by the minute', () => {
    const heard: FerryEvent = { event: 'step.done', device: 'meter-1', step: 'hear', status: 'done' }
    const other: FerryEvent = { event: 'step.done', device: 'meter-1', step: 'compare', status: 'done' }
    const view = viewAfter([started, heard, other, ...ended(3, 'migrated')], 0)
    expect(progressLine(view, 360_000)).toContain('heard 1 wait 0 fail 0 | 0.5/min')
    expect(progressLine(view, 60)).not.toMatch(/\/s|\/min/)
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

  it('tells how many single devices were read, and how long the others will take', () => {
    const events: readonly FerryEvent[] = [
      { event: 'reading.started', side: 'source' },
      { event: 'reading.done', side: 'source', devices: 1000 },
      { event: 'reading.devices', devices: 200, of: 1000 },
    ]
    expect(progressLine(viewAfter(events, 1), 40_001)).toBe('Read 200/1,000 devices | ETA 3 min')
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
